"""What a typed line means: the tree that the JSON form gives."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.text import read_line
from analytics.queries.filters.tree import Branch, Joint, Leaf
from analytics.queries.filters.values import Limits
from errors.exceptions import ApiError

LIMITS = Limits(depth=4, leaves=6, values=3, regex_chars=20, text_chars=200, now=datetime(2026, 3, 1, 12, tzinfo=UTC))


def leaf(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def both(operator, *filters):
    return {"operator": operator, "filters": list(filters)}


def plain(node):
    """Return what a tree compares, whatever the names in it."""
    if isinstance(node, Leaf):
        return (node.target.field.key, node.target.key, node.operator.key, node.value)
    return (node.joint, *map(plain, node.parts))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("model:gpt-4o", leaf("model", "eq", "gpt-4o")),
        ("model=gpt-4o", leaf("model", "eq", "gpt-4o")),
        ("model!=gpt-4o", leaf("model", "ne", "gpt-4o")),
        ("model:a,b", leaf("model", "in", ["a", "b"])),
        ("model:gpt-*", leaf("model", "starts_with", "gpt-")),
        ("model:*mini", leaf("model", "ends_with", "mini")),
        ("model:*4o*", leaf("model", "contains", "4o")),
        ("model:*", leaf("model", "exists", True)),
        ("model~^gpt", leaf("model", "regex", "^gpt")),
        ('model:"a b \\" c"', leaf("model", "eq", 'a b " c')),
        ('model:"gpt-*"', leaf("model", "eq", "gpt-*")),
        ('error_type:""', leaf("error_type", "eq", "")),
        ("cost>0.5", leaf("total_cost_usd", "gt", 0.5)),
        ("cost<=1", leaf("cost", "lte", 1)),
        ("duration_ms:5..10", leaf("duration_ms", "between", [5, 10])),
        ("ts>=now-1h", leaf("ts", "gte", "now-1h")),
        ("ts:2026-02-01..2026-02-02", leaf("ts", "between", ["2026-02-01", "2026-02-02"])),
        ("streamed:true", leaf("streamed", "eq", True)),
        ("status:error", leaf("status_code", "eq", "ERROR")),
        ("status:ok,unset", leaf("status_code", "in", ["OK", "UNSET"])),
        ("env:prod", leaf("environment", "eq", "prod")),
        ("tags:a", leaf("tags", "contains", "a")),
        ("tags:a,b", leaf("tags", "in", ["a", "b"])),
        ("input_text:refund", leaf("input_text", "contains", "refund")),
        ("content:refund", leaf("content", "search", "refund")),
        ('content:"two words"', leaf("content", "search", '"two words"')),
        ("attributes.shop.cart:3", leaf("attributes.shop.cart", "in", ["3", 3])),
        ("attributes.shop.open:true", leaf("attributes.shop.open", "in", ["true", True])),
        ('attributes.shop.cart:"3"', leaf("attributes.shop.cart", "eq", "3")),
        ("attributes.shop.cart>3", leaf("attributes.shop.cart", "gt", 3)),
        ("attributes.shop.cart:1..3", leaf("attributes.shop.cart", "between", [1, 3])),
        ("refund", leaf("content", "search", "refund")),
        ('refund "context length"', leaf("content", "search", 'refund "context length"')),
        ("-env:staging", both("NOT", leaf("environment", "eq", "staging"))),
        ("NOT env:staging", both("NOT", leaf("environment", "eq", "staging"))),
        ("-refund", both("NOT", leaf("content", "search", "refund"))),
        ("model:a cost>1", both("AND", leaf("model", "eq", "a"), leaf("cost", "gt", 1))),
        ("model:a AND cost>1", both("AND", leaf("model", "eq", "a"), leaf("cost", "gt", 1))),
        (
            "model:a cost>1 OR env:b",
            both("OR", both("AND", leaf("model", "eq", "a"), leaf("cost", "gt", 1)), leaf("environment", "eq", "b")),
        ),
        (
            "model:a (cost>1 OR env:b)",
            both("AND", leaf("model", "eq", "a"), both("OR", leaf("cost", "gt", 1), leaf("environment", "eq", "b"))),
        ),
        (
            'model:gpt-4o cost>0.5 -env:staging "context length"',
            both(
                "AND",
                leaf("model", "eq", "gpt-4o"),
                leaf("cost", "gt", 0.5),
                both("NOT", leaf("environment", "eq", "staging")),
                leaf("content", "search", '"context length"'),
            ),
        ),
        ("-(model:a OR model:b)", both("NOT", both("OR", leaf("model", "eq", "a"), leaf("model", "eq", "b")))),
    ],
)
def test_a_line_means_what_its_json_form_says(line, expected):
    assert plain(read_line(line, limits=LIMITS)) == plain(read_filter(expected, limits=LIMITS))


def test_an_empty_line_is_no_filter():
    assert read_line("  ", limits=LIMITS) is None


@pytest.mark.parametrize(
    ("line", "place", "allowed"),
    [
        ("model:a modle:red", 9, "did you mean model?"),
        ("cost:abc", 1, "a number"),
        ("model:a cost~1", 9, "eq, ne, gt"),
        ("ts>yesterday", 1, "RFC 3339"),
        ("streamed:maybe", 1, "true or false"),
        ("model:", 1, "a value directly after :"),
        ("model:a )", 9, "a term"),
        ("(model:a", 1, "a ) for this ("),
        ("()", 1, "a ) for this ("),
        ("OR model:a", 1, "a term before OR"),
        ("model:a OR", 9, "a term after OR"),
        ("NOT", 1, "a term after NOT"),
        ('model:a "open', 9, 'a closing "'),
        ('model:"open', 7, 'a closing "'),
        ("duration_ms:9..5", 1, "the lower first"),
        ("attributes.x>abc", 1, "a number"),
    ],
)
def test_an_error_points_at_the_token_and_says_what_is_allowed(line, place, allowed):
    with pytest.raises(ApiError) as raised:
        read_line(line, limits=LIMITS)
    error = raised.value
    assert (error.spec.code, error.field, f"At character {place}," in error.details, allowed in error.details) == (
        1213,
        "q",
        True,
        True,
    ), error.details


@pytest.mark.parametrize(
    "line", ["((((model:a))))", "a:b " * 0 + "model:a " * 7, "model:a,b,c,d", "model~" + "x" * 21, "-" * 6 + "model:a"]
)
def test_a_line_has_the_limits_of_a_filter(line):
    with pytest.raises(ApiError) as raised:
        read_line(line, limits=LIMITS)
    assert raised.value.spec.code == 1205


@given(st.text(alphabet='ab:-"()<>=!~*.,\\ ORNT\n', max_size=40) | st.text(max_size=60))
def test_any_line_is_read_or_refused_with_a_place(line):
    refused = None
    try:
        read_line(line, limits=LIMITS)
    except ApiError as raised:
        refused = raised
    assert refused is None or (refused.spec.code in {1205, 1213} and refused.field.startswith("q"))


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
