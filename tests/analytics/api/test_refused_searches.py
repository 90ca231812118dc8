"""What cannot be asked is named: the parameter, the member, the place in a line; what takes too long is stopped."""

import random

import pytest
from django.db import connection

from analytics.queries import snapshots
from analytics.storage.searches import make_vectors
from tests.analytics.api.asking import LIST, SEARCH, STATS, error, leaf, names, talk


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"sort_by": "relevance"}, (400, 1202, "sort_by")),
        ({"q": "-refund", "sort_by": "relevance"}, (400, 1202, "sort_by")),
        ({"include": "highlights"}, (400, 1202, "include")),
        ({"include": "parents"}, (400, 1202, "include")),
        ({"sort_by": "input_text"}, (400, 1202, "sort_by")),
        ({"scope": "leaves"}, (400, 1202, "scope")),
        ({"min_cost": "-1"}, (400, 1200, "min_cost")),
        ({"min_cost": "nan"}, (400, 1203, "min_cost")),
        ({"min_tokens": "-1"}, (400, 1200, "min_tokens")),
        ({"min_duration": 1, "min_duration_ms": 1}, (400, 1202, "min_duration")),
        ({"search": "!!!"}, (400, 1213, "search")),
        ({"q": "colour:red"}, (400, 1213, "q")),
        ({"q": "model~["}, (400, 1213, "q")),
        ({"q": f"model~{'x' * 257}"}, (400, 1205, "q")),
        ({"q": "AND"}, (400, 1213, "q")),
        ({"q": "model:,"}, (400, 1213, "q")),
        ({"q": " OR ".join(["cost>1"] * 101)}, (400, 1205, "q")),
        ({"q": "-" * 11 + "cost>1"}, (400, 1205, "q")),
        ({"q": f"model:{','.join('x' * 1001)}"}, (400, 1205, "q")),
    ],
)
def test_a_bad_parameter_is_named(api, db, parameters, expected):
    assert error(api.get(LIST, parameters)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"filter": leaf("model", "regex", "(")}, (400, 1213, "filter.value")),
        ({"filter": leaf("model", "regex", "x" * 257)}, (400, 1205, "filter.value")),
        ({"filter": leaf("model", "regex", "((((a{1,255}){1,255}){1,255}){1,255})")}, (400, 1213, "filter.value")),
        ({"filter": leaf("attributes.x", "regex", "a{2,1}")}, (400, 1213, "filter.value")),
        ({"filter": leaf("modle", "eq", "x")}, (400, 1213, "filter.field")),
        ({"filter": leaf("content", "search", "--")}, (400, 1213, "filter.value")),
        ({"filters": []}, (400, 1202, "filters")),
        ({"limit": 0}, (400, 1200, "limit")),
        ({"limit": "5"}, (400, 1203, "limit")),
        ({"offset": 5}, (400, 1200, "offset")),
        ({"sort_desc": "yes"}, (400, 1203, "sort_desc")),
        ({"fields": ["modle"]}, (400, 1202, "fields")),
        ({"fields": "model"}, (400, 1203, "fields")),
        ({"fields": ["attributes.a\0b"]}, (400, 1203, "fields[0]")),
        ({"include": ["parents"]}, (400, 1202, "include")),
        ({"from": "now-1h", "start_time": "now-1h"}, (400, 1202, "from")),
        ({"start_time": 5}, (400, 1203, "start_time")),
        ({"cursor": "nonsense"}, (400, 1207, "cursor")),
        ({"project_id": "not-mine"}, (403, 1101, "project_id")),
    ],
)
def test_a_bad_body_is_refused_by_name(api, db, body, expected):
    assert error(api.post(SEARCH, body, content_type="application/json")) == expected


@pytest.mark.parametrize(
    ("line", "details"),
    [
        ("model:gpt-4o model~[", "At character 14, 'model~[': '[' is no POSIX regular expression that can be compiled"),
        ("model:gpt-4o ( !!! )", "At character 16, '!!!': '!!!' has no word to search for"),
    ],
)
def test_what_only_the_server_finds_wrong_in_a_line_is_told_with_its_place(api, line, details):
    assert api.get(LIST, {"q": line}).json()["error"]["details"] == details


def test_a_phrase_of_very_many_single_eastern_characters_is_refused(api):
    asked = [api.get(LIST, {"search": f'"{"日 " * many}"'}) for many in (100, 101)]

    assert (asked[0].status_code, error(asked[1])) == (200, (400, 1213, "search"))


def test_what_only_the_server_finds_wrong_in_a_filter_is_told_with_its_path(search):
    both = [leaf("content", "search", "refund"), leaf("model", "regex", "[")]
    assert error(search({"operator": "AND", "filters": both})) == (400, 1213, "filter.filters[1].value")


@pytest.mark.parametrize("built", [False, True], ids=["before the vectors", "with the vectors"])
def test_a_regular_expression_that_explodes_is_stopped_with_its_statement(api, search, send, settings, built):
    settings.QUERY_TIMEOUT_MS = 300
    send(talk("long", "A" + "".join(random.Random(3).choices("xyz", k=2000)) + "!", attributes={"shop.cart": "3"}))
    if built:
        make_vectors()
    pattern = r"^(.+)(.+)(.+)\2\1\3\2\1!$"
    told = [
        error(search(leaf("input_text", "regex", pattern)))[:2],
        error(search({"operator": "NOT", "filters": [leaf("input_text", "regex", pattern)]}))[:2],
        error(api.get(LIST, {"q": f'input_text~"{pattern.replace(chr(92), chr(92) * 2)}"'}))[:2],
        error(api.get(STATS, {"q": f'input_text~"{pattern.replace(chr(92), chr(92) * 2)}"'}))[:2],
    ]
    assert told == [(504, 1801)] * 4
    settings.QUERY_TIMEOUT_MS = 60_000
    assert names(search(leaf("input_text", "starts_with", "a"))) == ["long"]


def test_a_statement_has_a_limit_only_within_a_snapshot(db, settings):
    settings.QUERY_TIMEOUT_MS = 1234

    def limit():
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    with snapshots.snapshot():
        within = limit()
    assert (within, limit()) == ("1234ms", "0")
