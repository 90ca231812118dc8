"""Tickets: good once and for a moment, for streams of clients that cannot send headers.

A ticket stands for the credential that it was bought with. Redis keeps that encrypted, under the digest of the ticket.
"""

import secrets
from collections.abc import Callable
from typing import TypeVar, cast

import orjson
from django.conf import settings
from redis import Redis

from analytics.encryption import decrypt, encrypt
from errors.catalog import INVALID_TICKET, REDIS_ERROR
from errors.exceptions import ApiError
from observatory.accounts.authentication import Shown
from observatory.accounts.secrets import digest
from ratelimit.backend import AwayError, backend

R = TypeVar("R")
PREFIX = "llmo_tk_"


def issue(shown: Shown) -> str:
    """Return a new ticket for a credential; raise 503/1701 while Redis is away."""
    ticket = PREFIX + secrets.token_urlsafe(32)
    sealed = encrypt(orjson.dumps([shown.secret, shown.is_key]).decode())
    _ask(lambda client: client.set(_key(ticket), sealed, ex=settings.TICKET_TTL_SECONDS))
    return ticket


def redeem(ticket: str) -> Shown:
    """Return the credential behind a ticket, which is used up; raise 401/1001 for one that is not good any more."""
    sealed = cast("bytes | None", _ask(lambda client: client.getdel(_key(ticket))))
    if sealed is None:
        raise ApiError(INVALID_TICKET)
    secret, is_key = orjson.loads(decrypt(sealed))
    return Shown(secret=secret, is_key=is_key, bought=True)


def _ask(work: Callable[[Redis], R]) -> R:
    try:
        return backend.ask(work)
    except AwayError:
        raise ApiError(REDIS_ERROR) from None


def _key(ticket: str) -> str:
    return f"llmo:ticket:{digest(ticket).hex()}"
