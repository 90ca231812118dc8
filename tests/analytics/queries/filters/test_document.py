"""What a filter as JSON means, and how one that cannot be is refused at its path."""

import pytest

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.tree import Branch, Joint
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
