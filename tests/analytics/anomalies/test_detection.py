"""Which hours are anomalies: series made by hand, simulated projects with known incidents, the demo."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.anomalies.detection import HOUR, History, Hour
from analytics.anomalies.runs import Key, judged
from analytics.anomalies.watching import WHOLE, Series
from analytics.registry.anomalies import Direction, Severity, severity_of
from benchmarks.anomalies import injected, on_demo
from benchmarks.incidents import KINDS, incident_in_a_week

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
END = MONDAY + timedelta(weeks=4)
NOON = END - timedelta(days=3) + timedelta(hours=12)  # of the last Friday
MODEL = Series("openai", "gpt-4o")
MORNING = 7


def hour(requests=100, *, errors=0, p50=1000, p95=3000, cost="1.00", tokens=2000):
    figures = {
        "requests": requests,
        "error_rate": Decimal(errors) / max(requests, 1),
        "latency_p95": p95,
        "p50": p50,
        "p90": p95,
        "cost": Decimal(cost),
        "tokens_per_request": Decimal(tokens),
    }
    return Hour(requests=requests, errors=errors, figures=figures)


def usual(at, *, requests=100, **given):
    """Return an hour that differs a little from its neighbours, as the sine of its number says."""
    wave = math.sin((at - MONDAY) / HOUR * 2.3)
    number = max(round(requests + math.sqrt(requests) * wave), 0)
    level = 1 + wave * 1.5 / math.sqrt(max(requests, 1))
    figures = {"p50": round(1000 * level), "p95": round(3000 * level), "cost": f"{number * 0.01:.2f}",
               "tokens": round(2000 * level)}  # fmt: skip
    return hour(number, **figures | given)


def series(changed=(), *, start=MONDAY, end=END, **given):
    """Return the history of a series whose hours `changed` are others."""
    hours = {}
    at = start
    while at < end:
        hours[at] = usual(at, **given)
        at += HOUR
    return History(hours={at: one for at, one in (hours | dict(changed)).items() if one}, start=MONDAY, end=end)


def found(*histories, runs=None, days=7, model=MODEL):
    """Return metric, direction, first hour and length in hours of the anomalies of the last days, by the first hour."""
    named = {model: histories[0], **({WHOLE: histories[1]} if len(histories) > 1 else {})}
    hours = [END - HOUR * number for number in range(days * 24, 0, -1)]
    runs = {(key, run.first): run for key, run in judged(named, hours, runs or {})}
    return sorted(
        (run.first, key.metric, run.direction.value, (run.end - run.first) // HOUR) for (key, _), run in runs.items()
    )


def test_nothing_is_found_where_hours_are_as_ever():
    assert found(series(), series()) == []


@pytest.mark.parametrize(
    ("metric", "direction", "changed"),
    [
        ("requests", "up", {"requests": 400, "cost": "1.00"}),
        ("requests", "down", {"requests": 20, "cost": "1.00"}),
        ("error_rate", "up", {"errors": 20}),
        ("latency_p95", "up", {"p95": 12_000, "p50": 4000}),
        ("cost", "up", {"cost": "8.00"}),
        ("cost", "down", {"cost": "0.05"}),
        ("tokens_per_request", "up", {"tokens": 6000}),
        ("tokens_per_request", "down", {"tokens": 700}),
    ],
)
def test_two_hours_of_another_kind_are_one_anomaly_of_their_metric(metric, direction, changed):
    history = series({NOON: hour(**changed), NOON + HOUR: hour(**changed)})

    assert found(history) == [(NOON, metric, direction, 2)]


@pytest.mark.parametrize("changed", [{"p95": 700, "p50": 200}, {"requests": 130}, {"tokens": 2400}, {"errors": 3}])
def test_what_is_faster_or_differs_little_is_none(changed):
    assert found(series({NOON: hour(**changed), NOON + HOUR: hour(**changed)})) == []


def test_hours_with_a_quiet_one_between_are_one_anomaly_and_with_two_are_two():
    slow = hour(p95=12_000, p50=4000)
    history = series({NOON + HOUR * number: slow for number in (0, 2, 5)})

    assert found(history) == [(NOON, "latency_p95", "up", 3), (NOON + HOUR * 5, "latency_p95", "up", 1)]


def test_an_anomaly_is_open_until_an_hour_was_quiet():
    key, slow = Key(MODEL, "latency_p95"), hour(p95=12_000, p50=4000)
    last = END - HOUR
    (open_,) = [run for _, run in judged({MODEL: series({last: slow})}, [last], {})]
    later = series({last: slow}, end=END + HOUR)
    (closed,) = [run for _, run in judged({MODEL: later}, [END], {key: open_})]

    assert (open_.is_open, open_.direction, closed) == (True, Direction.UP, replace(open_, is_open=False))


def test_an_anomaly_of_a_model_that_is_gone_ends():
    key, gone = Key(Series("openai", "gone"), "requests"), hour(p95=12_000, p50=4000)
    ((_, begun),) = judged({MODEL: series({NOON: gone})}, [NOON], {})

    assert list(judged({MODEL: series()}, [NOON], {key: begun})) == [(key, replace(begun, is_open=False))]


def test_what_comes_every_week_at_the_same_hour_is_expected():
    monday_at_nine = [MONDAY + timedelta(weeks=week, hours=9) for week in range(4)]
    busy = hour(600, cost="6.00")

    assert found(series(dict.fromkeys(monday_at_nine, busy))) == []
    assert found(series({monday_at_nine[-1]: busy})) == [
        (monday_at_nine[-1], "cost", "up", 1),
        (monday_at_nine[-1], "requests", "up", 1),
    ]


def test_less_than_two_weeks_are_not_judged():
    slow = {NOON: hour(p95=12_000, p50=4000)}

    assert found(series(slow, start=END - timedelta(days=13))) == []
    assert len(found(series(slow, start=END - timedelta(days=14)))) == 1


def test_one_slow_request_of_a_few_is_chance_and_all_of_them_are_not():
    timeout, slow = hour(16, p95=30_000, cost="0.16"), hour(16, p95=30_000, p50=9000, cost="0.16")

    assert found(series({NOON: timeout}, requests=16)) == []
    assert found(series({NOON: slow}, requests=16)) == [(NOON, "latency_p95", "up", 1)]


def test_six_slow_requests_are_within_what_uneven_hours_have():
    slow = hour(6, p95=30_000, p50=9000, cost="0.06")

    assert found(series({NOON: slow}, requests=6)) == []


def test_hours_that_are_not_beyond_chance_alone_are_so_together():
    failing = hour(5, errors=2, cost="0.05")
    alone, together = {NOON: failing}, {NOON + HOUR * number: failing for number in range(3)}

    assert found(series(alone, requests=5)) == []
    assert found(series(together, requests=5)) == [(NOON, "error_rate", "up", 3)]


def test_an_hour_without_requests_or_as_ever_does_not_part_what_belongs_together():
    failing = hour(5, errors=2, cost="0.05")
    silent, as_ever = (
        dict.fromkeys(range(6), failing) | {2: None},
        dict.fromkeys(range(6), failing) | {2: usual(NOON, requests=5)},
    )

    for changed in (silent, as_ever):
        history = series({NOON + HOUR * number: one for number, one in changed.items()}, requests=5)
        assert (NOON, "error_rate", "up", 6) in found(history)


def test_a_model_is_not_blamed_for_what_another_of_its_provider_does():
    other, hours = Series("openai", "gpt-4o-mini"), [NOON + HOUR * number for number in range(4)]
    some, many = (series({at: hour(30, errors=errors) for at in hours}, requests=30, errors=1) for errors in (4, 15))
    keys = {key for key, _ in judged({MODEL: some, other: many}, hours, {}) if key.metric == "error_rate"}

    assert keys == {Key(other, "error_rate")}


def test_what_was_so_once_at_the_same_hour_of_the_week_is_no_reason_to_expect_it():
    slow = hour(p95=12_000, p50=4000)

    assert found(series({NOON - timedelta(weeks=2): slow, NOON: slow})) == [(NOON, "latency_p95", "up", 1)]


def test_a_model_that_stops_is_found_though_single_hours_are_empty_at_times():
    silent = {NOON + HOUR * number: None for number in range(8)}

    assert (NOON, "requests", "down", 8) in found(series(silent, requests=8))


def test_the_whole_project_is_named_only_where_none_of_its_models_is():
    dear = {NOON: hour(cost="8.00")}

    assert found(series(dear), series(dear)) == [(NOON, "cost", "up", 1)]
    assert found(series(), series(dear)) == [(NOON, "cost", "up", 1)]
    keys = {key for key, _ in judged({MODEL: series(dear), WHOLE: series(dear)}, [NOON], {})}
    assert keys == {Key(MODEL, "cost")}


def test_another_mix_of_models_is_no_anomaly_of_the_project():
    assert found(series(), series({NOON: hour(p95=12_000, p50=4000, tokens=9000)})) == []


@pytest.mark.parametrize(("score", "severity"), [(5.5, "info"), (8, "warning"), (13.9, "warning"), (14, "critical")])
def test_severity_follows_from_the_score(score, severity):
    assert severity_of(score) is Severity(severity)


def test_money_is_never_a_float():
    history = series({NOON: hour(cost="8.123456789")})
    ((_, run),) = list(judged({MODEL: history}, [NOON], {}))

    assert (run.observed, type(run.expected)) == (Decimal("8.123456789"), Decimal)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_an_incident_in_a_simulated_project_is_found(kind):
    chance = random.Random(kind.key)
    incident = incident_in_a_week(chance, kind)
    while kind.traffic < 1 and incident.start.hour < MORNING:  # at night a drop is one of some eight requests
        incident = incident_in_a_week(chance, kind)

    assert injected(chance, incident, busiest=120).is_found


# The incident is three days before the end: on a Thursday, and on a Sunday with a tenth of its calls.
@pytest.mark.parametrize("end", [datetime(2026, 3, 8, 10, 20, tzinfo=UTC), datetime(2026, 3, 11, 17, 40, tzinfo=UTC)])
def test_on_demo_data_the_incident_is_found_and_nothing_else(end):
    result = on_demo(end, seed=1)

    assert (result.is_found, result.anomalies - result.right) == (True, 0)
