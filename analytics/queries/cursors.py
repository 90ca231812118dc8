"""Keyset cursors: where a page ended, bound to the query it came from, signed, and good for a day."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from errors.catalog import CURSOR_EXPIRED, INVALID_CURSOR
from errors.exceptions import ApiError

_SIGNATURE_BYTES = 16
GOOD_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The last row of a page, and the resolved time range that the following pages keep.

    `clock` is what relative times of the list count from, and since when the cursor is good: that of the first page.
    `project` is the place of the row's project among those of the scope, since its number is told to nobody; `value`
    is the row's value of the sort column. Lists that have neither leave them out.
    """

    ts: datetime
    trace_id: bytes
    span_id: bytes
    start: datetime
    end: datetime
    clock: datetime
    project: int = 0
    value: int | float | str | None = None


def binding(*parts: Any) -> bytes:
    """Return the hash of everything a cursor is bound to: filter, sort, organisation, projects."""
    return hashlib.sha256(orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)).digest()


def encode(cursor: Cursor, *, bound_to: bytes, key: str) -> str:
    """Return `cursor` as opaque text."""
    body = orjson.dumps(
        [
            _micros(cursor.ts),
            cursor.trace_id.hex(),
            cursor.span_id.hex(),
            _micros(cursor.start),
            _micros(cursor.end),
            _micros(cursor.clock),
            cursor.project,
            cursor.value,
        ]
    )
    return base64.urlsafe_b64encode(_signature(body, bound_to, key) + body).rstrip(b"=").decode()


def decode(text: str, *, bound_to: bytes, key: str, now: datetime) -> Cursor:
    """Return the cursor behind `text`; raise 400/1207 when it is damaged, of another query, or too old at `now`."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(body, bound_to, key)):
        raise ApiError(INVALID_CURSOR, field="cursor")
    ts, trace_id, span_id, start, end, since, project, value = orjson.loads(body)
    clock = _instant(since)
    if clock + GOOD_FOR < now:
        raise ApiError(CURSOR_EXPIRED, field="cursor")
    return Cursor(
        ts=_instant(ts),
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        start=_instant(start),
        end=_instant(end),
        clock=clock,
        project=project,
        value=value,
    )


# The number in it is that of the form of cursors: one of another form is refused as damaged.
def _signature(body: bytes, bound_to: bytes, key: str) -> bytes:
    secret = hashlib.sha256(b"llm-observatory cursor 2\0" + key.encode()).digest()
    return hmac.digest(secret, bound_to + body, "sha256")[:_SIGNATURE_BYTES]


def _micros(instant: datetime) -> int:
    whole = int(instant.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + instant.microsecond


def _instant(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, tz=UTC).replace(microsecond=micros % 1_000_000)
