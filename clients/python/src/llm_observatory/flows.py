"""What a call does, without doing it: each flow yields what to send or how long to wait, and is told what came.

Sync and async clients drive the same flows, so that they cannot differ.
"""

import json
import random
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from llm_observatory.errors import ObservatoryError, RefusedError, ServiceAwayError
from llm_observatory.values import body_of, json_of, query_of

RETRIED = frozenset({429, 502, 503, 504})
_FIRST_WAIT, _LONGEST_WAIT, _DOUBLED = 0.5, 30.0, 6
_LONGEST_ASKED = 120.0


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request; the flow is told its response, or the `httpx.TransportError` that it ended with."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait this many seconds."""

    seconds: float


Answer = httpx.Response | httpx.TransportError | None
Flow = Generator[Send | Wait, Answer, Any]


class Tags:
    """The newest replies by what they answer, with their tags: what has not changed is not sent again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def get(self, key: str) -> tuple[str, bytes] | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: str, tag: str, body: bytes) -> None:
        self._kept[key] = (tag, body)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def call(
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    tags: Tags,
    tries: int,
) -> Flow:
    """Return what the service answers, its numbers exact. Raises `ObservatoryError`, `ServiceAwayError`.

    Reads ask with the tag of the reply they have. What creates something carries an `Idempotency-Key`, so that trying
    again after a lost answer creates nothing twice.
    """
    headers = {"Accept": "application/json"}
    parameters = query_of(query or {})
    key = f"{path}?{sorted(parameters.items())}"
    known = tags.get(key) if method == "GET" else None
    if known:
        headers["If-None-Match"] = known[0]
    content = None
    if body is not None:
        content = json_of(body_of(body))
        headers["Content-Type"] = "application/json"
    if method == "POST":
        headers["Idempotency-Key"] = str(uuid4())
    reply = yield from tried(Send(method, path, parameters, headers, content), tries=tries)
    if reply.status_code == httpx.codes.NOT_MODIFIED and known:
        return loads(known[1])
    if reply.is_error:
        raise error_of(reply)
    if method == "GET" and (tag := reply.headers.get("ETag")):
        tags.put(key, tag, reply.content)
    return loads(reply.content) if reply.content else None


def tried(send: Send, *, tries: int) -> Generator[Send | Wait, Answer, httpx.Response]:
    """Send until there is an answer that trying again would not change, waiting as long as `Retry-After` says."""
    for attempt in range(tries):
        answer = yield send
        last = attempt == tries - 1
        if isinstance(answer, httpx.Response):
            wait = wait_of(answer, attempt) if answer.status_code in RETRIED and not last else None
            if wait is None:
                return answer
            yield Wait(wait)
        elif last:
            raise ServiceAwayError(f"{send.path}: no answer ({type(answer).__name__})") from answer
        else:
            yield Wait(backed_off(attempt))
    raise AssertionError("tries is at least 1")


def pages(given: Mapping[str, Any]) -> Generator[dict[str, Any], Any, None]:
    """Yield the arguments of each page until the last one; each is answered with its reply."""
    given = dict(given)
    while True:
        reply = yield given
        pagination = reply.get("pagination", {})
        if not pagination.get("has_more"):
            return
        if "cursor" in pagination:
            given["cursor"] = pagination["cursor"]
        else:
            given["offset"] = pagination["offset"] + len(items_of(reply))


def items_of(reply: Mapping[str, Any]) -> list[Any]:
    """Return the items of a page: the one list that it has beside what describes it."""
    lists = [value for value in reply.values() if isinstance(value, list)]
    if len(lists) != 1:
        raise TypeError("this operation does not answer with a list")
    return lists[0]


def error_of(reply: httpx.Response) -> ObservatoryError:
    """Return what a reply refuses with, in the catalogue's envelope or in that of OTLP."""
    try:
        told = reply.json()
        if "error" not in told and "message" in told:
            told = {"error": {"message": told["message"]}}
        error, meta = dict(told["error"]), told.get("meta", {})
    except (ValueError, KeyError, TypeError):
        error, meta = {}, {}
    request_id = meta.get("request_id") or reply.headers.get("X-Request-ID", "")
    return ObservatoryError(reply.status_code, error, request_id=request_id, url=meta.get("documentation_url", ""))


def loads(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)


def wait_of(reply: httpx.Response, attempt: int) -> float | None:
    """Return the seconds that the service asks to wait; `None` for more than a caller should sleep through."""
    try:
        told = float(reply.headers["Retry-After"])
    except (KeyError, ValueError):
        return backed_off(attempt)
    return told if 0 <= told <= _LONGEST_ASKED else None


def backed_off(attempt: int) -> float:
    """Return the seconds before something is tried again that did not say when."""
    return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempt, _DOUBLED))) * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream. `id` is what a later stream resumes after."""

    type: str
    data: dict[str, Any]
    id: str


class EventReader:
    """Makes events of the lines of a `text/event-stream` (WHATWG HTML, 9.2.6). `last_id` is of the last whole event."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.begin()

    def begin(self) -> None:
        """Forget what a stream that broke off had told of an event: it is told again."""
        self._type, self._data, self._id = "", list[str](), self.last_id

    def feed(self, line: str) -> Iterator[Event]:
        """Take one line without its end; yield the event that it completes."""
        if not line:
            self.last_id = self._id
            if self._data:
                yield Event(self._type or "message", loads("\n".join(self._data).encode()), self.last_id)
            self.begin()
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._type = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value


UNFINISHED = frozenset({"pending", "processing"})


def file_of(job_id: str) -> str:
    return f"/api/v1/export/jobs/{job_id}/download"


def check_completed(job: Mapping[str, Any]) -> None:
    """Raise `ObservatoryError` unless the export has a file."""
    if job["status"] != "completed":
        raise ObservatoryError(0, {"message": job.get("error_message") or f"the export is {job['status']}"})


def wait_after(problem: httpx.TransportError | RefusedError, attempt: int, *, tries: int) -> float | None:
    """Return the seconds before a download is taken up again; `None` when trying again is of no use."""
    if attempt == tries - 1:
        return None
    if isinstance(problem, RefusedError):
        return wait_of(problem.reply, attempt) if problem.reply.status_code in RETRIED else None
    return backed_off(attempt)


def failure_of(problem: httpx.TransportError | RefusedError, job_id: str) -> Exception:
    """Return what a download that is given up raises."""
    if isinstance(problem, RefusedError):
        return error_of(problem.reply)
    return ServiceAwayError(f"{job_id}: the download broke off ({type(problem).__name__})")
