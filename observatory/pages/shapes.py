"""What pages are made of, as values: figures, charts with their tables, and where they came from."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from analytics.api.parameters import Parameter
from errors.json import dumps
from observatory.pages.asked import FILTER_NAMES, Asked
from observatory.pages.numbers import Unit, exact, shown
from observatory.pages.questions import Call

Body = Mapping[str, Any]
Ask = Callable[[Call], dict[str, Any]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its name, how it changed, and its course as a line.

    `good` is the direction that is welcome: 1 up, -1 down, 0 neither.
    """

    label: str
    value: Any
    unit: Unit
    change: Decimal | int | None = None
    good: int = 0
    course: Sequence[Decimal | int | None] = ()
    note: str = ""
    href: str = ""

    @property
    def text(self) -> str:
        return shown(self.value, self.unit)

    @property
    def exact(self) -> str:
        return exact(self.value)

    @property
    def changed(self) -> str:
        return "" if self.change is None else shown(self.change, Unit.CHANGE)

    @property
    def mood(self) -> str:
        """Whether the change is welcome."""
        if not self.change or not self.good:
            return "even"
        return "better" if (self.change > 0) == (self.good > 0) else "worse"

    @property
    def line(self) -> str:
        """The course as points of an SVG line in a box of 100 by 28."""
        known = [value for value in self.course if value is not None]
        if len(known) < 2:  # noqa: PLR2004  a line has two ends
            return ""
        low, high = min(known), max(known)
        spread, step = (high - low) or 1, Decimal(100) / (len(self.course) - 1)
        return " ".join(
            f"{place * step:.1f},{26 - (Decimal(value) - low) / spread * 24:.1f}"
            for place, value in enumerate(self.course)
            if value is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line (or band of a stack) of a chart; `before` marks the one of the period before."""

    label: str
    values: Sequence[Any]
    color: int = 1
    before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Series over time. `stacked` ones are parts of a whole; `drill` leads to the traces of a bucket."""

    times: Sequence[datetime]
    series: Sequence[Series]
    unit: Unit
    width: float
    stacked: bool = False
    bars: bool = False
    band: tuple[int, int] | None = None
    drill: str = ""
    zoom: str = ""
    worst: Mapping[str, str] | None = None

    @property
    def is_empty(self) -> bool:
        return not any(value for one in self.series for value in one.values)

    @property
    def json(self) -> str:
        """What the browser draws from. Numbers are for pixels; the table has the exact ones."""
        told = {
            "times": [int(moment.timestamp()) for moment in self.times],
            "width": self.width,
            "unit": self.unit.value,
            "stacked": self.stacked,
            "bars": self.bars,
            "band": self.band,
            "drill": self.drill,
            "zoom": self.zoom,
            "series": [
                {"label": one.label, "values": list(one.values), "color": one.color, "before": one.before}
                for one in self.series
            ],
        }
        # In a script element nothing but its end tag has a meaning.
        return dumps(told).decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table; numbers stand to the right. `share` columns have a bar behind."""

    label: str
    unit: Unit = Unit.TEXT

    @property
    def is_number(self) -> bool:
        return self.unit not in {Unit.TEXT, Unit.TIME, Unit.DATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value in a table; `share` (0 to 100) is drawn as a bar, `href` is where it leads."""

    value: Any
    column: Column
    href: str = ""
    share: Decimal | int | None = None
    best: bool = False
    failed: bool = False
    quiet: str = ""

    @property
    def text(self) -> str:
        return shown(self.value, self.column.unit)

    @property
    def exact(self) -> str:
        return exact(self.value)

    @property
    def bar(self) -> str:
        return "" if self.share is None else f"{max(Decimal(0), min(Decimal(self.share), Decimal(100))):.1f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns; a row is as many values, or cells, as there are columns."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    caption: str = ""

    @property
    def cells(self) -> list[list[Cell]]:
        return [
            [
                value if isinstance(value, Cell) else Cell(value=value, column=column)
                for value, column in zip(row, self.columns, strict=True)
            ]
            for row in self.rows
        ]

    @property
    def csv(self) -> str:
        """The table as a file. Texts that a spreadsheet would compute are kept from it."""
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow([one.label for one in self.columns])
        for row in self.cells:
            writer.writerow([_harmless(one.exact) if not one.column.is_number else one.exact for one in row])
        return file.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place on a meter, in percent of its length, with the name of what is reached there."""

    name: str
    at: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """How much of something is used: a bar with marks, its state in a word, and sentences."""

    name: str
    href: str
    here: bool
    about: str
    state: str
    told: str
    used: Decimal
    marks: Sequence[Mark] = ()
    lines: Sequence[str] = ()

    @property
    def width(self) -> str:
        """The used part of the bar, of 100."""
        return f"{max(Decimal(0), min(self.used, Decimal(100))):.1f}"

    @property
    def ticks(self) -> list[str]:
        """Where the marks stand, of 100."""
        return [f"{max(Decimal(0), min(one.at, Decimal(100))):.1f}" for one in self.marks]

    @property
    def label(self) -> str:
        """The bar in words."""
        return "; ".join([self.told, *(one.name for one in self.marks)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a panel shows."""

    figures: Sequence[Figure] = ()
    meters: Sequence[Meter] = ()
    chart: Chart | None = None
    table: Table | None = None
    lines: Sequence[str] = ()
    empty: str = ""
    open: bool = False  # the table is the panel, not what stands behind a chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a page: the calls that it is made of, and what it shows of their replies.

    `calls` may ask before, where what to ask follows from an answer. `half` panels stand two in a row where there is
    room.
    """

    key: str
    title: str
    note: str = ""
    permission: str = "metrics:read"
    calls: Callable[[Asked, Ask], Sequence[Call]]
    show: Callable[..., Shown]
    half: bool = False
    figures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: where, for whom, its panels, and its own parameters beside those that all have.

    `filters` are those of the shared ones that narrow it; the others stay in its links. One that is not `ranged` is
    about now.
    """

    key: str
    title: str
    permission: str
    panels: Sequence[Panel] = ()
    own: Sequence[Parameter] = ()
    template: str = "pages/page.html"
    about: str = ""
    compares: bool = True
    ranged: bool = True
    filters: Sequence[str] = FILTER_NAMES
    controls: Callable[[Asked, Ask], Sequence[Mapping[str, Any]]] = field(default=lambda _asked, _ask: ())


def moment(text: str) -> datetime:
    """Return an instant that the API wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)
