"""What a filter as JSON means, and how one that cannot be is refused at its path."""

import pytest

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.tree import Branch, Joint, target_named
from analytics.registry.operators import OPERATORS, Operand
from errors.exceptions import ApiError
from tests.analytics.queries.filters.forms import LIMITS, both, leaf


@pytest.mark.parametrize(
    ("document", "field", "allowed"),
    [
        ([], "filter", "an object"),
        ({}, "filter.field", "a name"),
        (leaf("modle", "eq", "x"), "filter.field", "did you mean model?"),
        (leaf("events", "exists", True), "filter.field", "allowed"),
        (leaf("model", "gt", 1), "filter.operator", "eq, ne, in, not_in, contains"),
        (leaf("model", "eq", 1), "filter.value", "a text"),
        (leaf("model", "eq", None), "filter.value", "exists"),
        (leaf("model", "in", "x"), "filter.value", "a list"),
        (leaf("model", "eq", "a\0b"), "filter.value", "U+0000"),
        (leaf("cost", "eq", "1"), "filter.value", "a number"),
        (leaf("cost", "eq", True), "filter.value", "a number"),
        (leaf("cost", "between", [1]), "filter.value", "two values"),
        (leaf("cost", "between", [2, 1]), "filter.value", "the lower first"),
        (leaf("streamed", "eq", "true"), "filter.value", "true or false"),
        (leaf("model", "exists", "yes"), "filter.value", "true or false"),
        (leaf("ts", "gt", "yesterday"), "filter.value", "RFC 3339"),
        (leaf("model", "search", "x"), "filter.operator", "eq"),
        (leaf("error_message", "search", "x"), "filter.operator", "contains"),
        (leaf("content", "eq", "x"), "filter.operator", "search"),
        (leaf("attributes.x", "gt", "a"), "filter.value", "a number"),
        (leaf("attributes.x", "eq", {}), "filter.value", "a text, a number"),
        (leaf("input_messages", "contains", "x"), "filter.operator", "exists"),
        ({**leaf("model", "eq", "x"), "extra": 1}, "filter.extra", "field, operator, value"),
        ({"field": "model", "operator": "eq"}, "filter.value", "a value"),
        ({"operator": "XOR", "filters": [leaf("model", "eq", "x")]}, "filter.operator", "AND, OR, NOT"),
        (both("AND"), "filter.filters", "at least one"),
        (both("NOT", leaf("model", "eq", "x"), leaf("model", "eq", "y")), "filter.filters", "exactly one"),
        (both("AND", leaf("model", "eq", "x"), leaf("model", "eq", 2)), "filter.filters[1].value", "a text"),
    ],
)
def test_an_expression_is_refused_at_its_path(document, field, allowed):
    with pytest.raises(ApiError) as raised:
        read_filter(document, limits=LIMITS)
    error = raised.value
    assert (error.spec.code, error.field, allowed in error.details) == (1213, field, True), error.details


@pytest.mark.parametrize(
    "document",
    [
        both("AND", both("AND", both("AND", both("AND", leaf("model", "eq", "x"))))),
        both("OR", *[leaf("model", "eq", "x")] * 7),
        leaf("model", "in", ["a", "b", "c", "d"]),
        leaf("model", "in", []),
        leaf("model", "regex", "x" * 21),
        leaf("model", "eq", "x" * 201),
    ],
    ids=["depth", "leaves", "values", "no value", "regex", "text"],
)
def test_an_expression_beyond_a_limit_is_refused(document):
    with pytest.raises(ApiError) as raised:
        read_filter(document, limits=LIMITS)
    assert raised.value.spec.code == 1205


@pytest.mark.parametrize("spelling", ["not_in", "NOT_IN", "notIn", "nin", "notin"])
def test_operators_are_spelled_freely(spelling):
    assert read_filter(leaf("model", spelling, ["x"]), limits=LIMITS).operator.key == "not_in"


def test_joints_are_read_in_any_case():
    assert read_filter(both("not", leaf("model", "eq", "x")), limits=LIMITS) == Branch(
        joint=Joint.NOT, parts=(read_filter(leaf("model", "eq", "x"), limits=LIMITS),)
    )


def refusal(document):
    """Return where and with what an expression is refused, `None` when it is read."""
    try:
        read_filter(document, limits=LIMITS)
    except ApiError as error:
        return error.spec.code, error.field, error.details
    return None


