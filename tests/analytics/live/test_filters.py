from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.api.bodies import read_body
from analytics.live.asking import SUBSCRIBE
from analytics.live.filters import EQUALITIES, EventFilter
from analytics.live.subscriptions import Subscription, Subscriptions
from errors.exceptions import ApiError
from tests.analytics.live.listening import connected, event

OWN = frozenset({1, 2})


def passes(one, **wanted):
    return EventFilter(projects=OWN, **wanted).passes(one)


@pytest.mark.parametrize(
    ("facts", "wanted", "answer"),
    [
        ({"model": "a"}, {"equal": {"model": "a"}}, True),
        ({"model": "a"}, {"equal": {"model": "b"}}, False),
        ({"model": "a", "user_id": "u"}, {"equal": {"model": "a", "user_id": "u"}}, True),
        ({"model": "a", "user_id": "v"}, {"equal": {"model": "a", "user_id": "u"}}, False),
        ({"model": None}, {"equal": {"model": "a"}}, False),
        ({}, {"equal": {"model": "a"}}, False),
        ({"cost_usd": 0.015}, {"min_cost": Decimal("0.015")}, True),
        ({"cost_usd": 0.014999999}, {"min_cost": Decimal("0.015")}, False),
        ({"cost_usd": 0.1 + 0.2}, {"min_cost": Decimal("0.3")}, True),
        ({"cost_usd": 0}, {"min_cost": Decimal(0)}, True),
        ({"cost_usd": None}, {"min_cost": Decimal(0)}, False),
        ({}, {"min_cost": Decimal(0)}, False),
        ({"duration_ms": 100}, {"min_duration_ms": Decimal(100)}, True),
        ({"duration_ms": 99.999}, {"min_duration_ms": Decimal(100)}, False),
        ({}, {"min_duration_ms": Decimal(0)}, False),
        ({"cost_usd": 1, "duration_ms": 1}, {"min_cost": Decimal(1), "min_duration_ms": Decimal(2)}, False),
    ],
)
def test_all_that_is_asked_for_must_hold_and_what_is_not_there_does_not_pass(facts, wanted, answer):
    assert passes(event(**facts), **wanted) is answer


@pytest.mark.parametrize(
    ("project", "whole", "answer"),
    [(1, False, True), (3, False, False), ("1,2", False, True), ("1,3", True, False), (None, False, False), (None, True, True)],
)  # fmt: skip
def test_an_event_is_for_who_reaches_all_that_it_is_of(project, whole, answer):
    assert passes(event(project=project), whole=whole) is answer


@pytest.mark.parametrize(("named", "left"), [(False, {2, 3}), (True, {2})])
def test_projects_that_were_not_named_follow_the_reach(named, left):
    now = EventFilter(projects=OWN, named=named).within(frozenset({2, 3}), whole=True)

    assert (now.projects, now.whole) == (left, not named)


_VALUES = st.sampled_from(["a", "b", None])
_FACTS = st.fixed_dictionaries({}, optional=dict.fromkeys(EQUALITIES, _VALUES) | {"cost_usd": st.integers(0, 3)})
_WANTED = st.builds(
    EventFilter,
    projects=st.sampled_from([OWN, frozenset({1})]),
    whole=st.booleans(),
    equal=st.fixed_dictionaries({}, optional=dict.fromkeys(EQUALITIES, st.sampled_from(["a", "b"]))),
    min_cost=st.none() | st.integers(0, 3).map(Decimal),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_WANTED, max_size=8), st.lists(st.tuples(_FACTS, st.sampled_from([1, 2, 3, None])), max_size=8))
def test_who_is_found_by_the_first_equality_is_who_would_be_found_by_asking_each(wanted, told):
    connection = connected()
    every = [Subscription(connection, frozenset({"trace_created"}), one, since=b"0-0") for one in wanted]
    known = Subscriptions()
    for one in every:
        known.add(one)

    for facts, project in told:
        happened = event(project=project, **facts)
        found = list(known.hearers(happened))
        assert len(found) == len(set(found))
        assert set(found) == {one for one in every if one.filter.passes(happened)}


def test_one_that_is_removed_is_not_found_and_leaves_nothing_behind():
    known = Subscriptions()
    wanted = EventFilter(projects=OWN, equal={"model": "a"})
    one = Subscription(connected(), frozenset({"trace_created", "trace_updated"}), wanted, since=b"0-0")
    known.add(one)
    known.remove(one)

    assert list(known.hearers(event(model="a"))) == []
    assert known._by_type == {"trace_created": {}, "trace_updated": {}}


def test_a_bound_below_zero_is_told_the_least_that_is_allowed():
    with pytest.raises(ApiError, match=r"'filters\.min_cost': must be at least 0$"):
        read_body({"type": "subscribe", "events": ["trace_created"], "filters": {"min_cost": -1}}, SUBSCRIBE)
