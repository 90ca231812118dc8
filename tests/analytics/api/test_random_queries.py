"""Whatever is sent, the answer is one or says what is wrong: never an error of ours."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import INTERVALS
from analytics.registry.measures import AGGREGATIONS, BY_KEY

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*BY_KEY, "latency", ""]) | st.text(max_size=8)
GROUPS = st.sampled_from([*DIMENSIONS, "attributes.x", "attributes.", "attributes.\x00", "colour"]) | st.text(
    max_size=8
)
TIMES = st.sampled_from(["now", "now-1d", "now-2d/d", "now-400d", "2026-01-01", "soon", ""])
WHOLE = st.sampled_from(["all", *INTERVALS, "2min"])
OPERATORS = st.sampled_from(["eq", "ne", "in", "not_in", "like", "gt", "lte"])


def mostly(usual):
    """Draw what belongs there, and now and then something else."""
    return st.one_of(usual, usual, usual, ANYTHING)


METRICS = st.fixed_dictionaries(
    {"metric": mostly(NAMES)},
    optional={"aggregation": mostly(st.sampled_from([*AGGREGATIONS, "mode"])), "alias": mostly(st.text(max_size=6))},
)
FILTERS = st.fixed_dictionaries(
    {
        "dimension": mostly(GROUPS),
        "operator": mostly(OPERATORS),
        "value": mostly(st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=3)),
    }
)
HAVING = st.fixed_dictionaries(
    {"metric": mostly(NAMES), "operator": mostly(OPERATORS), "value": mostly(st.floats(-1e6, 1e6) | st.integers())}
)
BODIES = st.fixed_dictionaries(
    {"metrics": mostly(st.lists(METRICS, max_size=3)), "start_time": mostly(TIMES), "end_time": mostly(TIMES)},
    optional={
        "interval": mostly(WHOLE),
        "group_by": mostly(st.lists(GROUPS, max_size=3)),
        "filters": mostly(st.lists(FILTERS, max_size=2)),
        "having": mostly(st.lists(HAVING, max_size=2)),
        "sort_by": mostly(st.fixed_dictionaries({"field": mostly(NAMES), "descending": mostly(st.booleans())})),
        "limit": mostly(st.integers(-1, 20)),
        "other": mostly(st.booleans()),
        "explain": mostly(st.booleans()),
    },
)
PARAMETERS = st.dictionaries(
    st.sampled_from(
        ["metrics", "group_by", "interval", "aggregation", "fill", "from", "to", "fields", "explain", "colour"]
    ),
    st.sampled_from([*BY_KEY, *INTERVALS, *AGGREGATIONS, "tag", "now-1d", "now", "true", "zero", "data", ""])
    | st.text(max_size=8),
    max_size=6,
)
SEVERAL = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def judge(reply):
    assert reply.status_code in {200, 400, 403}, reply.content
    if reply.status_code != 200:
        told = reply.json()["error"]
        assert told["code"] in {1101, 1200, 1201, 1202, 1203, 1204, 1205}
        assert told["field"]


@SEVERAL
@given(body=BODIES)
def test_any_body_is_answered_or_refused(api, body):
    judge(api.post("/api/v1/metrics/query", json.dumps(body), content_type="application/json"))


@SEVERAL
@given(query=PARAMETERS)
def test_any_parameters_are_answered_or_refused(api, query):
    judge(api.get("/api/v1/metrics", query))
