"""The base of routes with a data version: 304 before any analytic statement, then the kept reply, then the work."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.caching import store
from analytics.api.caching.entries import Entry
from analytics.api.caching.metrics import BYPASS, HITS, MISSES
from analytics.api.caching.policies import GROUPS, CacheGroup, CachePolicy, policy_of
from analytics.api.caching.validators import Validators, modified, tag
from analytics.api.common import meta
from analytics.api.read_after import HEADER as READ_AFTER
from analytics.api.views import SAFE, AnalyticsView
from analytics.queries.timerange import EVER, TimeRange, round_up
from analytics.scope import Scope
from analytics.storage.changes import floor
from analytics.storage.reading import reading
from analytics.storage.versions import RangeVersion, version_of
from errors.exceptions import ApiError
from errors.json import dumps
from ratelimit.throttle import Charge, charge_of, read_ahead

# Part of every tag and key: raise it when the same question is answered in another form.
FORMAT = 1
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A validated request.

    `values` are its canonical parameters, every one that the answer depends on; `range` is the time whose data version
    counts (`None`: the view looks it up once the request is paid for), and `beyond` says that spans outside it are read
    too, so that the version of all time does; `moves` when it changes with the clock; only a `first` page is kept;
    `plan` is what the view's `answer` takes.
    """

    scope: Scope
    values: Mapping[str, Any]
    range: TimeRange | None
    plan: Any
    beyond: bool = False
    moves: bool = False
    first: bool = True

    @property
    def counted(self) -> TimeRange | None:
        """The time whose data version counts, where the question says it."""
        return EVER if self.beyond else self.range


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a view computed: a bare body, or `data` (and `pagination`) of an enveloped one, and headers of its own."""

    data: Any
    pagination: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def rendered(self, *, enveloped: bool) -> bytes:
        """Return the JSON that does not belong to one request: all of a bare body, these members of an enveloped."""
        if not enveloped:
            return dumps(self.data)
        paged = b"" if self.pagination is None else b',"pagination":' + dumps(self.pagination)
        return b'"data":' + dumps(self.data) + paged


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A question with the digest that stands for it and its askers, and where Redis keeps reply and version."""

    asked_at: datetime
    question: Question
    identity: bytes
    entry_key: str
    version_key: str | None

    @property
    def keys(self) -> Sequence[str]:
        return [self.entry_key] if self.version_key is None else [self.entry_key, self.version_key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A question that was answered, with all that it takes to answer it again until `until` without asking its view.

    `view` is one without a request; `asker` and `charge` say who asked and what it cost.
    """

    view: "CachedView"
    inquiry: Inquiry
    endpoint: str
    asker: Any
    charge: Charge | None
    until: datetime

    def again(self, request: HttpRequest, *, started: float) -> tuple[int, dict[str, str], bytes] | None:
        """Return status, own headers and body of the reply to the same question; `None` when none is kept."""
        where = self.inquiry.question.counted
        assert where is not None
        with reading():
            version = self.view.version_in_force(request, self.inquiry, where)
        validators = self.view.validators(request, self.inquiry, version)
        if validators.are_known(request):
            return status.HTTP_304_NOT_MODIFIED, validators.headers(), b""
        entry = Entry.read((read_ahead(request) or {}).get(self.inquiry.entry_key), version=version.text)
        if entry is None:
            return None
        kept = store.Kept(entry=entry, outcome="hit")
        headers = {**entry.headers, **validators.headers(), **self.view.told(self.endpoint, kept)}
        return status.HTTP_200_OK, headers, self.view.body(request, kept, started=started)


class CachedView(AnalyticsView):
    """A reading route whose replies are known by the version of the data they were made of.

    A view names its `route` (the name that `CACHE_POLICY_OVERRIDES` knows) and its `cache_group`, and splits its work:
    `ask` validates and touches no store, `answer` makes the one domain call. Its `get` or `post` is
    `return self.respond(request)`.
    """

    route: ClassVar[str]
    cache_group: ClassVar[str]
    cache_ttl: ClassVar[str] = ""
    enveloped: ClassVar[bool] = False
    _inquiry: Inquiry | ApiError | None = None

    def ask(self, request: Request, **path: str) -> Question:
        """Return the validated question; raise what is wrong with it."""
        raise NotImplementedError

    def answer(self, question: Question) -> Answer:
        """Return the answer to `question`."""
        raise NotImplementedError

    def range_of(self, question: Question) -> TimeRange:
        """Return the range whose version counts, for questions that do not say it; raise 404 where there is none."""
        raise NotImplementedError

    def version(self, question: Question, where: TimeRange) -> RangeVersion:
        """Return the exact version of what the answer is made of."""
        return version_of(question.scope.tenant, where.start, where.end)

    @classmethod
    def group(cls) -> CacheGroup:
        return GROUPS[cls.cache_group]

    @classmethod
    def policy(cls) -> CachePolicy:
        return policy_of(cls.route, cls.cache_group, ttl=cls.cache_ttl)

    def freshness(self, request: Request) -> str:
        if READ_AFTER in request.headers:
            return "private, no-cache"
        return self.group().cache_control(self.policy(), public=not request.user.is_authenticated)

    def keys_to_read(self, request: Request) -> Sequence[str]:
        """Ask already now, so that reply and version come with the charge; what is wrong is said when that is paid."""
        if request.method not in SAFE:
            return ()
        try:
            self._inquiry = self._inquire(request)
        except ApiError as refused:
            self._inquiry = refused
            return ()
        return self._inquiry.keys

    def caller_was_renewed(self) -> None:
        self._inquiry = None

    def respond(self, request: Request) -> Response:
        """Return 304, the kept reply or a new one."""
        started = time.monotonic()
        inquiry = self._inquiry or self._inquire(request)
        if isinstance(inquiry, ApiError):
            raise inquiry
        question = inquiry.question
        where = question.counted or self.range_of(question)
        version = self.version_in_force(request, inquiry, where)
        validators = self.validators(request, inquiry, version)
        settled = self._settled(request, inquiry)
        if request.method in SAFE and validators.are_known(request):
            return _own(Response(status=status.HTTP_304_NOT_MODIFIED), validators.headers(), settled)
        kept = self._kept(request, inquiry, version)
        headers = {**kept.entry.headers, **validators.headers(), **self.told(_endpoint(request), kept)}
        return _own(Response(self.body(request, kept, started=started)), headers, settled)

    def _settled(self, request: Request, inquiry: Inquiry) -> Settled | None:
        """Return the question as it may be answered again: one whose first page is kept, and whose range is known."""
        question = inquiry.question
        if request.method != "GET" or question.range is None or not question.first or not self.policy().ttl:
            return None
        at = inquiry.asked_at
        return Settled(
            view=type(self)(),
            inquiry=inquiry,
            endpoint=_endpoint(request),
            asker=request.user,
            charge=charge_of(request),
            until=min(round_up(at, grid=settings.TIME_GRID_SECONDS), floor(at, _HOUR) + _HOUR),
        )

    def _inquire(self, request: Request) -> Inquiry:
        asked_at = timezone.now()
        question = self.ask(request, **self.kwargs)
        tenant, where = question.scope.tenant, question.range
        span = None if where is None else [where.start, where.end]
        told = [FORMAT, tenant, sorted(question.scope.permissions), self.route, question.values, span]
        identity = sha256(dumps(told)).digest()
        version_key, counted = None, question.counted
        sampling = settings.CACHE_OPEN_SECONDS and not _wants_exact(request)
        if where is not None and counted is not None and sampling and _is_open(where):
            sampled = [type(self).version.__qualname__, tenant, [counted.start, counted.end]]
            version_key = f"llmo:version:{sha256(dumps(sampled)).hexdigest()}"
        return Inquiry(
            asked_at=asked_at,
            question=question,
            identity=identity,
            entry_key=f"llmo:reply:{identity.hex()}",
            version_key=version_key,
        )

    def version_in_force(self, request: Request | HttpRequest, inquiry: Inquiry, where: TimeRange) -> RangeVersion:
        """Return the version that replies are judged by: the exact one, or of an open range the one all share."""

        def exact() -> RangeVersion:
            return self.version(inquiry.question, where)

        key = inquiry.version_key
        if key is None:
            return exact()
        ahead = read_ahead(request) or {}
        return store.sampled(key, known=ahead[key] if key in ahead else store.read(key), exact=exact)

    def validators(self, request: Request | HttpRequest, inquiry: Inquiry, version: RangeVersion) -> Validators:
        """Return what the reply of `version` is known by."""
        policy, question = self.policy(), inquiry.question
        since = version.newest or max(one.created_at for one in question.scope.projects.values())
        until = round_up(timezone.now(), grid=settings.TIME_GRID_SECONDS) if question.moves else None
        return Validators(
            etag=tag(request, inquiry.identity, version.text, weak=self.group().weak) if policy.etag else None,
            last_modified=modified(since, moving_until=until) if policy.last_modified else None,
        )

    def _kept(self, request: Request, inquiry: Inquiry, version: RangeVersion) -> store.Kept:
        question, ttl = inquiry.question, self.policy().ttl

        def make() -> Entry:
            answer = self.answer(question)
            body = answer.rendered(enveloped=self.enveloped)
            return Entry(version=version.text, made_at=time.time(), body=body, headers=answer.headers)

        if not ttl:
            return store.Kept(entry=make(), outcome="never")
        if _wants_fresh(request):
            return store.Kept(entry=make(), outcome="asked")
        if not question.first:
            return store.Kept(entry=make(), outcome="page")
        entry = Entry.read((read_ahead(request) or {}).get(inquiry.entry_key), version=version.text)
        if entry is not None:
            return store.Kept(entry=entry, outcome="hit")
        return store.once(inquiry.entry_key, version=version.text, ttl=ttl, make=make)

    @staticmethod
    def told(endpoint: str, kept: store.Kept) -> dict[str, str]:
        """Return what the reply says of the cache, and count it."""
        match kept.outcome:
            case "never":
                return {}
            case "hit":
                HITS.labels(endpoint).inc()
                return {"X-Cache": "HIT", "Age": str(max(0, int(time.time() - kept.entry.made_at)))}
            case "miss":
                MISSES.labels(endpoint).inc()
                return {"X-Cache": "MISS"}
            case reason:
                BYPASS.labels(reason).inc()
                return {"X-Cache": "BYPASS"}

    def body(self, request: Request | HttpRequest, kept: store.Kept, *, started: float) -> bytes:
        """Return the whole body of a reply, with what belongs to this request alone."""
        if not self.enveloped:
            return kept.entry.body
        told = dumps(meta(request, started=started, cached=kept.outcome == "hit"))
        return b'{"status":"success",' + kept.entry.body + b',"meta":' + told + b"}"


def _own(response: Response, headers: Mapping[str, str], settled: Settled | None) -> Response:
    for name, value in headers.items():
        response[name] = value
    if settled is not None:
        response.own_headers = headers.keys()  # type: ignore[attr-defined]  # those of one version
        response.settled = settled  # type: ignore[attr-defined]  # whoever has it may answer the same question again
    response.own_validators = True  # type: ignore[attr-defined]  # the middleware's sign that all was compared here
    return response


def _is_open(where: TimeRange) -> bool:
    return where.end > floor(timezone.now(), _HOUR)


def _wants_fresh(request: Request) -> bool:
    directives = [one.strip().lower() for one in request.headers.get("Cache-Control", "").split(",")]
    return "no-cache" in directives or "no-store" in directives


def _wants_exact(request: Request) -> bool:
    return READ_AFTER in request.headers or _wants_fresh(request)


def _endpoint(request: Request) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match else "unmatched"
