"""A run of the benchmarks against an earlier one, as the gate of a rollout."""

import pytest

from benchmarks.figures import Figure, worse

BEFORE = [
    Figure(figure="speed", value=0.5, unit="x", rows=10, target=0.4, direction="at_least"),
    Figure(figure="growth", value=1.2, unit="x", rows=10, target=1.5, direction="at_most"),
    Figure(figure="explains", value=100, unit="us", rows=10),
]


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({}, []),
        ({"speed": 0.41}, []),
        ({"speed": 0.39}, ["speed (0.5 before, 0.39 now)"]),
        ({"growth": 1.43}, []),
        ({"growth": 1.45}, ["growth (1.2 before, 1.45 now)"]),
        ({"speed": 9.0, "growth": 0.1}, []),
        ({"explains": 900}, []),
    ],
)
def test_a_figure_with_a_target_may_be_a_fifth_worse_and_no_more(now, found):
    lines = ["figure  engine  spans", *(one.as_json for one in BEFORE), "[]"]
    figures = [
        Figure(
            figure=one.figure,
            value=now.get(one.figure, one.value),
            unit=one.unit,
            rows=one.rows,
            target=one.target,
            direction=one.direction,
        )
        for one in BEFORE
    ]

    assert list(worse(figures, lines, slack=20)) == found


def test_what_was_not_measured_before_is_not_compared():
    other = [Figure(figure="speed", value=0.1, unit="x", rows=20, target=0.4, direction="at_least")]

    assert list(worse(other, [one.as_json for one in BEFORE], slack=20)) == []
