"""`Idempotency-Key`: a POST that is repeated gives the reply of the first one and makes nothing twice."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import orjson
from django.conf import settings
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import IdempotencyRecord
from errors.catalog import IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, INVALID_FIELD_FORMAT
from errors.exceptions import ApiError
from errors.json import dumps

if TYPE_CHECKING:
    from analytics.scope import Caller

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x20-\x7e]{1,128}")
# A process that died leaves its record behind; after this long the next one may try.
_ABANDONED = timedelta(seconds=60)
_KEPT_HEADERS = ("Location", "ETag")
# Shown once: a replayed reply comes without them.
_SECRETS = ("key", "signing_secret")


def once(request: Request, make: Callable[[], Response]) -> Response:
    """Return the reply of `make`, or of the earlier request with the same `Idempotency-Key`, principal and path.

    Raises 400/1203 for a malformed key, 422/1212 when it came with another body, 409/1405 while the first one runs. A
    request that fails changed nothing; its repetition is judged anew.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return make()
    if not _KEY.fullmatch(key):
        raise ApiError(INVALID_FIELD_FORMAT, field=HEADER, expected="1 to 128 printable ASCII characters")
    caller, now = cast("Caller", request.user), timezone.now()
    named = {
        "organisation_id": caller.organisation_id,
        "principal": caller.rate_key,
        "method": str(request.method),
        "path": request.path[:2000],
        "key": key,
    }
    body = sha256(orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)).digest()
    if not _begin(named, body, now):
        return _earlier(named, body)
    try:
        response = make()
    except BaseException:
        IdempotencyRecord.objects.filter(**named).delete()
        raise
    _keep(named, response)
    return response


def _begin(named: dict[str, Any], body: bytes, now: datetime) -> bool:
    """Whether this request is the first: it leaves a record that others find."""
    old = IdempotencyRecord.objects.filter(**named)
    old.filter(started_at__lt=now - timedelta(seconds=settings.IDEMPOTENCY_TTL_SECONDS)).delete()
    old.filter(status_code=None, started_at__lt=now - _ABANDONED).delete()
    _, made = IdempotencyRecord.objects.get_or_create(**named, defaults={"body_sha256": body, "started_at": now})
    return made


def _earlier(named: dict[str, Any], body: bytes) -> Response:
    record = IdempotencyRecord.objects.filter(**named).first()
    if record is not None and bytes(record.body_sha256) != body:
        raise ApiError(IDEMPOTENCY_KEY_REUSED, field=HEADER)
    if record is None or record.status_code is None or record.reply is None:
        raise ApiError(IDEMPOTENCY_IN_PROGRESS, field=HEADER)
    response = Response(bytes(record.reply), status=record.status_code, headers=record.headers)
    response["Idempotency-Replayed"] = "true"
    return response


def _keep(named: dict[str, Any], response: Response) -> None:
    record = IdempotencyRecord.objects.filter(**named)
    if response.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        record.delete()
        return
    shown = response.data
    if isinstance(shown, dict):
        shown = {name: value for name, value in shown.items() if name not in _SECRETS}
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    reply = shown if isinstance(shown, bytes) else dumps(shown)
    record.update(status_code=response.status_code, reply=reply, headers=headers)


def forget(*, now: datetime) -> int:
    """Delete the records whose time is over; return how many."""
    over = now - timedelta(seconds=settings.IDEMPOTENCY_TTL_SECONDS)
    return IdempotencyRecord.objects.filter(started_at__lt=over).delete()[0]
