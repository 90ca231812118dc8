"""Numbers as people read them. The exact ones stand beside: in titles, tables' files and the API's replies."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

Number = int | Decimal
NONE = "–"  # noqa: RUF001  a dash, as in print
_DIGITS = 3
_LEAST_PERCENT = Decimal("0.1")
_MINUTE, _HOUR = 60_000, 3_600_000
_SCALES = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 4, "k"))


class Unit(StrEnum):
    """What a number is of; the browser writes axes by the same names."""

    COUNT = "count"
    MONEY = "money"
    MILLISECONDS = "ms"
    RATE = "rate"
    PERCENT = "percent"
    CHANGE = "change"
    PER_SECOND = "per_second"
    SCORE = "score"
    TEXT = "text"
    TIME = "time"
    DATE = "date"


def shown(value: object, unit: Unit) -> str:
    """Return a value of a unit in short; a dash where there is none."""
    if value is None or value == "":
        return NONE
    return _SHOWN[unit](value)


def count(value: Number) -> str:
    """Return a number to three digits from ten thousand on, with separators below."""
    number = Decimal(value)
    for scale, letter in _SCALES:
        if abs(number) >= scale:
            factor = scale if letter != "k" else Decimal(1000)
            return f"{_rounded(number / factor)}{letter}"
    return f"{number.quantize(Decimal(1), ROUND_HALF_UP):,}"


def money(value: Number) -> str:
    """Return dollars: cents from one dollar on, three digits below, never a rounded zero."""
    amount = Decimal(value)
    if abs(amount) >= Decimal(10) ** 6:
        return f"${count(amount)}"
    if abs(amount) >= 1 or not amount:
        return f"${amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"
    return f"${_significant(amount):f}"


def milliseconds(value: Number) -> str:
    """Return a duration in the unit that suits it."""
    duration = Decimal(value)
    if duration < 1000:  # noqa: PLR2004  a second
        return f"{plain(_significant(duration))} ms"
    if duration < _MINUTE:
        return f"{_rounded(duration / 1000)} s"
    if duration < _HOUR:
        minutes, rest = divmod(int(duration) // 1000, 60)
        return f"{minutes} min {rest} s"
    hours, rest = divmod(int(duration) // _MINUTE, 60)
    return f"{hours} h {rest} min"


def percent(value: Number) -> str:
    """Return a share of 0 to 100 with one decimal; what would be rounded to nothing says so."""
    number = Decimal(value)
    if 0 < number < _LEAST_PERCENT:
        return f"<{_LEAST_PERCENT} %"
    return f"{number.quantize(_LEAST_PERCENT, ROUND_HALF_UP)} %"


def rate(value: Number) -> str:
    """Return a rate of 0 to 1 in percent."""
    return percent(Decimal(value) * 100)


def change(value: Number) -> str:
    """Return a change in percent with its sign."""
    number = Decimal(value)
    size = abs(number)
    text = f"{size.quantize(Decimal('0.1'), ROUND_HALF_UP)} %" if size < 1000 else f"{count(size)} %"  # noqa: PLR2004  tenfold
    return text if not number else f"{'+' if number > 0 else '−'}{text}"  # noqa: RUF001  a minus, as wide as a plus


def per_second(value: Number) -> str:
    """Return a figure per second."""
    number = Decimal(value)
    text = count(number) if abs(number) >= 100 else plain(_significant(number))  # noqa: PLR2004  three digits
    return f"{text} /s"


def score(value: Number) -> str:
    """Return a score of 0 to 1 with two decimals."""
    return f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP)}"


def instant(value: object) -> str:
    """Return an instant, given as the API writes it, to the second, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def exact(value: object) -> str:
    """Return a value as a file of a table has it: nothing rounded, no separators."""
    if value is None:
        return ""
    return plain(value) if isinstance(value, Decimal) else str(value)


def plain(number: Decimal) -> str:
    """Return a decimal without exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _significant(number: Decimal) -> Decimal:
    if not number:
        return number
    return number.quantize(Decimal(1).scaleb(number.adjusted() - _DIGITS + 1), ROUND_HALF_UP)


def _rounded(number: Decimal) -> str:
    """Return three digits."""
    rounded = _significant(number)
    return f"{rounded:f}" if rounded.adjusted() < _DIGITS else f"{rounded.quantize(Decimal(1)):,}"


_SHOWN: Mapping[Unit, Callable[..., str]] = {
    Unit.COUNT: count,
    Unit.MONEY: money,
    Unit.MILLISECONDS: milliseconds,
    Unit.RATE: rate,
    Unit.PERCENT: percent,
    Unit.CHANGE: change,
    Unit.PER_SECOND: per_second,
    Unit.SCORE: score,
    Unit.TEXT: str,
    Unit.TIME: instant,
    Unit.DATE: str,
}
