"""Readers of span events."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.ingest.readers import Reader, number, text
from analytics.ingest.vocabularies.rows import Event, Fields
from errors.json import rfc3339

_NS_PER_MS = 1_000_000


def since_start(events: Sequence[Event], start_ns: int) -> int | None:
    """Milliseconds from the span's start to the first of `events`, rounded to the nearest."""
    waited = min(event["time_ns"] for event in events) - start_ns
    return (waited + _NS_PER_MS // 2) // _NS_PER_MS if waited >= 0 else None


def happened(_events: Sequence[Event], _start_ns: int) -> bool:
    """True: there is such an event."""
    return True


def last_text(name: str) -> Callable[[Sequence[Event], int], Any]:
    """Return a reader of attribute `name` of the last event that has it: what ended the span comes last."""

    def read(events: Sequence[Event], _: int) -> str | None:
        return next((said for event in reversed(events) if (said := text(event["attributes"].get(name)))), None)

    return read


def last(name: str, read_value: Reader) -> Callable[[Sequence[Event], int], Any]:
    """Return a reader of attribute `name` of the last event from which `read_value` reads something."""

    def read(events: Sequence[Event], _: int) -> Any:
        found = (read_value(event["attributes"].get(name)) for event in reversed(events))
        return next((value for value in found if value is not None), None)

    return read


def evaluations(events: Sequence[Event], _: int) -> list[dict[str, Any]] | None:
    """What events of OTel say who judged the span; one without a name of the evaluator or any result says nothing."""
    told = [
        _evaluation(event["attributes"], "gen_ai.evaluation.{}", score="score.value", label="score.label")
        | {"ts": moment(event["time_ns"])}
        for event in events
    ]
    return _usable(told)


def spread_evaluations(kind: str) -> Callable[[Sequence[Fields]], list[dict[str, Any]] | None]:
    """Return a reader of judgements whose fields are spread over names `<kind>.name`, `<kind>.score` and so on."""

    def read(items: Sequence[Fields]) -> list[dict[str, Any]] | None:
        return _usable([_evaluation(item, f"{kind}.{{}}", score="score", label="label") for item in items])

    return read


def evaluation_left(kind: str) -> Callable[[Fields], Iterable[str]]:
    """Return what tells the fields of a judgement that `spread_evaluations` does not read: all of an unusable one."""

    def left(item: Fields) -> Iterable[str]:
        said = _evaluation(item, f"{kind}.{{}}", score="score", label="label")
        if not _usable([said]):
            return item
        read = {f"{kind}.{key.removeprefix('evaluator_')}" for key in said}
        return [field for field in item if field not in read]

    return left


def _evaluation(told: Fields, form: str, *, score: str, label: str) -> dict[str, Any]:
    said = {
        "evaluator_name": text(told.get(form.format("name"))),
        "score": number(told.get(form.format(score))),
        "label": text(told.get(form.format(label))),
        "explanation": text(told.get(form.format("explanation"))),
    }
    return {key: value for key, value in said.items() if value is not None}


def _usable(told: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return [one for one in told if "evaluator_name" in one and ("score" in one or "label" in one)] or None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(nanoseconds: int) -> str:
    """Nanoseconds since 1970 as a UTC time; below a microsecond is cut off."""
    return rfc3339(_EPOCH + timedelta(microseconds=nanoseconds // 1000))
