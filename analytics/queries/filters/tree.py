"""A validated filter: comparisons of members with values, joined by AND, OR and NOT."""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from analytics.registry.fields import ALIASES, BOTH_TEXTS, BY_KEY, KEYED, FieldType, Relation, SpanField
from analytics.registry.operators import OPERATORS, Operator


class FilterProblemError(Exception):
    """A comparison that cannot be: `part` says what of it is wrong, the text what is allowed there."""

    def __init__(self, part: str, allowed: str) -> None:
        super().__init__(allowed)
        self.part = part
        self.allowed = allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is compared: a member, or with `key` one key of a member that is a document."""

    name: str
    field: SpanField
    key: str | None = None

    @property
    def type(self) -> FieldType:
        """The kind of the compared value."""
        return self.field.type if self.key is None else FieldType.KEY

    @property
    def operators(self) -> Sequence[Operator]:
        """The operators that serve it."""
        return [one for one in OPERATORS if self.type in one.types and (one.key != "search" or self.field.weights)
                and (self.field is not BOTH_TEXTS or one.key == "search")]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a request something stands: the parameter, or the path in a body; of a line also the token."""

    name: str
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One comparison. The value is read: numbers are decimals, times instants, lists tuples."""

    target: Target
    operator: Operator
    value: Any
    place: Place = dataclasses.field(default=Place(name="filter"), compare=False)


class Joint(StrEnum):
    """What joins the parts of a filter."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Parts that must all hold, one of which must, or one that must not."""

    joint: Joint
    parts: tuple["Node", ...]


Node: TypeAlias = Leaf | Branch

_NAMES = [*(key for key, field in BY_KEY.items() if field.filterable), *ALIASES, BOTH_TEXTS.key]
_KEYED_NAMES = [f"{name}.<key>" for name in KEYED]


def target_named(name: str) -> Target:
    """Return what `name` compares; raise `FilterProblemError` with the nearest names when it is nothing."""
    head, dot, key = name.partition(".")
    document = ALIASES.get(head, head)
    if dot and key and document in KEYED and "\0" not in key:
        return Target(name=name, field=BY_KEY[document], key=key)
    field = BOTH_TEXTS if name == BOTH_TEXTS.key else BY_KEY.get(ALIASES.get(name, name))
    if field is not None and field.filterable:
        return Target(name=name, field=field)
    near = difflib.get_close_matches(name, _NAMES, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise FilterProblemError("field", f"{name[:64]!r}: {hint}allowed: {', '.join([*_NAMES, *_KEYED_NAMES])}")


def joined(joint: Joint, parts: Sequence[Node]) -> Node | None:
    """Return `parts` as one filter: none without any, the part itself when there is one."""
    if len(parts) > 1:
        return Branch(joint=joint, parts=tuple(parts))
    return parts[0] if parts else None


def leaves(node: Node | None) -> Iterator[Leaf]:
    """Yield the comparisons of a filter from left to right."""
    if isinstance(node, Leaf):
        yield node
    elif node is not None:
        for part in node.parts:
            yield from leaves(part)


def reads_content(node: Node | None) -> bool:
    """Whether a comparison needs the content beside the span."""
    return any(leaf.target.field.relation is Relation.CONTENT for leaf in leaves(node))


def asserted(node: Node | None, *, positive: bool = True) -> list[Leaf]:
    """Return the comparisons that speak for a row: those that no NOT turns round."""
    if isinstance(node, Branch):
        side = positive != (node.joint is Joint.NOT)
        return [leaf for part in node.parts for leaf in asserted(part, positive=side)]
    return [node] if node is not None and positive else []


def searched(node: Node | None) -> list[Leaf]:
    """Return the full-text questions that rows are found and ranked by."""
    return [leaf for leaf in asserted(node) if leaf.operator.key == "search"]
