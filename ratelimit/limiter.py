"""One atomic charge per request: by a script in Redis, or by this process while Redis is away."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha1
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import NoScriptError

from ratelimit.backend import AwayError, Backend, Command, backend, exchange, packed
from ratelimit.decision import Bucket, BucketState, Decision
from ratelimit.local import LocalBuckets

SCRIPT = Path(__file__).with_name("bucket.lua").read_text(encoding="utf-8")
SCRIPT_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
Values = Sequence[bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Buckets to charge, when there are any, and keys to read, with the commands that do both; it may be sent again.

    The keys of the buckets must be in one hash slot, the principal's comes first.
    """

    buckets: Sequence[Bucket]
    reading: Sequence[str]
    commands: bytes

    @classmethod
    def of(cls, buckets: Sequence[Bucket], reading: Sequence[str] = ()) -> "Order":
        # Not a transaction, and a command for each key: they may be in several slots. The charge is atomic by itself.
        commands: list[Command] = [("GET", key) for key in reading]
        if buckets:
            commands.append(("EVALSHA", SCRIPT_SHA, *_arguments(buckets)))
        return cls(buckets=buckets, reading=reading, commands=packed(commands))

    @property
    def replies(self) -> int:
        return len(self.reading) + bool(self.buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one round trip gave: the decision, and the values read beside it; `None` when Redis was away."""

    decision: Decision | None
    values: Values | None


class Limiter:
    """Charges buckets and never raises: without an answer from Redis in time the process decides by its own share."""

    def __init__(self, through: Backend | None = None) -> None:
        self._backend = through or Backend()
        self._local = LocalBuckets()

    def charge(self, buckets: Sequence[Bucket]) -> Decision:
        """Charge all `buckets` or none of them."""
        decision = self.visit(Order.of(buckets)).decision
        assert decision is not None
        return decision

    def visit(self, order: Order) -> Visit:
        """Charge the buckets of an order and read its keys, all in one round trip."""
        try:
            return self._backend.ask(lambda client: _ask(client, order))
        except AwayError:
            return Visit(decision=self._charge_locally(order.buckets) if order.buckets else None, values=None)

    def _charge_locally(self, buckets: Sequence[Bucket]) -> Decision:
        divisor = settings.RATE_LIMIT_LOCAL_DIVISOR
        shares = [replace(bucket, policy=bucket.policy.share(divisor)) for bucket in buckets]
        return replace(self._local.charge(shares, now_us=time.time_ns() // 1000), degraded=True)


def _ask(client: Redis, order: Order) -> Visit:
    buckets = order.buckets
    replies = exchange(client, order.commands, replies=order.replies)
    if buckets and isinstance(replies[-1], NoScriptError):
        replies[-1:] = exchange(client, packed([("EVAL", SCRIPT, *_arguments(buckets))]), replies=1)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    values = replies[: len(order.reading)]
    return Visit(decision=_decision(buckets, replies[-1]) if buckets else None, values=values)


def _decision(buckets: Sequence[Bucket], reply: Any) -> Decision:
    admitted, now_us, *units = reply
    states = [BucketState(bucket=bucket, units=left) for bucket, left in zip(buckets, units, strict=True)]
    return Decision(admitted=admitted == 1, now_us=now_us, states=states)


def _arguments(buckets: Sequence[Bucket]) -> list[Any]:
    keys: list[Any] = [bucket.key for bucket in buckets]
    return [len(keys), *keys] + [part for bucket in buckets for part in _of_bucket(bucket)]


def _of_bucket(bucket: Bucket) -> tuple[int, int, int, int]:
    policy = bucket.policy
    expiry_ms = (policy.seconds_for(policy.capacity_units) + 1) * 1000
    return policy.capacity_units, policy.units_per_us, bucket.cost_units, expiry_ms


limiter = Limiter(backend)
