"""Users are what their spans say."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analytics.queries.figures import ask
from analytics.queries.plans import Sort
from analytics.queries.reports.people import USERS, people
from analytics.queries.timerange import TimeRange
from analytics.registry.grains import Grain
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage.rollups import refresh
from tests.analytics.queries.conftest import DAY

OF_SPANS = Grain(key="all", width=None, exact=True)


@pytest.mark.parametrize("by", USERS.sorts)
def test_users_are_what_their_spans_say_whatever_they_are_sorted_by(filled, by):
    for grain in GRAIN_WIDTHS:
        refresh(grain, before=DAY + timedelta(days=3))
    where = TimeRange(start=DAY + timedelta(hours=1, minutes=7), end=DAY + timedelta(days=2, hours=5, minutes=3))
    asked = {"listing": USERS, "scope": filled, "where": where, "filters": (), "sort": Sort(by=by), "limit": 50}
    asked |= {"after": None, "wanted": USERS.shape, "link_to": str}
    found = people(**asked)

    told = people(**asked, ask=lambda *questions: ask(*(replace(one, grain=OF_SPANS) for one in questions)))
    assert (found.items, len(found.items)) == (told.items, 6)
