"""The limiters that are compared, each as a function that decides on one request of a key. Runs in their environments.

`python contestants.py NAME WHAT REDIS_URL COUNT` prints one JSON object: what was asked for, of one of them.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import version
from threading import Barrier
from types import SimpleNamespace
from typing import Any

Decide = Callable[[str], bool]
TIMEOUT_SECONDS = 5


def _django(redis_url: str) -> None:
    options = {"SOCKET_CONNECT_TIMEOUT": TIMEOUT_SECONDS, "SOCKET_TIMEOUT": TIMEOUT_SECONDS}
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis_url, "OPTIONS": options}
    import_module("django.conf").settings.configure(
        CACHES={"default": cache}, RATE_LIMIT_RETRY_SECONDS=1, RATE_LIMIT_LOCAL_DIVISOR=4, USE_TZ=True
    )
    import_module("django").setup()


def own(redis_url: str, limit: int) -> Decide:
    _django(redis_url)
    bucket, policies = import_module("ratelimit.decision").Bucket, import_module("ratelimit.policies")
    limiter = import_module("ratelimit.limiter").Limiter()
    policy = policies.Policy(capacity=limit, units_per_us=1)  # a token a minute comes back

    def decide(key: str) -> bool:
        admitted: bool = limiter.charge([bucket(key=f"own:{key}", policy=policy, cost=1, name="own")]).admitted
        return admitted

    return decide


def rest_framework(redis_url: str, limit: int) -> Decide:
    _django(redis_url)
    base: Any = import_module("rest_framework.throttling").SimpleRateThrottle
    members = {"rate": f"{limit}/hour", "get_cache_key": lambda _self, request, _view: f"drf:{request.key}"}
    throttle: Any = type("Throttle", (base,), members)
    # One is made for each request, as views do.
    return lambda key: bool(throttle().allow_request(SimpleNamespace(key=key), None))


def django_ratelimit(redis_url: str, limit: int) -> Decide:
    _django(redis_url)
    is_ratelimited = import_module("django_ratelimit.core").is_ratelimited
    of = {"group": "all", "key": lambda _group, request: request.key, "rate": f"{limit}/h", "increment": True}
    return lambda key: not is_ratelimited(SimpleNamespace(method="GET", key=key), **of)


def limits(redis_url: str, limit: int) -> Decide:
    given = redis_url.replace("unix://", "redis+unix://")
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    store = import_module("limits.storage").RedisStorage(given, **timeouts)
    limiter = import_module("limits.strategies").MovingWindowRateLimiter(store)
    item = import_module("limits").RateLimitItemPerHour(limit)
    return lambda key: bool(limiter.hit(item, key))


def throttled(redis_url: str, limit: int) -> Decide:
    package = import_module("throttled")
    options = {"SOCKET_TIMEOUT": TIMEOUT_SECONDS, "SOCKET_CONNECT_TIMEOUT": TIMEOUT_SECONDS}
    throttle = package.Throttled(
        using=package.RateLimiterType.TOKEN_BUCKET.value,
        quota=package.rate_limiter.per_hour(limit, burst=limit),
        store=package.store.RedisStore(server=redis_url, options=options),
    )
    return lambda key: not throttle.limit(f"throttled:{key}").limited


CONTESTANTS: dict[str, Callable[[str, int], Decide]] = {
    "own": own,
    "rest_framework": rest_framework,
    "django_ratelimit": django_ratelimit,
    "limits": limits,
    "throttled": throttled,
}
PACKAGES = {
    "rest_framework": "djangorestframework",
    "django_ratelimit": "django-ratelimit",
    "limits": "limits",
    "throttled": "throttled-py",
}


def speed(name: str, redis_url: str, count: int) -> dict[str, Any]:
    """Return decisions a second of one process, one after the other, over keys whose limit is never reached."""
    decide = CONTESTANTS[name](redis_url, 1_000_000)
    for number in range(50):
        decide(f"warm{number % 10}")
    begun = time.perf_counter()
    for number in range(count):
        decide(f"speed{number % 10}")
    return {"per_second": count / (time.perf_counter() - begun)}


def exactness(name: str, redis_url: str, count: int) -> dict[str, Any]:
    """Let 16 threads of this process ask at once for one key; return how many were admitted."""
    decide, together = CONTESTANTS[name](redis_url, 100), Barrier(16)
    decide("before")  # connections and scripts are there

    def ask(_number: int) -> int:
        together.wait()
        return sum(decide("shared") for _ in range(count))

    with ThreadPoolExecutor(16) as pool:
        return {"admitted": sum(pool.map(ask, range(16)))}


def without(name: str, redis_url: str, count: int) -> dict[str, Any]:
    """Ask while nothing listens at the address; return what came of it and how long a decision took."""
    decide, outcomes = CONTESTANTS[name](redis_url, 100), []
    begun = time.perf_counter()
    for _ in range(count):
        try:
            outcomes.append("admitted" if decide("gone") else "refused")
        except Exception as problem:  # noqa: BLE001  whatever reaches the caller is what is asked for
            outcomes.append(f"raises {type(problem).__name__}")
    found = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    return {"outcomes": found, "ms": (time.perf_counter() - begun) / count * 1000}


if __name__ == "__main__":
    asked, what, url, number = sys.argv[1:]
    told = {"speed": speed, "exactness": exactness, "without": without}[what](asked, url, int(number))
    package = PACKAGES.get(asked)
    told["version"] = version(package) if package else "this checkout"
    sys.stdout.write(json.dumps(told) + os.linesep)
