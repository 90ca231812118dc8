"""Members of spans as columns: of a CSV file, whose cells are for people and spreadsheets, and of a typed table."""

from collections.abc import Callable, Mapping
from typing import Any

from analytics.queries.rendering import PROJECT, Columns, json_of, value_of
from analytics.queries.selection import Selection
from analytics.registry.fields import BY_KEY, FieldType

# Characters by which a spreadsheet takes a cell for a formula: = + - @, TAB, CR.
_ACTIVE = "61,43,45,64,9,13"
_KEY_TEXT = "CASE jsonb_typeof({x}) WHEN 'string' THEN {text} ELSE ({x})::text END"


def _guarded(sql: str) -> str:
    return f"CASE WHEN ascii({sql}) IN ({_ACTIVE}) THEN '''' || {sql} ELSE {sql} END"


def _as_is(sql: str) -> str:
    return sql


def _as_text(sql: str) -> str:
    return f"({sql})::text"


def _as_json(kind: FieldType) -> Callable[[str], str]:
    return lambda sql: json_of(kind, sql)


def _unquoted_time(sql: str) -> str:
    return f"trim('\"' FROM {json_of(FieldType.TIME, sql)})"


def _key(guard: Callable[[str], str]) -> Callable[[str], str]:
    return lambda sql: _KEY_TEXT.format(x=sql, text=guard(f"({sql} #>> '{{}}')"))


def _micros(sql: str) -> str:
    return f"(extract(epoch FROM {sql}) * 1000000)::bigint"


# How a member becomes a cell. Text that a spreadsheet would run is held by a leading apostrophe.
_CELLS: Mapping[FieldType, Callable[[str], str]] = {
    FieldType.ID: _as_is,
    FieldType.LABEL: _guarded,
    FieldType.CONTENT: _guarded,
    FieldType.INTEGER: _as_is,
    FieldType.NUMBER: _as_json(FieldType.NUMBER),
    FieldType.MONEY: _as_json(FieldType.MONEY),
    FieldType.TIME: _unquoted_time,
    FieldType.LIST: _as_json(FieldType.LIST),
    FieldType.JSON: _as_json(FieldType.JSON),
    FieldType.KEY: _key(_guarded),
    FieldType.BOOLEAN: _as_text,
}
# How it becomes a value of a typed column, in the form that is read fastest: money in nano-dollars, times in
# microseconds since 1970, lists and documents as JSON.
_VALUES: Mapping[FieldType, Callable[[str], str]] = {
    **dict.fromkeys(FieldType, _as_is),
    FieldType.TIME: _micros,
    FieldType.LIST: _as_json(FieldType.LIST),
    FieldType.JSON: _as_json(FieldType.JSON),
    FieldType.KEY: _key(_as_is),
}


def cells(selection: Selection) -> Columns:
    """Return the columns of a CSV file."""
    return _columns(selection, _CELLS)


def values(selection: Selection) -> Columns:
    """Return the columns of a typed table."""
    return _columns(selection, _VALUES)


def _columns(selection: Selection, written: Mapping[FieldType, Callable[[str], str]]) -> Columns:
    parameters: dict[str, Any] = {}
    pieces = []
    for place, member in enumerate(selection.members):
        sql = PROJECT if member.field is BY_KEY["project_id"] else value_of(member, f"m{place}", parameters)
        pieces.append(written[member.type](sql))
    return Columns(sql=", ".join(pieces), parameters=parameters)
