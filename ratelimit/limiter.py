"""One atomic charge per request: by a script in Redis, or by this process while Redis is away."""

import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha1
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import NoScriptError, RedisError

from ratelimit.breaker import CircuitBreaker
from ratelimit.decision import Bucket, BucketState, Decision
from ratelimit.local import LocalBuckets
from ratelimit.metrics import BACKEND_ERRORS, DEGRADED

logger = structlog.get_logger(__name__)

SCRIPT = Path(__file__).with_name("bucket.lua").read_text(encoding="utf-8")
SCRIPT_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Limiter:
    """Charges buckets and never raises: without an answer from Redis in time the process decides by its own share.

    The time is the socket timeout of the cache, `RATE_LIMIT_TIMEOUT_MS`; a failure is followed by
    `RATE_LIMIT_RETRY_SECONDS` in which Redis is not asked.
    """

    def __init__(self, alias: str = "default") -> None:
        self._alias = alias
        self._breaker = CircuitBreaker(lambda: settings.RATE_LIMIT_RETRY_SECONDS)
        self._local = LocalBuckets()

    def charge(self, buckets: Sequence[Bucket]) -> Decision:
        """Charge all `buckets` or none of them; their keys must be in one hash slot, the principal's comes first."""
        if self._breaker.admits(time.monotonic()):
            try:
                decision = self._charge_redis(buckets)
            except (RedisError, OSError) as away:
                self._note_failure(away)
            else:
                self._note_success()
                return decision
        return self._charge_locally(buckets)

    def _charge_redis(self, buckets: Sequence[Bucket]) -> Decision:
        client = get_redis_connection(self._alias)
        arguments = [bucket.key for bucket in buckets] + [part for bucket in buckets for part in _arguments(bucket)]
        try:
            reply: Any = client.evalsha(SCRIPT_SHA, len(buckets), *arguments)
        except NoScriptError:
            reply = client.eval(SCRIPT, len(buckets), *arguments)
        admitted, now_us, *units = reply
        states = [BucketState(bucket=bucket, units=left) for bucket, left in zip(buckets, units, strict=True)]
        return Decision(admitted=admitted == 1, now_us=now_us, states=states)

    def _charge_locally(self, buckets: Sequence[Bucket]) -> Decision:
        divisor = settings.RATE_LIMIT_LOCAL_DIVISOR
        shares = [replace(bucket, policy=bucket.policy.share(divisor)) for bucket in buckets]
        return replace(self._local.charge(shares, now_us=time.time_ns() // 1000), degraded=True)

    def _note_failure(self, away: Exception) -> None:
        self._breaker.failed(time.monotonic())
        BACKEND_ERRORS.inc()
        DEGRADED.set(1)
        logger.warning("rate_limit_backend_away", error=type(away).__name__)
        # Connections that were opened before the server went would each cost another wait after its return.
        get_redis_connection(self._alias).connection_pool.disconnect(inuse_connections=False)

    def _note_success(self) -> None:
        if self._breaker.succeeded():
            DEGRADED.set(0)
            logger.info("rate_limit_backend_back")


def _arguments(bucket: Bucket) -> tuple[int, int, int, int]:
    policy = bucket.policy
    expiry_ms = (policy.seconds_for(policy.capacity_units) + 1) * 1000
    return policy.capacity_units, policy.units_per_us, bucket.cost_units, expiry_ms


limiter = Limiter()
