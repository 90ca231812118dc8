"""GET /api/v1/costs/prices: everybody's rows and the organisation's own, a page at a time."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from django.test import Client

from analytics.costs.price_book import add_bundled_prices
from analytics.models import ModelPrice
from tests.analytics.costs.books import add, row
from tests.observatory.accounts.credentials import bearer

PATH = "/api/v1/costs/prices"
JANUARY, JUNE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def book(db):
    """An empty book."""
    ModelPrice.objects.all().delete()


def ask(api, **query):
    reply = api.get(PATH, query)
    assert reply.status_code == 200, reply.content
    return reply.json(parse_float=Decimal)


def ids(api, **query):
    return [int(one["id"]) for one in ask(api, **query)["prices"]]


def test_a_row_is_told_whole(book, api):
    (version,) = add(
        row(valid_from=JANUARY, input="2.5", cache_read="0.000000001", per_request="0.014"), source="prices.csv"
    )

    assert ask(api) == {
        "prices": [
            {
                "id": str(version),
                "provider": "acme",
                "model_pattern": "one",
                "service_tier": "default",
                "min_prompt_tokens": 0,
                "valid_from": "2026-01-01T00:00:00Z",
                "valid_to": None,
                "input": Decimal("2.5"),
                "output": 2,
                "cache_read": Decimal("0.000000001"),
                "cache_write_5m": None,
                "cache_write_1h": None,
                "audio_input": None,
                "audio_output": None,
                "reasoning": None,
                "per_request": Decimal("0.014"),
                "shared": True,
                "source": "prices.csv",
            }
        ],
        "pagination": {"total": 1, "limit": 20, "offset": 0, "has_more": False},
    }


def test_provider_and_model_narrow_the_list_the_model_by_what_patterns_match(book, api):
    versions = add(
        row(model_pattern="one"),
        row(model_pattern="one*"),
        row(model_pattern="two"),
        row(provider="other", model_pattern="*"),
        row(provider="other", model_pattern="[12]"),
    )

    assert ids(api, model="one") == [versions[0], versions[1], versions[3]]
    assert ids(api, model="one-2026", provider="acme") == [versions[1]]
    assert ids(api, provider="other") == [versions[3], versions[4]]
    assert ids(api, provider="nobody") == []


def test_without_a_time_there_is_the_whole_history_and_with_one_what_holds_then(book, api):
    wrong, right, june, ended, withdrawn, withdrawal = add(
        row(valid_from=JANUARY),
        row(valid_from=JANUARY, input="3"),
        row(valid_from=JUNE),
        row(model_pattern="old", valid_from=JANUARY, valid_to=JUNE),
        row(model_pattern="typo", valid_from=JANUARY),
        row(model_pattern="typo", valid_from=JANUARY, valid_to=JANUARY),
    )

    assert ids(api) == [ended, wrong, right, june, withdrawn, withdrawal]
    assert ids(api, at="2025-12-31") == []
    assert ids(api, at="2026-01-01") == [ended, right]
    assert ids(api, at="2026-05-31T23:59:59Z") == [ended, right]
    assert ids(api, at="2026-06-01") == [june]
    assert ids(api, at="now") == [june]


def test_own_rows_are_seen_by_their_organisation_alone(book, api, tenant, make_tenant):
    (shared,) = add(row())
    (own,) = add(row(input="9"), organisation_id=tenant.organisation.id)
    other = Client(headers=make_tenant("globex").headers)

    assert [(int(one["id"]), one["shared"]) for one in ask(api)["prices"]] == [(shared, True), (own, False)]
    assert ids(other) == [shared]


def test_pages_are_asked_by_offset(book, api):
    versions = add(*(row(model_pattern=f"m{number}") for number in range(5)))

    assert ids(api, limit=2, offset=2) == versions[2:4]
    assert ask(api, limit=2, offset=4)["pagination"] == {"total": 5, "limit": 2, "offset": 4, "has_more": False}
    assert ask(api, limit=2)["pagination"] == {"total": 5, "limit": 2, "offset": 0, "has_more": True}
    assert ids(api, offset=5) == []


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"limit": 0}, 1200, "limit"),
        ({"limit": 101}, 1200, "limit"),
        ({"offset": -1}, 1200, "offset"),
        ({"limit": "many"}, 1203, "limit"),
        ({"at": "yesterday"}, 1203, "at"),
        ({"model": ""}, 1203, "model"),
        ({"cursor": "x"}, 1202, "cursor"),
        ({"project_id": "nobody"}, 1101, "project_id"),
    ],
)
def test_wrong_parameters_are_named(db, api, query, code, field):
    error = api.get(PATH, query).json()["error"]

    assert (error["code"], error.get("field", field)) == (code, field)


def test_the_bundled_book_says_what_models_cost_in_june_2025(db, api):
    add_bundled_prices()
    found = ask(api, provider="openai", model="gpt-4o-mini", at="2025-06-01", limit=100)["prices"]

    exact = [one for one in found if (one["model_pattern"], one["service_tier"]) == ("gpt-4o-mini", "default")]
    assert [(one["input"], one["output"], one["cache_read"]) for one in exact] == [
        (Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
    ]


def test_reading_prices_takes_the_permission(db, make_tenant):
    may_not = make_tenant("initech", permissions=["metrics:read"])
    may = make_tenant("hooli", permissions=["costs:read"])

    assert [bearer(one.key).get(PATH).status_code for one in (may_not, may)] == [403, 200]
    assert Client().get(PATH).status_code == 401


def test_an_equal_answer_has_an_equal_validator(book, api):
    add(row())
    first = api.get(PATH)

    again = api.get(PATH, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    add(row(model_pattern="two"))
    changed = api.get(PATH, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, len(orjson.loads(changed.content)["prices"])) == (200, 2)
