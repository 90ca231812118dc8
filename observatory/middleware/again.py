"""Questions that are asked again: answered from what is kept, in one round trip to Redis and without REST framework.

A dashboard asks the same thing every few seconds. Which question a path, query and credential are, and that the caller
may ask it, was settled a moment ago; what can have changed since is looked at on every request: the credential, the
address, the limits, the version of the data, what the client has. Whatever is not as it was, or not there, goes the
long way, where it is said; it has been paid for then.

Requests are met before Django makes anything of them (`AskedAgainFirst`). What is left to Django a middleware takes
over, with what was paid, and remembers how it was answered.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import re_accepts_gzip
from django.utils import timezone

from analytics.api.caching.views import Settled
from observatory.accounts.leases import leases
from observatory.accounts.networks import admits
from observatory.database import tenancy
from observatory.middleware.compression import CompressionMiddleware
from observatory.middleware.metrics import record
from observatory.middleware.requests import context_of, identified, log_answer
from ratelimit.address import client_address
from ratelimit.limiter import Order
from ratelimit.throttle import Charge, charge_of, read_ahead, visit

if TYPE_CHECKING:
    from observatory.accounts.principals import Principal

log = structlog.get_logger(__name__)
# All that decides which reply a request gets and how it is told, beside what is judged every time.
_SAME = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_AUTHORIZATION",
    "HTTP_X_API_KEY",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ORIGIN",
    "HTTP_HOST",
    "SCRIPT_NAME",
    "wsgi.url_scheme",
)
# Whoever sends one of these wants more than the usual, or sends a body where none is read.
_UNUSUAL = ("HTTP_CACHE_CONTROL", "HTTP_X_READ_AFTER", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")
# Headers that the next reply has values of its own of.
_OWN = {
    "age",
    "content-encoding",
    "content-length",
    "etag",
    "last-modified",
    "ratelimit",
    "ratelimit-policy",
    "x-cache",
    "x-ratelimit-degraded",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
}
_ATTEMPT = "observatory.attempt"  # in the environ: no header of a request can have this name
_LINES = {int(one): f"{one} {one.phrase}" for one in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)}
_MOST, _LONGEST = 2048, 8192  # questions, and characters of one: whoever asks decides how long it is
Same = tuple[str | None, ...]
Headers = Mapping[str, tuple[str, str]]  # by lower-case name, as Django keeps them


@dataclass(slots=True, kw_only=True)
class Asked:
    """A question, what is asked of Redis for it, and the headers that all replies of a status to it have in common."""

    settled: Settled
    charge: Charge
    order: Order
    headers: dict[int, Headers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole reply: its status, its headers, its body."""

    status: int
    headers: Headers
    body: bytes

    def as_response(self) -> HttpResponse:
        response = HttpResponse(self.body, status=self.status)
        told = response.headers._store  # noqa: SLF001  they were headers before: each set anew costs 3 us
        told.clear()
        told.update(self.headers)
        return response


