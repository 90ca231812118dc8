"""Field selection: names as asked for -> registry rows, so that only selected columns are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analytics.registry.fields import ALIASES, BY_KEY, DEFAULT_KEYS, KEYED, SPAN_FIELDS, FieldType, Relation, SpanField
from errors.catalog import INVALID_FIELD_VALUE
from errors.exceptions import ApiError
from errors.nearest import hint

_NAMES = [*BY_KEY, *ALIASES]
_KEYED_NAMES = [f"{name}.<key>" for name in KEYED]
_PATHED = frozenset(key for key, field in BY_KEY.items() if field.type is FieldType.JSON and key not in KEYED)
_PATHED_NAMES = [f"{name}.<path>" for name in BY_KEY if name in _PATHED]
_MOST_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A member to send: under which name, from which field.

    `key` narrows a document to one of its keys; `path` leads into a document step by step, through a list into each of
    its elements.
    """

    name: str
    field: SpanField
    key: str | None = None
    path: tuple[str, ...] = ()

    @property
    def type(self) -> FieldType:
        """The kind of the value; that of a part of a document is told row by row."""
        return self.field.type if self.key is None and not self.path else FieldType.KEY


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


def select(names: Sequence[str], *, beside: Sequence[str] = ()) -> Selection:
    """Return the selection of `names` in their order, each once; raise 400/1202 for one that is no member.

    `beside` are other names that could have been meant: members that are told beside those of a span.
    """
    chosen: Mapping[str, Selected] = {name: _one(name, beside) for name in names}
    return Selection(members=tuple(chosen.values()), named=True)


def below(names: Sequence[str], member: str) -> tuple[list[str], list[str]]:
    """Return the names that are not of `member`, and those below it without its own; `member` alone names all of it."""
    inner = [name.removeprefix(f"{member}.") for name in names if name.startswith(f"{member}.")]
    if member in names:
        inner = []
    return [name for name in names if name != member and not name.startswith(f"{member}.")], inner


def only(names: Sequence[str], known: Sequence[str], *, of: str) -> tuple[str, ...]:
    """Return the names below the member `of`; raise 400/1202 for one that is not among the `known`."""
    for name in names:
        if name not in known:
            raise _unknown(f"{of}.{name}", [f"{of}.{one}" for one in known])
    return tuple(names)


def _one(name: str, beside: Sequence[str]) -> Selected:
    head, dot, key = name.partition(".")
    document = ALIASES.get(head, head)
    if dot and key and document in KEYED:
        return Selected(name=name, field=BY_KEY[document], key=key)
    steps = tuple(key.split("."))
    if dot and document in _PATHED and all(steps) and len(steps) <= _MOST_STEPS:
        return Selected(name=name, field=BY_KEY[document], path=steps)
    field = BY_KEY.get(ALIASES.get(name, name))
    if field is not None:
        return Selected(name=name, field=field)
    raise _unknown(name, [*_NAMES, *beside], [*_KEYED_NAMES, *_PATHED_NAMES])


def _unknown(name: str, names: Sequence[str], forms: Sequence[str] = ()) -> ApiError:
    allowed = ", ".join([*names, *forms])
    return ApiError(INVALID_FIELD_VALUE, field="fields", details=f"{name[:64]}: {hint(name, names)}allowed: {allowed}")
