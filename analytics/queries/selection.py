"""Field selection: names as asked for -> registry rows, so that only selected columns are read."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analytics.registry.fields import ALIASES, BY_KEY, DEFAULT_KEYS, KEYED, SPAN_FIELDS, Relation, SpanField
from errors.catalog import INVALID_FIELD_VALUE
from errors.exceptions import ApiError

_NAMES = [*BY_KEY, *ALIASES]
_KEYED_NAMES = [f"{name}.<key>" for name in KEYED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A member to send: under which name, from which field; `key` narrows a document to one of its keys."""

    name: str
    field: SpanField
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The members of a reply. Named ones are always present; of the default ones those without value are left out."""

    members: tuple[Selected, ...]
    named: bool

    @property
    def needs_content(self) -> bool:
        """Whether any member is stored with the content."""
        return any(member.field.relation is Relation.CONTENT for member in self.members)


def _all(keys: Iterable[str]) -> tuple[Selected, ...]:
    return tuple(Selected(name=key, field=BY_KEY[key]) for key in keys)


DEFAULT_SELECTION = Selection(members=_all(DEFAULT_KEYS), named=False)
EVERYTHING = Selection(members=_all(field.key for field in SPAN_FIELDS), named=False)


def select(names: Sequence[str]) -> Selection:
    """Return the selection of `names` in their order, each once; raise 400/1202 for one that is no member."""
    chosen: Mapping[str, Selected] = {name: _one(name) for name in names}
    return Selection(members=tuple(chosen.values()), named=True)


def _one(name: str) -> Selected:
    head, dot, key = name.partition(".")
    document = ALIASES.get(head, head)
    if dot and key and document in KEYED:
        return Selected(name=name, field=BY_KEY[document], key=key)
    field = BY_KEY.get(ALIASES.get(name, name))
    if field is not None:
        return Selected(name=name, field=field)
    near = difflib.get_close_matches(name, _NAMES, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    allowed = ", ".join([*_NAMES, *_KEYED_NAMES])
    raise ApiError(INVALID_FIELD_VALUE, field="fields", details=f"{name[:64]}: {hint}allowed: {allowed}")
