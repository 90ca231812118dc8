"""What a charge asked for and what came of it, and the headers that say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ratelimit.policies import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One bucket of a charge: where it is kept, its policy, the tokens asked of it, its name in the headers."""

    key: str
    policy: Policy
    cost: int
    name: str

    @property
    def cost_units(self) -> int:
        return self.cost * self.policy.token_units


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketState:
    """A bucket and the units in it once the charge was decided."""

    bucket: Bucket
    units: int

    @property
    def tokens(self) -> int:
        """Whole tokens left."""
        return self.units // self.bucket.policy.token_units

    @property
    def further_requests(self) -> int:
        """Requests of the same cost that could follow at once."""
        return self.units // self.bucket.cost_units

    @property
    def missing_units(self) -> int:
        """Units until the bucket is full."""
        return self.bucket.policy.capacity_units - self.units

    @property
    def seconds_until_full(self) -> int:
        return self.bucket.policy.seconds_for(self.missing_units)

    @property
    def seconds_until_enough(self) -> int:
        """Whole seconds, rounded up, until the bucket can pay; 0 when it can."""
        return max(0, self.bucket.policy.seconds_for(self.bucket.cost_units - self.units))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of a charge on one or more buckets, the principal's first; `now_us` is the deciding clock's epoch."""

    admitted: bool
    now_us: int
    states: Sequence[BucketState]
    degraded: bool = False

    @property
    def refusing(self) -> list[BucketState]:
        """The buckets that cannot pay; none when admitted."""
        return [] if self.admitted else [state for state in self.states if state.units < state.bucket.cost_units]

    @property
    def tightest(self) -> BucketState:
        """The bucket that allows the fewest further requests; of equals the first."""
        return self.states[0] if len(self.states) == 1 else min(self.states, key=lambda state: state.further_requests)

    @property
    def retry_after(self) -> int:
        """Seconds until every refusing bucket can pay, at least 1."""
        return max([1, *(state.seconds_until_enough for state in self.refusing)])

    def headers(self) -> dict[str, str]:
        """Return the headers of a limited route's reply; `Retry-After` belongs to the refusal and is not among them."""
        tightest = self.tightest
        rate = tightest.bucket.policy.units_per_us
        reset = -(-(self.now_us * rate + tightest.missing_units) // (rate * 1_000_000))
        headers = {
            "X-RateLimit-Limit": str(tightest.bucket.policy.capacity),
            "X-RateLimit-Remaining": str(tightest.tokens),
            "X-RateLimit-Reset": str(reset),
            "RateLimit-Policy": ", ".join([_policy_item(one.bucket.name, one.bucket.policy) for one in self.states]),
            "RateLimit": ", ".join(map(_state_item, self.states)),
        }
        return headers | ({"X-RateLimit-Degraded": "true"} if self.degraded else {})


@lru_cache(maxsize=1024)
def _policy_item(name: str, policy: Policy) -> str:
    return f'"{name}";q={policy.capacity};w={policy.seconds_for(policy.capacity_units)}'


def _state_item(state: BucketState) -> str:
    return f'"{state.bucket.name}";r={state.tokens};t={state.seconds_until_full}'
