"""Spans as emitters really send them, grouped by what they tell; all of a group must end in one row."""

from dataclasses import dataclass, field
from typing import Any

from tests.analytics.ingest.spans import SECOND, START_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One span of `emitter` (with the version whose source or documentation it was written from).

    `stays` are the attributes that have no member, `left` what is left of documents that have some; `silent` are members of the group's row that the emitter does not
    tell; `instead` are those it tells otherwise.
    """

    emitter: str
    attributes: dict[str, Any]
    scope: str = "tests"
    events: list[dict[str, Any]] = field(default_factory=list)
    stays: tuple[str, ...] = ()
    left: dict[str, Any] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    instead: dict[str, Any] = field(default_factory=dict)


def event(name: str, at_ms: int = 0, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "time_ns": START_NS + at_ms * SECOND // 1000, "attributes": attributes}
