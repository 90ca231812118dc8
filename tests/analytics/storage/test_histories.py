"""Spans that come, come late and twice, are priced anew, erased and dropped: rollups are what a rebuild would make."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.erasure import user_erase
from analytics.storage import slices
from analytics.storage.ageing import retention_apply
from analytics.storage.costs import Chosen, read_costs, write_costs
from analytics.storage.remaking import Window
from analytics.storage.retention import limit_set
from analytics.storage.spans import Tenant
from analytics.storage.verification import aggregates_verify
from tests.analytics.storage.test_rollups import (
    COUNTS,
    DAY,
    ask,
    assert_equal_to_spans,
    empty_the_store,
    raw,
    refresh_all,
    same,
    scope,
    send,
)

__all__ = ["scope"]
NEXT, END = DAY + timedelta(days=1), DAY + timedelta(days=2)
GRAINS = ("1min", "1hour", "1day")
offsets = st.integers(0, 60) | st.integers(3500, 3700) | st.integers(86_300, 86_500)
spans = st.tuples(
    st.integers(1, 12),  # span
    st.none() | st.integers(1, 12),  # parent
    st.integers(1, 3),  # trace
    offsets,
    st.sampled_from([None, "a", "b"]),  # user
)
steps = st.one_of(
    st.just(("refresh",)),
    st.tuples(st.just("refresh"), st.integers(1, 130)),
    st.tuples(st.just("send"), st.lists(spans, min_size=1, max_size=4)),
    st.tuples(st.just("price"), offsets, st.none() | st.integers(0, 10**12)),
    st.tuples(st.just("erase"), st.sampled_from(["a", "b"])),
    st.just(("drop",)),
)


class History:
    """What happens to the spans of one project; `kept` is where its spans begin, `told` what was said of older ones."""

    def __init__(self, scope):
        empty_the_store()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM retention_horizons")
        self.scope = scope
        ((project_id, project),) = scope.projects.items()
        self.tenant = Tenant(organisation_id=project.organisation_id, project_id=project_id)
        self.kept, self.told = DAY, {}

    def refresh(self, minutes=None):
        refresh_all(before=None if minutes is None else DAY + timedelta(minutes=minutes))

    def send(self, given):
        send(
            self.scope,
            *(
                raw(number, parent=parent, trace=trace, offset=offset, user=user)
                for number, parent, trace, offset, user in given
            ),
        )

    def price(self, offset, cost):
        chosen = Chosen(tenant=self.tenant, start=self.kept, end=DAY + timedelta(seconds=offset, minutes=1))
        priced = read_costs(chosen, after=None, limit=100)
        reason = "no_price" if cost is None else None
        with transaction.atomic():
            write_costs(
                self.tenant,
                [replace(one.cost, total_cost_nanousd=cost, price_id=None, unpriced_reason=reason) for one in priced],
            )

    def erase(self, user):
        user_erase(tenants=[self.tenant], user_id=user, run_id=uuid4(), now=datetime.now(UTC))

    def drop(self):
        if self.kept == DAY:
            self.told = {grain: ask(self.scope, DAY, NEXT, grain=grain, exact=True) for grain in GRAINS}
            limit_set(kind="spans", days=2, now=datetime.now(UTC))
            retention_apply(now=datetime.now(UTC))
            self.kept = NEXT


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(script=st.lists(steps, min_size=1, max_size=7), busy=st.sampled_from([1, 3, 9]))
def test_any_history_leaves_the_rollups_as_a_rebuild_would(scope, monkeypatch, script, busy):
    monkeypatch.setattr(slices, "BUSY_SPANS", busy)
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT example")
    try:
        history = History(scope)
        for name, *arguments in script:
            getattr(history, name)(*arguments)
        for refreshed in (False, True):
            if refreshed:
                refresh_all()
            for grain in GRAINS:
                assert_equal_to_spans(scope, history.kept, END, grain=grain)
            assert_equal_to_spans(scope, history.kept, END, group_by=["user_id", "model"], figures=COUNTS)
            for grain, before in history.told.items():
                found = ask(scope, DAY, NEXT, grain=grain)
                same(found.totals, before.totals)
                for one, other in zip(found.series, before.series, strict=True):
                    same(one, other)
        window = Window(start=history.kept, end=END)
        verified = aggregates_verify(grain=None, window=window, planned=lambda _total: lambda _count: None)
        assert (verified.differences, set(verified.waiting.values())) == ([], {0})
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT example")
