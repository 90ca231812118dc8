from decimal import Decimal

import pytest

from observatory.pages.numbers import Unit, exact, shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, Unit.COUNT, "0"),
        (9999, Unit.COUNT, "9,999"),
        (12345, Unit.COUNT, "12.3k"),
        (999_950, Unit.COUNT, "1,000k"),
        (23_900_000, Unit.COUNT, "23.9M"),
        (Decimal("1.5"), Unit.COUNT, "2"),
        (0, Unit.MONEY, "$0.00"),
        (Decimal("40.5151"), Unit.MONEY, "$40.52"),
        (Decimal("1234567.8"), Unit.MONEY, "$1.23M"),
        (Decimal("0.0075"), Unit.MONEY, "$0.00750"),
        (Decimal("0.00000771"), Unit.MONEY, "$0.00000771"),
        (Decimal("0.000000001"), Unit.MONEY, "$0.00000000100"),
        (0, Unit.MILLISECONDS, "0 ms"),
        (999, Unit.MILLISECONDS, "999 ms"),
        (Decimal("99.456"), Unit.MILLISECONDS, "99.5 ms"),
        (12_400, Unit.MILLISECONDS, "12.4 s"),
        (204_000, Unit.MILLISECONDS, "3 min 24 s"),
        (7_260_000, Unit.MILLISECONDS, "2 h 1 min"),
        (Decimal("0.0153"), Unit.RATE, "1.5 %"),
        (Decimal("0.0002"), Unit.RATE, "<0.1 %"),
        (Decimal("50.0864"), Unit.PERCENT, "50.1 %"),
        (Decimal(0), Unit.PERCENT, "0.0 %"),
        (Decimal("3.26"), Unit.CHANGE, "+3.3 %"),
        (Decimal("-3.26"), Unit.CHANGE, "\N{MINUS SIGN}3.3 %"),
        (0, Unit.CHANGE, "0.0 %"),
        (123456, Unit.CHANGE, "+123k %"),
        (Decimal("0.0109"), Unit.PER_SECOND, "0.0109 /s"),
        (Decimal("5123.4"), Unit.PER_SECOND, "5,123 /s"),
        (Decimal("0.666667"), Unit.SCORE, "0.67"),
        ("2026-11-05T10:30:00.123456Z", Unit.TIME, "2026-11-05 10:30:00"),
        ("gpt-4o", Unit.TEXT, "gpt-4o"),
        (None, Unit.MONEY, "\N{EN DASH}"),
        ("", Unit.TEXT, "\N{EN DASH}"),
    ],
)
def test_numbers_are_shown_as_people_read_them(value, unit, text):
    assert shown(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (Decimal("0.007500000"), "0.0075"), (Decimal("1E-9"), "0.000000001"), (3, "3"), (Decimal(100), "100")],
)
def test_exact_numbers_lose_nothing(value, text):
    assert exact(value) == text
