"""How members can be compared: every operator with the kinds of members it serves and the value it takes.

The filter language, its errors, the OpenAPI document and the reference page are derived from these rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from analytics.registry.fields import FieldType


class Operand(StrEnum):
    """The shape of the value beside an operator."""

    ONE = "one value"
    TEXT = "a text"
    LIST = "a list of values"
    PAIR = "a list of two values, the lower first"
    FLAG = "true or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator. Those with `negates` are the exact complement of the operator they name."""

    key: str
    operand: Operand
    types: frozenset[FieldType]
    description: str
    negates: str | None = None


_ORDERED = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY, FieldType.TIME, FieldType.KEY})
_TEXTS = frozenset({FieldType.LABEL, FieldType.CONTENT, FieldType.KEY})
_EQUAL = frozenset(FieldType) - {FieldType.LIST, FieldType.JSON}
_LISTED = frozenset({FieldType.ID, FieldType.LABEL, FieldType.LIST}) | _ORDERED
_HELD = _TEXTS | {FieldType.LIST}

OPERATORS: tuple[Operator, ...] = (
    Operator(key="eq", operand=Operand.ONE, types=_EQUAL, description="Equal; texts with case."),
    Operator(key="ne", operand=Operand.ONE, types=_EQUAL, negates="eq", description="Not equal, or without value."),
    Operator(key="gt", operand=Operand.ONE, types=_ORDERED, description="Greater, later."),
    Operator(key="gte", operand=Operand.ONE, types=_ORDERED, description="Greater or equal."),
    Operator(key="lt", operand=Operand.ONE, types=_ORDERED, description="Less, earlier."),
    Operator(key="lte", operand=Operand.ONE, types=_ORDERED, description="Less or equal."),
    Operator(key="between", operand=Operand.PAIR, types=_ORDERED, description="From the first to the second, both in."),
    Operator(key="in", operand=Operand.LIST, types=_LISTED, description="One of the list; for lists: one in common."),
    Operator(
        key="not_in",
        operand=Operand.LIST,
        types=_LISTED,
        negates="in",
        description="None of the list, or without value.",
    ),
    Operator(
        key="contains",
        operand=Operand.ONE,
        types=_HELD,
        description="Has the text in it, in any case; for lists: has the element.",
    ),
    Operator(
        key="not_contains",
        operand=Operand.ONE,
        types=_HELD,
        negates="contains",
        description="Has it not, or is without value.",
    ),
    Operator(
        key="starts_with",
        operand=Operand.TEXT,
        types=_TEXTS | {FieldType.ID},
        description="Begins with the text, in any case.",
    ),
    Operator(
        key="ends_with",
        operand=Operand.TEXT,
        types=_TEXTS | {FieldType.ID},
        description="Ends with the text, in any case.",
    ),
    Operator(
        key="regex",
        operand=Operand.TEXT,
        types=_TEXTS,
        description="Matches the POSIX regular expression somewhere, in any case.",
    ),
    Operator(
        key="search",
        operand=Operand.TEXT,
        types=frozenset({FieldType.CONTENT}),
        description='Full text of input_text, output_text or content (both): words, "a phrase", OR, -word.',
    ),
    Operator(
        key="exists",
        operand=Operand.FLAG,
        types=frozenset(FieldType),
        description="true: has a value; false: has none.",
    ),
)
BY_KEY: Mapping[str, Operator] = {operator.key: operator for operator in OPERATORS}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


# Operators are accepted in any case, with or without underscores, and under one more name.
SPELLINGS: Mapping[str, Operator] = {
    **{_plain(operator.key): operator for operator in OPERATORS},
    "nin": BY_KEY["not_in"],
}


def operator_named(name: str) -> Operator | None:
    """Return the operator that `name` spells, `None` when there is none."""
    return SPELLINGS.get(_plain(name))
