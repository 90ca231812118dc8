"""What a row of a vocabulary says: which fact of a span is read from which name, and how."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.ingest.readers import Reader

# Fields of one item of an indexed list, by the rest of their name: `llm.tools.0.tool.name` has the field `tool.name`.
Fields = Mapping[str, Any]
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`member` is read from the first of `names` that tells it; a dotted member is a key of an object member.

    Names leave the span's attributes, those of a row with `stays` do not: they tell something of their own as well.
    """

    member: str
    names: tuple[str, ...]
    read: Reader
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedRow:
    """`member` is read from a list that is spread over names `<prefix>.<index>.<field>`, its items in order of index.

    `fields`, when given, are the beginnings of the fields that are meant; others stay in the span's attributes, and so
    do those that `left` returns of an item: what is not in the member.
    """

    member: str
    prefix: str
    read: Callable[[Sequence[Fields]], Any]
    fields: tuple[str, ...] = ("",)
    left: Callable[[Fields], Iterable[str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """Every name `<prefix>.<key>` is a key of the object `member`."""

    member: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """`member` is read from the span's events called one of `names`: all of them, in order, at once.

    `read` also gets the span's start (ns). With `left` events that were read leave the span, but for what it returns:
    attributes of an event that are not in the member.
    """

    member: str
    names: tuple[str, ...]
    read: Callable[[Sequence[Event], int], Any]
    left: Callable[[Event], dict[str, Any]] | None = None


AnyRow = Row | IndexedRow | OpenRow | EventRow