# A member of each kind, a value that it takes, and values that it does not.
KINDS = {
    "trace_id": ("ab", [1, True, {}, ["x"], 1.5]),
    "model": ("ab", [1, True, {}, ["x"], 1.5]),
    "error_message": ("ab", [1, True, {}, ["x"]]),
    "duration_ms": (5, ["5", True, {}, [5], float("inf"), float("nan")]),
    "tokens_per_second": (0.5, ["0.5", False, {}, [0.5]]),
    "cost": (0.5, ["0.5", True, {}, [0.5], "free"]),
    "ts": ("now-1h", [5, True, {}, "yesterday", "2026-13-01", "2026-02-30", ""]),
    "streamed": (True, ["true", 1, 0, {}, [True]]),
    "tags": ("ab", [1, True, {}, ["x"]]),
    "attributes.x": ("ab", [{}, ["x"], float("inf")]),
}


@pytest.mark.parametrize("name", [*KINDS, "input_text", "content", "input_messages", "attributes"])
def test_an_operator_that_does_not_serve_a_member_is_refused_with_those_that_do(name):
    known = {one.key for one in target_named(name).operators}
    allowed = ", ".join(one.key for one in OPERATORS if one.key in known)
    kind = target_named(name).type
    refused = {one.key: refusal(leaf(name, one.key, "x")) for one in OPERATORS if one.key not in known}
    expected = (1213, "filter.operator", f"Allowed here: allowed for {name} ({kind}): {allowed}")
    assert refused == dict.fromkeys(refused, expected)
    assert refusal(leaf(name, "resembles", "x")) == expected


@pytest.mark.parametrize("name", KINDS)
def test_a_value_of_another_type_is_refused_by_every_operator(name):
    good, wrong = KINDS[name]
    shapes = {
        Operand.ONE: lambda value: value,
        Operand.LIST: lambda value: [good, value],
        Operand.PAIR: lambda value: [value, value],
    }
    read = [
        (one.key, value)
        for one in target_named(name).operators
        for value in wrong
        if one.operand in shapes
        and (refusal(leaf(name, one.key, shapes[one.operand](value))) or ("", ""))[:2] != (1213, "filter.value")
    ]
    assert read == []


@pytest.mark.parametrize(
    ("operator", "value", "allowed"),
    [
        ("starts_with", 5, "a text"),
        ("regex", ["x"], "a text"),
        ("in", "x", "a list"),
        ("in", {"x": 1}, "a list"),
        ("exists", 1, "true or false"),
        ("exists", None, "exists"),
        ("eq", None, "exists"),
        ("contains", None, "exists"),
    ],
)
def test_a_value_of_another_shape_is_refused(operator, value, allowed):
    code, field, details = refusal(leaf("model", operator, value))
    assert (code, field, allowed in details) == (1213, "filter.value", True), details


@pytest.mark.parametrize("value", [5, [1], [1, 2, 3], "1..2", {"low": 1}, [2, 1], [None, 1]])
def test_a_range_is_two_values_the_lower_first(value):
    assert refusal(leaf("cost", "between", value))[:2] == (1213, "filter.value")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("modle", "model"),
        ("Model", "model"),
        ("LATENCY", "latency_ms"),
        ("total_cost", "total_cost_usd"),
        ("enviroment", "environment"),
        ("duration", "duration_ms"),
        ("statuscode", "status_code"),
        ("traceid", "trace_id"),
        ("attribute.shop.cart", "attributes.<key>"),
        ("resource_attribute.x", "resource_attributes.<key>"),
    ],
)
def test_an_unknown_field_is_answered_with_the_nearest(name, nearest):
    code, field, details = refusal(leaf(name, "eq", "x"))
    assert (code, field, f"did you mean {nearest}?" in details) == (1213, "filter.field", True), details


def nested(levels):
    document = leaf("model", "eq", "x")
    for _ in range(levels - 1):
        document = both("NOT", document)
    return document


@pytest.mark.parametrize(
    ("document", "fits"),
    [
        (nested(4), True),
        (nested(5), False),
        (both("AND", *[leaf("model", "eq", "x")] * 6), True),
        (both("AND", *[leaf("model", "eq", "x")] * 7), False),
        (both("AND", *[both("OR", *[leaf("model", "eq", "x")] * 3)] * 2), True),
        (both("AND", *[both("OR", *[leaf("model", "eq", "x")] * 4)] * 2), False),
        (leaf("model", "in", ["x"] * 3), True),
        (leaf("model", "in", ["x"] * 4), False),
        (leaf("model", "in", []), False),
        (leaf("model", "regex", "x" * 20), True),
        (leaf("model", "regex", "x" * 21), False),
        (leaf("model", "eq", "x" * 200), True),
        (leaf("model", "eq", "x" * 201), False),
        (leaf("model", "in", ["x" * 201]), False),
        (leaf("content", "search", "x" * 201), False),
    ],
)
def test_limits_are_the_last_that_fits(document, fits):
    assert (refusal(document) or (None,))[0] == (None if fits else 1205)
