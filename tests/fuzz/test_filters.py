"""Filters and lines of the query language, as far as the database: an answer or a refusal that names the place."""

from hypothesis import given
from hypothesis import strategies as st

from analytics.registry.fields import BY_KEY as FIELDS
from analytics.registry.operators import BY_KEY as OPERATORS
from tests.fuzz.conftest import ANYTHING, MANY, mostly

SEARCH, LIST = "/api/v1/traces/search", "/api/v1/traces"
NAMES = st.sampled_from([*FIELDS, "model", "cost", "ts", "attributes.x", "metadata.y", "attributes.", "no_such"])
TEXTS = st.sampled_from(
    ["", "gpt-4o", "%", "_", "\\", "(a+)+$", "[", "now", "2026-03-01", "1e999", "\ufffe", "ab" * 16]
)
NUMBERS = st.sampled_from([0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 0.1, 1e308, 5e-324, 10**40])
VALUES = TEXTS | NUMBERS | st.booleans() | st.text(max_size=10) | st.lists(TEXTS | NUMBERS, max_size=3)
LEAVES = st.fixed_dictionaries(
    {"field": mostly(NAMES), "operator": mostly(st.sampled_from(list(OPERATORS))), "value": mostly(VALUES)}
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.fixed_dictionaries(
            {"operator": st.sampled_from(["and", "or", "not"]), "filters": st.lists(inner, min_size=1, max_size=3)}
        )
        | ANYTHING
    ),
    max_leaves=8,
)
TERMS = st.builds("{}{}{}".format, NAMES, st.sampled_from([":", ">", "<", ">=", "<=", "~", "!~", "=", "!:"]), TEXTS)
LINES = st.lists(TERMS | st.sampled_from(["AND", "OR", "NOT", "(", ")", "-", '"', "words"]), max_size=6).map(" ".join)


@MANY
@given(body=st.fixed_dictionaries({"filter": mostly(TREES)}, optional={"q": LINES, "limit": mostly(st.just(5))}))
def test_any_filter_is_answered_or_refused(api, judge, body):
    reply = api.post(SEARCH, body, content_type="application/json")

    assert judge(reply, 400), (reply.status_code, reply.content)


@MANY
@given(line=LINES | st.text(max_size=40))
def test_any_line_is_answered_or_refused(api, judge, line):
    reply = api.get(LIST, {"q": line})

    assert judge(reply, 400), (reply.status_code, reply.content)
