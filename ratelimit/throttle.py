"""Which buckets a request pays from, and the refusal when one of them is empty."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, cast

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from errors import catalog
from errors.exceptions import ApiError
from ratelimit.address import client_address, network_key
from ratelimit.decision import Bucket, Decision
from ratelimit.limiter import Order, Values, limiter
from ratelimit.metrics import DEGRADED_DECISIONS, EXCEEDED, remaining
from ratelimit.policies import ANONYMOUS, CLASSES, INGEST, TIERS, Tier, policy_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time it imports this module

KEY = "llmo:rl:{{{principal}}}:{bucket}"


class LimitedCaller(Protocol):
    """What the limiter asks of `request.user`: whose bucket it is and how large."""

    @property
    def rate_key(self) -> str: ...

    @property
    def rate_tier(self) -> str: ...


class LimitedView(Protocol):
    """How a view is paid for; `ratelimit.views.LimitedAPIView` has the defaults."""

    rate_cost: int
    rate_class: str | None
    rate_bucket: Literal["principal", "ingest"] | None

    def keys_to_read(self, request: Request) -> Sequence[str]: ...

    def caller_was_renewed(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a request has paid so far: the tier, the route class, the buckets, and the last decision on them."""

    tier: Tier
    route_class: str | None
    buckets: Sequence[Bucket]
    decision: Decision


class TokenBucketThrottle(BaseThrottle):
    """Charges the buckets of a limited view; raises 429/1500, 429/1502 for the class `auth`. Others are not limited."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if hasattr(view, "rate_bucket"):
            charge_request(request, cast("LimitedView", view))
        return True


def charge_of(request: Request | HttpRequest) -> Charge | None:
    """Return what the request has paid, None before it paid or when nothing limits it."""
    return getattr(request, "rate_charge", None)


def read_ahead(request: Request | HttpRequest) -> Mapping[str, bytes | None] | None:
    """Return the values that were read in Redis together with the charge; `None` when Redis was away."""
    values: Mapping[str, bytes | None] | None = getattr(request, "read_ahead", None)
    return values


def charge_request(request: Request, view: LimitedView) -> None:
    """Charge the caller's bucket and that of the route's class, both or neither, and read what the view will need."""
    tier, principal = _payer(request, view)
    buckets = []
    if settings.RATE_LIMIT_ENABLED:
        if view.rate_bucket is not None and (_caller(request) or view.rate_class is None):
            buckets.append(_tier_bucket(tier, principal, view.rate_cost))
        if view.rate_class is not None:
            buckets.append(_class_bucket(view.rate_class, principal))
    lease = getattr(_caller(request), "lease", None)
    reading = [*view.keys_to_read(request), *([lease.key] if lease else [])]
    if not buckets and not reading:
        return
    paid = charge_of(request)
    # What was asked a moment ago has been paid for before it came here.
    if paid is not None and paid.buckets == buckets:
        decision: Decision | None = paid.decision
    else:
        decision = visit(request, tier, view.rate_class, Order.of(buckets, reading))
    if lease is not None and not lease.is_confirmed_by((read_ahead(request) or {}).get(lease.key)):
        # What was remembered of the caller may be out of date: it is looked up before anything else is said.
        request.user = lease.renew(request)
        view.caller_was_renewed()
    if decision is not None and not decision.admitted:
        raise _refusal(decision, view.rate_class)


def charge_address(request: Request) -> None:
    """Charge the anonymous bucket of the request's address for a credential that failed."""
    if settings.RATE_LIMIT_ENABLED:
        _charge(request, ANONYMOUS, [_tier_bucket(ANONYMOUS, _address(request), 1)])


def charge_more(request: Request, cost: int) -> None:
    """Charge `cost` further tokens to the bucket that paid for the request; raise 429/1500 when it has too few."""
    charge = charge_of(request)
    if charge is not None and cost > 0:
        _charge(request, charge.tier, [replace(charge.buckets[0], cost=cost)])


def _caller(request: Request) -> LimitedCaller | None:
    return cast("LimitedCaller | None", request.user)


def _payer(request: Request, view: LimitedView) -> tuple[Tier, str]:
    caller = _caller(request)
    if caller is None or caller.rate_tier == ANONYMOUS.name:
        return ANONYMOUS, _address(request)
    return INGEST if view.rate_bucket == "ingest" else TIERS[caller.rate_tier], caller.rate_key


def _address(request: Request) -> str:
    return f"address:{network_key(client_address(request))}"


def _tier_bucket(tier: Tier, principal: str, cost: int) -> Bucket:
    # A principal's reading bucket stays the same one when its tier changes; the ingest bucket is another.
    kept_as = "ingest" if tier is INGEST else "principal"
    key = KEY.format(principal=principal, bucket=kept_as)
    return Bucket(key=key, policy=policy_of(tier.name), cost=cost, name=tier.bucket)


def _class_bucket(name: str, principal: str) -> Bucket:
    key = KEY.format(principal=principal, bucket=f"class:{name}")
    return Bucket(key=key, policy=policy_of(name), cost=1, name=name)


def _charge(request: Request, tier: Tier, buckets: Sequence[Bucket]) -> None:
    decision = visit(request, tier, None, Order.of(buckets))
    if decision is not None and not decision.admitted:
        raise _refusal(decision, None)


def visit(request: Request | HttpRequest, tier: Tier, route_class: str | None, order: Order) -> Decision | None:
    """Charge the buckets of an order and read its keys; what came of it is noted at the request."""
    made = limiter.visit(order)
    noted = vars(request)
    if order.reading:
        noted["read_ahead"] = _by_key(order.reading, made.values)
    decision = made.decision
    if decision is None:
        return None
    noted["rate_charge"] = Charge(tier=tier, route_class=route_class, buckets=order.buckets, decision=decision)
    remaining.observe(tier.name, decision.tightest.tokens, time.monotonic())
    if decision.degraded:
        DEGRADED_DECISIONS.labels(tier=tier.name).inc()
    if not decision.admitted:
        EXCEEDED.labels(**{"tier": tier.name, "class": route_class or "none"}).inc()
    return decision


def _by_key(reading: Sequence[str], values: Values | None) -> Mapping[str, bytes | None] | None:
    return None if values is None else dict(zip(reading, values, strict=True))


def _refusal(decision: Decision, route_class: str | None) -> ApiError:
    names = [state.bucket.name for state in decision.refusing]
    spec = CLASSES[route_class].refusal if route_class in names else catalog.RATE_LIMIT_EXCEEDED
    return ApiError(spec, headers={"Retry-After": str(decision.retry_after)}, violated_policies=names)
