"""What figures can be narrowed and grouped by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from analytics.registry.rollups import LABELS, UNPRICED_LABELS, USAGE_LABELS

ATTRIBUTES = "attributes."
LONGEST_ATTRIBUTE = 256


class Source(StrEnum):
    """The narrowest relation that knows a dimension."""

    ROLLUP = "rollup"
    USAGE = "usage"
    SPANS = "spans"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A label of spans: `sql` gives it over span rows `s` and their content `c`, NULL where there is none.

    `personal` ones tell about end users and are kept from anonymous callers. `equality` ones narrow every route with
    a parameter of their name. A `list` has several values a span, and a span counts under each. `attribute` is the key
    that a dimension of free attributes reads.
    """

    key: str
    sql: str
    description: str
    source: Source
    personal: bool = False
    equality: bool = False
    list: bool = False
    attribute: str | None = None

    @property
    def label(self) -> str | None:
        """The column of rollups that keeps it; `None` where none does or every one has it in its key."""
        return self.key if self.source in {Source.ROLLUP, Source.USAGE} and self.key != PROJECT else None


PROJECT = "project_id"


def _label(key: str, description: str, *, equality: bool = False, personal: bool = False) -> Dimension:
    source = Source.SPANS
    if key in {*LABELS, *UNPRICED_LABELS}:
        source = Source.ROLLUP
    elif key in USAGE_LABELS:
        source = Source.USAGE
    return Dimension(
        key=key, sql=f"s.{key}", description=description, source=source, personal=personal, equality=equality
    )


DIMENSIONS: tuple[Dimension, ...] = (
    _label("provider", "Provider of the model.", equality=True),
    _label("model", "Model asked for.", equality=True),
    _label("environment", "Deployment environment.", equality=True),
    _label("status_code", "OK, ERROR or UNSET."),
    _label("error_type", "Class of the error."),
    _label("service_name", "Service that emitted the span.", equality=True),
    _label("operation_name", "Kind of operation.", equality=True),
    _label("unpriced_reason", "Why it has no cost: no_price, no_part_price or no_usage."),
    Dimension(key=PROJECT, sql="s.project_id::text", description="Project, by its UUID.", source=Source.ROLLUP),
    _label("user_id", "End user.", equality=True, personal=True),
    _label("team_id", "Team.", equality=True, personal=True),
    _label("session_id", "Conversation.", personal=True),
    Dimension(
        key="tag",
        sql="c.tags",
        description="Tag; a span with several counts under each.",
        source=Source.CONTENT,
        personal=True,
        list=True,
    ),
)
BY_KEY: Mapping[str, Dimension] = {dimension.key: dimension for dimension in DIMENSIONS}
EQUALITIES: tuple[Dimension, ...] = tuple(dimension for dimension in DIMENSIONS if dimension.equality)
ATTRIBUTE = Dimension(
    key=f"{ATTRIBUTES}<key>",
    sql="c.attributes ->> %({attribute})s",
    description="Any attribute that has no member of its own, by its whole name.",
    source=Source.CONTENT,
    personal=True,
)


def dimension(name: str) -> Dimension | None:
    """Return the dimension of a name, `attributes.<key>` included; `None` when there is none of that name."""
    key = name.removeprefix(ATTRIBUTES)
    if key == name:
        return BY_KEY.get(name)
    fits = 0 < len(key) <= LONGEST_ATTRIBUTE and key == key.strip() and "\0" not in key
    return replace(ATTRIBUTE, key=name, attribute=key) if fits else None
