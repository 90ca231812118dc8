"""Shapes of replies as data: which members there are, in which order, and which of them a selection asks for.

A route's shape gives its field selection, the figures that are computed for it, and its place in the OpenAPI document.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from analytics.registry.measures import FIGURES, Figure
from errors.catalog import INVALID_FIELD_VALUE
from errors.exceptions import ApiError
from errors.nearest import hint


class Kind(StrEnum):
    """What a member that is no figure is."""

    TEXT = "text"
    TIME = "time"
    DATE = "date"
    COUNT = "count"
    NUMBER = "number"
    MONEY = "money"
    RATE = "rate"
    PERCENT = "percent"
    BOOLEAN = "boolean"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A member without members: a figure, or another kind of value."""

    kind: Kind | None = None
    figure: Figure | None = None
    nullable: bool = False
    description: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A member with members; `many`: a list of such objects, of which those named `always` stay in any selection."""

    members: Mapping[str, "Node"]
    always: tuple[str, ...] = ()
    many: bool = False
    nullable: bool = False
    description: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def tree(self, name: str) -> "Tree":
        """Return a member that has members itself; one without any when it was not chosen."""
        found = self.members.get(name)
        return found if isinstance(found, Tree) else NOTHING

    @property
    def figures(self) -> list[Figure]:
        """The figures among the members themselves."""
        return [one.figure for one in self.members.values() if isinstance(one, Leaf) and one.figure is not None]

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Yield the dotted path of every member."""
        for name, node in self.members.items():
            yield prefix + name
            if isinstance(node, Tree):
                yield from node.paths(f"{prefix}{name}.")

    def chosen(self, paths: Sequence[str]) -> "Tree":
        """Return the shape with the members that `paths` name, an object whole; without any path, everything.

        Raise 400/1202 for a name that is no member.
        """
        if not paths:
            return self
        known = list(self.paths())
        for path in paths:
            if path not in known:
                raise ApiError(
                    INVALID_FIELD_VALUE,
                    field="fields",
                    details=f"{path}: {hint(path, known)}allowed: {', '.join(known)}",
                )
        return self.narrowed(frozenset(paths))

    def narrowed(self, paths: frozenset[str]) -> "Tree":
        """Return the shape with the members that `paths` name, all of which are members."""
        members: dict[str, Node] = {}
        for name, node in self.members.items():
            below = frozenset(path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}."))
            if name in paths or name in self.always:
                members[name] = node
            elif isinstance(node, Tree) and below:
                members[name] = node.narrowed(below)
        return replace(self, members=members)

    def cut(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of `body` is chosen, in the order of the shape."""
        return {name: _cut(node, body[name]) for name, node in self.members.items() if name in body}


Node = Leaf | Tree
NOTHING = Tree(members={})


def _cut(node: Node, value: Any) -> Any:
    if isinstance(node, Leaf) or value is None:
        return value
    return [node.cut(item) for item in value] if node.many else node.cut(value)


def figures(*keys: str) -> dict[str, Node]:
    """Return the members that are figures of these names."""
    return {key: Leaf(figure=FIGURES[key], nullable=FIGURES[key].nullable) for key in keys}


def leaf(kind: Kind, description: str = "", *, nullable: bool = False, many: bool = False) -> Leaf:
    """Return a member of a kind."""
    return Leaf(kind=kind, description=description, nullable=nullable, many=many)


TIMESTAMP_LEAF = leaf(Kind.TIME, "Start of the bucket.")
RANGE_MEMBERS: Mapping[str, Node] = {
    "start_time": leaf(Kind.TIME, "Start of the range that was answered."),
    "end_time": leaf(Kind.TIME, "Its end, exclusive."),
}
ORIGIN_MEMBERS: Mapping[str, Node] = {
    "as_of": leaf(Kind.TIME, "When the newest data of the range were written.", nullable=True),
    "data_source": leaf(Kind.TEXT, "rollup, spans or mixed."),
}
