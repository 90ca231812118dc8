"""Members as JSON that the database writes, so that a row is one text on its way to the client.

A row's text has the members of one relation and no braces: those of the span and of its content are joined later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from analytics.queries.selection import Selected, Selection
from analytics.registry.fields import BY_KEY, FieldType, Relation
from errors.json import dumps

_MOST_ARGUMENTS = 50  # of concat_ws, which takes a hundred
# How a value becomes JSON. Money is exact: whole nano-dollars times a decimal.
_JSON: Mapping[FieldType, str] = {
    FieldType.ID: "to_json({x})::text",
    FieldType.LABEL: "to_json({x})::text",
    FieldType.CONTENT: "to_json({x})::text",
    FieldType.INTEGER: "({x})::text",
    FieldType.NUMBER: "trim_scale({x})::text",
    FieldType.MONEY: "trim_scale({x} * 0.000000001)::text",
    FieldType.TIME: (
        "'\"' || replace(to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '') || 'Z\"'"
    ),
    FieldType.LIST: "to_json({x})::text",
    FieldType.JSON: "({x})::text",
    FieldType.KEY: "({x})::text",
    FieldType.BOOLEAN: "to_json({x})::text",
}
PROJECT = "(%(public)s::text[])[array_position(%(projects)s::int[], s.project_id)]"
_PROJECT = f"'\"' || {PROJECT} || '\"'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """SQL of the members of one relation as a text, `empty` where the row has none of them; its parameters."""

    sql: str
    empty: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether there are any members."""
        return self.sql != NOTHING


NOTHING = "''"


@lru_cache(maxsize=256)
def columns_of(selection: Selection, relation: Relation) -> Columns:
    """Return the SQL of the members of `selection` that `relation` stores."""
    return _columns([one for one in selection.members if one.field.relation is relation], selection, relation.value)


def whole(selection: Selection) -> Columns:
    """Return the SQL of all members of `selection`, for a statement that has both relations."""
    return _columns(selection.members, selection, "m")


def _columns(members: Sequence[Selected], selection: Selection, prefix: str) -> Columns:
    parameters: dict[str, Any] = {}
    pieces = [_piece(one, f"{prefix}{place}", parameters, named=selection.named) for place, one in enumerate(members)]
    empty = ",".join(f"{_name(one)}null" for one in members) if selection.named else ""
    return Columns(sql=_joined(pieces) if pieces else NOTHING, empty=empty, parameters=parameters)


def json_of(kind: FieldType, sql: str) -> str:
    """Return the SQL of a value of `kind` as JSON text."""
    return _JSON[kind].replace("{x}", sql)


# One step into a document: of an object its member, of a list that member of each element.
_STEP = """(SELECT CASE jsonb_typeof(d.x)
        WHEN 'array' THEN coalesce((
            SELECT jsonb_agg(e.one -> %({name})s::text ORDER BY e.place)
            FROM jsonb_array_elements(d.x) WITH ORDINALITY AS e (one, place)), '[]')
        ELSE d.x -> %({name})s::text END FROM (SELECT {x} AS x) AS d)"""


def value_of(member: Selected, name: str, parameters: dict[str, Any]) -> str:
    """Return the SQL of what a member is, and add to `parameters` the steps into a document, called after `name`."""
    if member.key is not None:
        parameters[f"{name}_key"] = member.key
        return f"({member.field.sql} -> %({name}_key)s::text)"
    sql = member.field.sql
    for place, step in enumerate(member.path):
        parameters[f"{name}_step{place}"] = step
        sql = _STEP.replace("{name}", f"{name}_step{place}").replace("{x}", sql)
    return sql


def _name(member: Selected) -> str:
    return f"{dumps(member.name).decode()}:"


def _piece(member: Selected, name: str, parameters: dict[str, Any], *, named: bool) -> str:
    if member.field is BY_KEY["project_id"]:
        value = _PROJECT
    else:
        value = json_of(member.type, value_of(member, name, parameters))
    shown = _name(member)
    if member.type is member.field.type:
        prefix = f"'{shown}'"  # a name of the registry
    else:
        parameters[f"{name}_name"] = shown
        prefix = f"%({name}_name)s"
    return f"{prefix} || coalesce({value}, 'null')" if named else f"{prefix} || {value}"


def _joined(pieces: Sequence[str]) -> str:
    if len(pieces) <= _MOST_ARGUMENTS:
        return f"concat_ws(',', {', '.join(pieces)})"
    parts = [_joined(pieces[start : start + _MOST_ARGUMENTS]) for start in range(0, len(pieces), _MOST_ARGUMENTS)]
    return f"concat_ws(',', {', '.join(f'nullif({part}, {NOTHING})' for part in parts)})"


def braced(parts: Iterable[str]) -> str:
    """Return one object of the parts that are not empty."""
    return f"{{{','.join(filter(None, parts))}}}"


def listed(objects: Iterable[str]) -> bytes:
    """Return a list of objects as UTF-8."""
    return f"[{','.join(objects)}]".encode()
