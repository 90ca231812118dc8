"""Validators of a reply, and whether the client has it already (RFC 9110 §13)."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from django.http import HttpRequest
from django.middleware.gzip import re_accepts_gzip
from django.utils.http import http_date, parse_http_date_safe
from rest_framework.request import Request

_TAG_DIGITS = 32
_OPAQUE = re.compile(r'"[^"\x00-\x20\x7f]*"')
# Lists may have empty elements (RFC 9110 §5.6.1). Each character is read in one way only, or a list that is malformed
# at its end would be tried in all of them.
_TAG = rf"(?:W/)?{_OPAQUE.pattern}"
_TAG_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_ONE_GRID = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a reply is known by; either may be left out."""

    etag: str | None
    last_modified: int | None

    def headers(self) -> dict[str, str]:
        told = {
            "ETag": self.etag,
            "Last-Modified": None if self.last_modified is None else _date(self.last_modified),
        }
        return {name: value for name, value in told.items() if value is not None}

    def are_known(self, request: Request | HttpRequest) -> bool:
        """Whether the client has this reply: `If-None-Match` decides where it is sent, else `If-Modified-Since`."""
        if (listed := request.META.get("HTTP_IF_NONE_MATCH")) is not None:
            return self.etag is not None and lists(listed, self.etag)
        if (date := request.META.get("HTTP_IF_MODIFIED_SINCE")) is None:
            return False
        since = parse_http_date_safe(date)
        if since is None or self.last_modified is None:
            return False
        return self.last_modified <= since <= time.time()


@lru_cache(maxsize=256)
def _date(epoch_second: int) -> str:
    return http_date(epoch_second)


def lists(header: str, etag: str) -> bool:
    """Whether an `If-None-Match` names `etag` by weak comparison; one that is malformed anywhere names nothing."""
    if header.strip() == "*":
        return True
    return bool(_TAG_LIST.fullmatch(header)) and opaque(etag) in _OPAQUE.findall(header)


def matches_strongly(header: str, etag: str) -> bool:
    """Whether an `If-Match` names the strong tag `etag` by strong comparison; one that is malformed names nothing."""
    if header.strip() == "*":
        return True
    strong = [one.strip() for one in header.split(",")]
    return bool(_TAG_LIST.fullmatch(header)) and etag in strong


def opaque(etag: str) -> str:
    """Return what weak comparison compares."""
    return etag.removeprefix("W/")


def tag(request: Request | HttpRequest, identity: bytes, version: str, *, weak: bool) -> str:
    """Return the tag of one version of a reply: weak too where the client takes gzip, in both forms of the reply."""
    digits = _digits(identity, version)
    gzip = re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    return f'W/"{digits}"' if weak or gzip else f'"{digits}"'


@lru_cache(maxsize=4096)
def _digits(identity: bytes, version: str) -> str:
    return sha256(identity + version.encode()).hexdigest()[:_TAG_DIGITS]


def modified(changed: datetime, *, moving_until: datetime | None) -> int:
    """Return the epoch second for `Last-Modified`: the newest change, rounded down.

    A range that moves with the clock reads differently without a write: since the minute before its `now`.
    """
    latest = changed if moving_until is None else max(changed, moving_until - _ONE_GRID)
    return int(latest.astimezone(UTC).timestamp())
