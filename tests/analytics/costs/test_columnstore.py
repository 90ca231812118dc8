"""Days in the columnstore are priced anew like days in row storage."""

from datetime import timedelta

from analytics.storage.engines import RELATIONS, engine
from tests.analytics.costs.books import add, call, row, scope_of, send
from tests.analytics.costs.test_recompute_costs import DAY, END, RANGE, costs, project, run, stored  # noqa: F401
from tests.analytics.storage.test_rollups import assert_equal_to_spans, refresh_all


def test_days_in_the_columnstore_are_priced_anew_and_undone(project):  # noqa: F811
    send(project, *(call(number, DAY + timedelta(minutes=number)) for number in range(1, 40)))
    before = stored()
    for relation in RELATIONS:
        engine().compress_day(relation, DAY.date())
    add(row())

    number = run(*RANGE)["run"]
    assert set(costs().values()) == {2_000_000}
    refresh_all()
    assert assert_equal_to_spans(scope_of(project), DAY, END) == "rollup"

    run("--undo", str(number))
    refresh_all()
    assert stored() == before
    assert assert_equal_to_spans(scope_of(project), DAY, END) == "rollup"