class AskedLately:
    """The questions of the last minute; of more than `most` the longest unused are forgotten. Thread-safe."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._held: OrderedDict[Same, Asked] = OrderedDict()
        self._lock = Lock()

    def get(self, same: Same) -> Asked | None:
        asked = self._held.get(same)
        if asked is None:
            return None
        with self._lock:
            if timezone.now() < asked.settled.until:
                if same in self._held:
                    self._held.move_to_end(same)
                return asked
            self._held.pop(same, None)
        return None

    def put(self, same: Same, settled: Settled, charge: Charge, status: int, headers: Headers) -> None:
        with self._lock:
            asked = self._held.get(same)
            if asked is None or asked.settled.asker is not settled.asker or asked.settled.until != settled.until:
                order = Order.of(charge.buckets, [*settled.inquiry.keys, settled.asker.lease.key])
                asked = self._held[same] = Asked(settled=settled, charge=charge, order=order, headers={})
            asked.headers[status] = headers
            while len(self._held) > self._most:
                self._held.popitem(last=False)


class Met(HttpRequest):
    """A request that was met before Django: of it only the environ is known, and what is noted at it later."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.META = environ
        self.method = environ["REQUEST_METHOD"]

    def noted(self) -> dict[str, Any]:
        """Return what was noted: its id, what it has paid, what was read for it, when it began."""
        return {name: value for name, value in vars(self).items() if name not in ("META", "method")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A request that was met and goes the long way; what is answered is remembered in `lately` as `same`."""

    met: Met
    same: Same
    lately: AskedLately


class AskedAgainFirst:
    """The application, but that what was asked a moment ago is answered before Django makes a request of it."""

    def __init__(self, application: Callable[[dict[str, Any], Any], Iterable[bytes]]) -> None:
        self._application = application
        self._lately = AskedLately()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        close_old_connections()  # as Django does when a request begins
        reply = self.meet(environ)
        if reply is None:
            close_old_connections()  # a statement of the short way may have found that one is broken
            return self._application(environ, start_response)
        start_response(_LINES[reply.status], list(reply.headers.values()))
        return [reply.body]

    def meet(self, environ: dict[str, Any]) -> Reply | None:
        """Return the reply to a request; `None` for one that goes the long way, with a note for the middleware."""
        # Django reads paths beyond ASCII in another way.
        if environ["REQUEST_METHOD"] != "GET" or _is_unusual(environ) or not environ["PATH_INFO"].isascii():
            return None
        same = tuple(map(environ.get, _SAME))
        met, asked = Met(environ), self._lately.get(same)
        reply = None if asked is None else self._again(met, asked)
        if reply is None:
            environ[_ATTEMPT] = Attempt(met=met, same=same, lately=self._lately)
        return reply

    @staticmethod
    def _again(met: Met, asked: Asked) -> Reply | None:
        try:
            return answered_again(met, asked)
        except Exception:
            # Nothing around this makes an error of the catalogue of it. The long way answers all the same, if need be
            # with what went wrong.
            log.exception("short way failed", **context_of(met))
            return None


class AskedAgainMiddleware:
    """Takes over what was met before Django, and remembers the reply; the outermost layer, since that is whole."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        attempt: Attempt | None = request.META.pop(_ATTEMPT, None)
        if attempt is None:
            return self.get_response(request)
        vars(request).update(attempt.met.noted())
        response = self.get_response(request)
        _note(attempt.lately, attempt.same, response)
        return response


def answered_again(request: HttpRequest, asked: Asked) -> Reply | None:
    """Return the whole reply to what was asked before, paid for and told of; `None` for one that goes the long way."""
    started, began, settled = perf_counter(), monotonic(), asked.settled
    caller: Principal = settled.asker
    lease, charge = caller.lease, asked.charge
    assert lease is not None
    if leases.get(lease.digest) is not caller or not settings.RATE_LIMIT_ENABLED:
        return None
    if any(caller.networks) and not admits(caller.networks, client_address(request)):
        return None
    visit(request, charge.tier, charge.route_class, asked.order)
    paid = charge_of(request)
    assert paid is not None
    confirmed = lease.is_confirmed_by((read_ahead(request) or {}).get(lease.key))
    if not paid.decision.admitted or not confirmed:
        return None
    request_id = identified(request)
    request.began = began  # type: ignore[attr-defined]  # its deadline counts from here, whichever way it goes
    try:
        with tenancy.only(str(caller.organisation_id)):
            answer = settled.again(request, started=began)
    except DatabaseError:  # it is met again the long way, where it is told
        return None
    if answer is None or (common := asked.headers.get(answer[0])) is None:
        return None
    status, own, body = answer
    own |= {"X-Request-ID": request_id, **paid.decision.headers()}
    reply = Reply(
        status=status, headers={**common, **{name.lower(): (name, told) for name, told in own.items()}}, body=body
    )
    if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        reply = _compressed(request, reply)
    record(request, endpoint=settled.endpoint, status=status, length=len(reply.body), started=started)
    log_answer(
        request,
        status=status,
        route=settled.endpoint,
        principal=caller,
        seconds=perf_counter() - started,
        context=context_of(request),
    )
    return reply


def _compressed(request: HttpRequest, reply: Reply) -> Reply:
    response = reply.as_response()
    _compression.process_response(request, response)
    return Reply(status=reply.status, headers=dict(response.headers._store), body=response.content)  # noqa: SLF001  as above


def _note(lately: AskedLately, same: Same, response: HttpResponse) -> None:
    settled: Settled | None = getattr(response, "settled", None)
    if settled is None or settings.AUDIT_READS or sum(len(one or "") for one in same) > _LONGEST:
        return
    caller = settled.asker
    if settled.charge is None or getattr(caller, "lease", None) is None or caller.signing_secrets:
        return
    own = _OWN | {name.lower() for name in getattr(response, "own_headers", ())}
    headers = {name: told for name, told in response.headers._store.items() if name not in own}  # noqa: SLF001  as above
    lately.put(same, settled, settled.charge, response.status_code, headers)


_compression = CompressionMiddleware(lambda _: HttpResponse())


def _is_unusual(meta: Mapping[str, Any]) -> bool:
    return any(name in meta for name in _UNUSUAL) or meta.get("CONTENT_LENGTH") not in (None, "", "0")
