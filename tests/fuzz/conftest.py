"""Fuzzing of what strangers write. `OBSERVATORY_FUZZ_EXAMPLES=20000` makes it a long one."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("OBSERVATORY_FUZZ_EXAMPLES", "25"))
MANY = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def mostly(usual):
    """Draw what belongs there, and now and then something else."""
    return st.one_of(usual, usual, usual, ANYTHING)


def is_of_the_catalogue(reply, *statuses):
    """Return whether a reply is a success, or a refusal with one of `statuses` in the catalogue's envelope."""
    if reply.status_code < 400:
        return True
    told = reply.json()["error"]
    return reply.status_code in statuses and 1000 <= told["code"] < 1900


@pytest.fixture
def judge():
    return is_of_the_catalogue
