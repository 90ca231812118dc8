"""What a typed line means: the tree that the JSON form gives; and where one that means nothing is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.grammar import FORMS
from analytics.queries.filters.text import read_line
from errors.exceptions import ApiError
from tests.analytics.queries.filters.forms import LIMITS, both, leaf, plain


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
        ("attributes.x=3", both("OR", leaf("attributes.x", "eq", "3"), leaf("attributes.x", "eq", 3))),
        ("attributes.x=true", both("OR", leaf("attributes.x", "eq", "true"), leaf("attributes.x", "eq", True))),
        ("attributes.x!=3", both("AND", leaf("attributes.x", "ne", "3"), leaf("attributes.x", "ne", 3))),
        ("attributes.x=abc", leaf("attributes.x", "eq", "abc")),
        ('attributes.x!="3"', leaf("attributes.x", "ne", "3")),
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
        ("NOT(model:a)", both("NOT", leaf("model", "eq", "a"))),
        ("NOT -model:a", both("NOT", both("NOT", leaf("model", "eq", "a")))),
        ("--model:a", both("NOT", both("NOT", leaf("model", "eq", "a")))),
        ("-model:*", both("NOT", leaf("model", "exists", True))),
        ("a OR NOT b", both("OR", leaf("content", "search", "a"), both("NOT", leaf("content", "search", "b")))),
        ("a AND NOT b", both("AND", both("NOT", leaf("content", "search", "b")), leaf("content", "search", "a"))),
        ("a AND b", leaf("content", "search", "a b")),
        ("or and not", leaf("content", "search", "or and not")),
        ("ORDER ANDY NOTE", leaf("content", "search", "ORDER ANDY NOTE")),
        ("état-major 日本語", leaf("content", "search", "état-major 日本語")),
        ("user_id:'x", leaf("user_id", "eq", "'x")),
        (
            "user:jane session:s1 service:web",
            both(
                "AND", leaf("user_id", "eq", "jane"), leaf("session_id", "eq", "s1"), leaf("service_name", "eq", "web")
            ),
        ),
        ('model:"a b","c,d"', leaf("model", "in", ["a b", "c,d"])),
        ('model:"a b",c', leaf("model", "in", ["a b", "c"])),
        ("model:gpt-*,o1", both("OR", leaf("model", "starts_with", "gpt-"), leaf("model", "eq", "o1"))),
        ('model:gpt-*,"*"', both("OR", leaf("model", "starts_with", "gpt-"), leaf("model", "eq", "*"))),
        ("cost:1..2,5", both("OR", leaf("cost", "between", [1, 2]), leaf("cost", "eq", 5))),
        ("cost:1,2", leaf("cost", "in", [1, 2])),
        ("cost:-1..1e2", leaf("cost", "between", [-1, 100])),
        ('tags:"a b",c', leaf("tags", "in", ["a b", "c"])),
        ('tags:"a*"', leaf("tags", "contains", "a*")),
        ("model=a,b", leaf("model", "eq", "a,b")),
        ('model!="a b"', leaf("model", "ne", "a b")),
        ('model~"^gpt (4|5)$"', leaf("model", "regex", "^gpt (4|5)$")),
        ("model~=4o", leaf("model", "regex", "=4o")),
        ('model:"=4o"', leaf("model", "eq", "=4o")),
        ('cost>"0.5"', leaf("cost", "gt", 0.5)),
        ("ts>=2026-03-01T10:00:00Z", leaf("ts", "gte", "2026-03-01T10:00:00Z")),
        ("error_type:a:b", leaf("error_type", "eq", "a:b")),
        ("error_message:timeout*", leaf("error_message", "starts_with", "timeout")),
        ("input_text:a,b", leaf("input_text", "contains", "a,b")),
        ("trace_id:4bf9*", leaf("trace_id", "starts_with", "4bf9")),
        ("attributes.a,b:1", leaf("attributes.a,b", "in", ["1", 1])),
        ('attributes.x:1,"1"', leaf("attributes.x", "in", ["1", 1, "1"])),
        ("attributes.x:a*", leaf("attributes.x", "starts_with", "a")),
        ("attributes.x:*", leaf("attributes.x", "exists", True)),
        ("metadata.x:a", leaf("attributes.x", "in", ["a"])),
        ("attributes:*", leaf("attributes", "exists", True)),
        ("input_messages:*", leaf("input_messages", "exists", True)),
        ('content:"a \\" b"', leaf("content", "search", '"a   b"')),
    ],
)
def test_a_line_means_what_its_json_form_says(line, expected):
    assert plain(read_line(line, limits=LIMITS)) == plain(read_filter(expected, limits=LIMITS))


@pytest.mark.parametrize("line", FORMS)
def test_a_form_of_the_reference_page_means_the_json_beside_it(line):
    limits = replace(LIMITS, depth=10)
    assert plain(read_line(line, limits=limits)) == plain(read_filter(FORMS[line], limits=limits))


def test_an_empty_line_is_no_filter():
    assert read_line("  ", limits=LIMITS) is None


@pytest.mark.parametrize(
    ("line", "place", "allowed"),
    [
        ("model:a modle:red", 9, "did you mean model?"),
        ("cost:abc", 1, "a number"),
        ("model:a cost~1", 9, "after cost (money): : = != > >= < <="),
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
        ('attributes.x>="3"', 1, "a number"),
        ("AND", 1, "a term before AND"),
        ("AND model:a", 1, "a term before AND"),
        ("model:a AND", 9, "a term after AND"),
        ("a AND AND b", 7, "a term before AND"),
        ("a AND OR b", 3, "a term after AND"),
        ("a OR AND b", 6, "a term before AND"),
        ("a OR OR b", 3, "a term after OR"),
        ("a (AND b)", 4, "a term before AND"),
        ("(a AND) b", 4, "a term after AND"),
        ("NOT AND a", 1, "a term after NOT"),
        ("NOT OR a", 1, "a term after NOT"),
        ("(NOT)", 2, "a term after NOT"),
        ("a -AND b", 3, "a term after -"),
        ("a - env:b", 3, "a term directly after -"),
        ("a -", 3, "a term directly after -"),
        ("(a -)", 4, "a term directly after -"),
        ("(a OR b", 1, "a ) for this ("),
        ("a) b", 2, "there is no ( for this )"),
        ("(a)b", 4, "a space or ) after a term"),
        ("(a)(b)", 4, "a space or ) after a term"),
        ("foo(bar)", 4, "stands in double quotes"),
        ("model:(a)", 7, "stands in double quotes"),
        ("model~^(a|b)", 8, "stands in double quotes"),
        ('foo"bar"', 4, "a space or ) after a term"),
        ('"foo"bar', 6, "a space or ) after a term"),
        ('OR"x"', 3, "a space or ) after a term"),
        ('model:a"b"', 1, "double quotes around the whole"),
        ('model:"a"b', 1, "double quotes around the whole"),
        ('input_text:"a","b"', 1, "double quotes around the whole of one value"),
        ('model="a","b"', 1, "double quotes around the whole of one value"),
        ("model:,", 1, "a value before and after each comma"),
        ("model:a,", 1, "a value before and after each comma"),
        ("model:a,,b", 1, "a value before and after each comma"),
        ("model:,a", 1, "a value before and after each comma"),
        ("model:a,*", 1, "* for any value stands alone"),
        ("model: a", 1, "a value directly after :"),
        ("model :a", 7, "a name directly before :"),
        ("cost > 5", 6, "a name directly before >"),
        ("cost != 5", 6, "a name directly before !="),
        ("cost:>5", 1, "in double quotes if it begins with >"),
        ("model==a", 1, "in double quotes if it begins with ="),
        ("model::a", 1, "in double quotes if it begins with :"),
        ("cost=>5", 1, "in double quotes if it begins with >"),
        ("model:a*b", 1, "* at the start, at the end or at both"),
        ("model:**", 1, "* at the start, at the end or at both"),
        ("model:*a*b*", 1, "* at the start, at the end or at both"),
        ("tags:a*", 1, "no * but alone"),
        ("trace_id:*ab*", 1, "one * only"),
        ("cost:1*", 1, "a number"),
        ("cost:1..", 1, "a number"),
        ("cost:1..x", 1, "a number"),
        ("cost:1,x", 1, "a number"),
        ("attributes.x:a..b", 1, "two numbers"),
        ("tags=a", 1, "after tags (list): :"),
        ("tools:x", 1, "after tools (json): :*"),
        ("content~x", 1, "after content (content): :"),
        ("content:-x", 1, "- before the name"),
        ("attributes.:x", 1, "did you mean attributes.<key>?"),
        ("atributes.x:1", 1, "did you mean attributes.<key>?"),
        ("MODEL:x", 1, "did you mean model?"),
        ("Modle:x", 1, "did you mean model?"),
        ("events:*", 1, "allowed"),
        ("http://x.org/a", 1, "put it in double quotes"),
        ('model~"[', 7, 'a closing "'),
        ('"a\\"', 1, 'a closing "'),
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
    ("line", "place"),
    [
        ("((((model:a))))", 4),
        ("model:a -(-(-(model:b)))", 12),
        ("------model:a", 4),
        ("a NOT NOT NOT NOT b", 15),
        ("model:a " * 7, 49),
        ("model:a*,b*,c*,d*,e*,f*,g*", 1),
        ("cost>1 model:a,b,c,d", 8),
        ("cost>1 model~" + "x" * 21, 8),
        ("cost>1 model:" + "x" * 201, 8),
    ],
)
def test_a_line_has_the_limits_of_a_filter_and_says_where_it_is_beyond(line, place):
    with pytest.raises(ApiError) as raised:
        read_line(line, limits=LIMITS)
    error = raised.value
    assert (error.spec.code, error.field, f"At character {place}," in error.details) == (1205, "q", True), error.details


@pytest.mark.parametrize("line", ["(((model:a)))", "---model:a", "model:a " * 6, "model:a,b,c"])
def test_a_line_at_its_limits_is_read(line):
    read_line(line, limits=LIMITS)


def test_a_line_is_no_deeper_than_its_json_form_may_be():
    """Terms beside each other are a level, as they are in JSON."""
    deep = "(model:a OR -(model:b -(model:c)))"
    with pytest.raises(ApiError) as raised:
        read_line(deep, limits=LIMITS)
    assert raised.value.spec.code == 1205


@given(st.text(alphabet='ab:-"()<>=!~*.,\\ ORNT\n', max_size=40) | st.text(max_size=60))
def test_any_line_is_read_or_refused_with_a_place(line):
    refused = None
    try:
        read_line(line, limits=LIMITS)
    except ApiError as raised:
        refused = raised
    assert refused is None or (refused.spec.code in {1205, 1213} and refused.field.startswith("q"))
