"""The table of vocabularies as people read it: which names tell a member, in order."""

from collections.abc import Mapping, Sequence

from analytics.ingest.vocabularies.rows import AnyRow, EventRow, IndexedRow, OpenRow, Row
from analytics.ingest.vocabularies.table import RESOURCE, ROWS

# Facts that end in a member of another name.
_MEMBERS = {
    "input_plain": "input_text",
    "output_plain": "output_text",
    "instructions": "input_messages",
    "answer": "output_messages",
    "answer_calls": "output_messages",
    "answer_reasoning": "output_messages",
    "entity_name": "tool_name, agent_name, workflow_name by the kind of span",
    "metadata": "attributes.metadata",
    "reported_cost_nanousd": "reported_cost_usd",
    "service_tier": "tier of the price",
}


def names_by_member() -> Mapping[str, Sequence[str]]:
    """Return member -> the names that tell it, in the order in which they are tried, ready to be shown."""
    found: dict[str, dict[str, None]] = {}
    for row in ROWS:
        member = _MEMBERS.get(row.member, row.member)
        # Keys of an object are told with the object.
        found.setdefault(member.partition(".")[0] if row.member != "metadata" else member, {}).update(
            dict.fromkeys(_shown(row))
        )
    return {member: tuple(names) for member, names in sorted(found.items())}


def resource_names() -> Mapping[str, Sequence[str]]:
    """Return member -> the names of resource attributes that tell it."""
    return {member: tuple(f"`{name}`" for name in names) for member, names in RESOURCE}


def _shown(row: AnyRow) -> Sequence[str]:
    match row:
        case Row():
            return tuple(f"`{name}`{'+' if row.stays else ''}" for name in row.names)
        case EventRow():
            return tuple(f"event `{name}`" for name in row.names)
        case IndexedRow():
            return tuple(f"`{row.prefix}.N.{_any_rest(field)}`" for field in row.fields)
        case OpenRow():
            return (f"`{row.prefix}.*`",)


def _any_rest(field: str) -> str:
    return f"{field}*" if not field or field.endswith(".") else field
