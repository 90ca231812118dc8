"""Rows of days in the columnstore go and change, of however many a server lets a transaction unpack."""

import pytest
from django.db import connection

from analytics.storage.engines import RELATIONS, engine
from tests.analytics.costs.books import add, call, row
from tests.analytics.costs.books import send as send_calls
from tests.analytics.costs.test_recompute_costs import DAY, RANGE, costs, project  # noqa: F401  fixtures
from tests.analytics.costs.test_recompute_costs import run as recompute
from tests.analytics.storage.retaining import OLD, refresh_all, run, send, stored


@pytest.fixture
def pack(db):
    """Return a function that packs a day, of which a transaction may then unpack a single row."""

    def pack_day(day):
        for relation in RELATIONS:
            engine().compress_day(relation, day)
        with connection.cursor() as cursor:
            cursor.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 1")

    yield pack_day
    with connection.cursor() as cursor:
        cursor.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0")


def test_a_project_keeps_its_spans_for_less_than_another_of_the_same_day(projects, pack):
    for number in range(1, 6):
        send(projects["acme/main"], number, OLD)
        send(projects["globex/main"], 10 + number, OLD)
    refresh_all()
    pack(OLD.date())

    run("set", "spans", "10", "--project", "acme/main")
    run("apply")

    with connection.cursor() as cursor:
        unpacked = []
        for relation in RELATIONS:
            (day,) = (one for one in engine().days(relation) if one.day == OLD.date())
            cursor.execute(f"SELECT count(*) FROM ONLY {day.table}")
            unpacked += cursor.fetchone()
    assert unpacked == [0, 0]  # of the other, of whom nothing went
    assert stored() == stored("llm_contents") == [(projects["globex/main"].id, OLD)] * 5


def test_a_day_is_priced_anew(project, pack):  # noqa: F811  a fixture
    send_calls(project, *(call(number, DAY) for number in range(1, 6)))
    pack(DAY.date())
    add(row())

    recompute(*RANGE)

    assert set(costs().values()) == {2_000_000}
