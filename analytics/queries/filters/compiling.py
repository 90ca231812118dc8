"""From a filter to SQL. Every piece of SQL is one of the constants below; values and keys are parameters.

Logic has two values: a comparison with a missing value is false, and NOT is carried down to the comparisons, where it
becomes `IS NOT TRUE`. So a comparison that must hold stays as it is, and can use an index.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from analytics.queries.filters.questions import Question
from analytics.queries.filters.tree import Branch, Joint, Leaf, Node, reads_content
from analytics.registry.fields import FieldType
from analytics.registry.operators import BY_KEY as OPERATORS
from analytics.scope import Scope
from errors.json import dumps

NANO = 9
_HEX = frozenset("0123456789abcdef")
# The words of a row that the worker has not reached are made by the function that makes the stored vector.
HAS_TEXT = "(c.input_text IS NOT NULL OR c.output_text IS NOT NULL)"
_STORED = "c.search_vector @@ ({query}::tsquery && {owner})"
_UNSTORED = f"""(c.search_vector IS NULL AND c.ts >= %(tail_start)s AND c.ts <= %(tail_end)s AND {HAS_TEXT}
    AND {{answered}})"""
_MADE = "observatory_document(c.project_id, c.input_text, c.output_text)"
# A vector that has not kept all places of a word that the question is about sends on to the text.
_READ = """(NOT {vector} @@ {lacking}::tsquery
        OR observatory_answers({texts}, {phrases}::text[], {question}::tsquery))"""
_TEXTS = {"A": "c.input_text, NULL", "B": "NULL, c.output_text", "AB": "c.input_text, c.output_text"}
# Far cheaper than making a vector: most texts have nothing of the words in them. Words are in the lower case of the
# dictionaries, identifiers in that of `lower`: before PostgreSQL 18 an ICU locale makes two of them (İ, Σ, Turkish I).
HAS_A_PIECE = """(lower({text}) LIKE ANY({patterns}::text[])
        OR (ts_lexize('simple', {text}))[1] LIKE ANY({patterns}::text[]))"""
_WORTH = {"A": ("c.input_text",), "B": ("c.output_text",), "AB": ("c.input_text", "c.output_text")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Between these starts, both in, lie the rows that have no search vector yet."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """Full-text questions as the server reads them, by their text and weights, and the tail to scan with them."""

    queries: Mapping[tuple[str, str], Question] = field(default_factory=dict)
    tail: Tail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """A compiled filter: conditions on `s` and, where `content`, on `c` beside it."""

    sql: str = "true"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    content: bool = False


def compile_filter(node: Node | None, *, scope: Scope, owner: str, searches: Searches | None = None) -> Conditions:
    """Return the conditions of a filter; `owner` is SQL of the question that only rows of the scope answer."""
    if node is None:
        return Conditions()
    compiling = _Compiling(scope, owner, searches or Searches())
    sql = compiling.node(node, positive=True)
    return Conditions(sql=sql, parameters=compiling.parameters, content=reads_content(node))


class _Compiling:
    """One pass over a tree; it numbers the parameters."""

    def __init__(self, scope: Scope, owner: str, searches: Searches) -> None:
        self.scope = scope
        self.owner = owner
        self.searches = searches
        self.parameters: dict[str, Any] = {}

    def parameter(self, value: Any) -> str:
        name = f"f{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

    def node(self, node: Node, *, positive: bool) -> str:
        if isinstance(node, Leaf):
            return self._leaf(node, positive=positive)
        if node.joint is Joint.NOT:
            return self.node(node.parts[0], positive=not positive)
        joint = _joint(node, positive=positive)
        return f"({f' {joint} '.join(self.node(part, positive=positive) for part in node.parts)})"

    def _leaf(self, leaf: Leaf, *, positive: bool) -> str:
        operator = leaf.operator
        if operator.negates is not None:
            operator, positive = OPERATORS[operator.negates], not positive
        if operator.key == "exists" and leaf.value is False:
            positive = not positive
        sql = self._comparison(leaf, operator.key)
        return sql if positive else f"({sql}) IS NOT TRUE"

    def _comparison(self, leaf: Leaf, operator: str) -> str:
        if operator == "search":
            return self._search(leaf)
        if leaf.target.field.key == "project_id":
            numbers = [number for number, one in self.scope.projects.items()
                       if _MATCHES[operator](str(one.public_id), leaf.value)]  # fmt: skip
            return f"s.project_id = ANY({self.parameter(numbers)}::int[])"
        written = _WRITTEN.get((leaf.target.type, operator)) or _WRITTEN[None, operator]
        return written(self, leaf)

    def expression(self, leaf: Leaf) -> str:
        """Return the SQL of what is compared."""
        if leaf.target.key is None:
            return leaf.target.field.sql
        return f"({leaf.target.field.sql} -> {self.parameter(leaf.target.key)}::text)"

    def _search(self, leaf: Leaf) -> str:
        weights = leaf.target.field.weights
        question = self.searches.queries[leaf.value, weights]
        reading = question.reading
        query = self.parameter(question.query if reading is None else reading.candidates)
        stored = _STORED.format(query=query, owner=self.owner)
        unstored = f"{_MADE} @@ {query}::tsquery"
        if reading is not None:
            given = {
                "texts": _TEXTS[weights],
                "lacking": self.parameter(reading.lacking),
                "phrases": self.parameter(list(reading.phrases)),
                "question": self.parameter(reading.question),
            }
            stored = f"({stored} AND {_READ.format(vector='c.search_vector', **given)})"
            read = _READ.format(vector="made.vector", **given)
            unstored = f"(SELECT made.vector @@ {query}::tsquery AND {read} FROM {_MADE} AS made (vector))"
        if self.searches.tail is None:
            return stored
        if question.pieces:
            patterns = self.parameter([pattern_of(piece) for piece in question.pieces])
            worth = " OR ".join(HAS_A_PIECE.format(text=text, patterns=patterns) for text in _WORTH[weights])
            unstored = f"({worth}) AND {unstored}"
        self.parameters |= {"tail_start": self.searches.tail.start, "tail_end": self.searches.tail.end}
        return f"({stored} OR {_UNSTORED.format(answered=unstored)})"


def _joint(node: Branch, *, positive: bool) -> str:
    if positive:
        return node.joint.value
    return Joint.OR.value if node.joint is Joint.AND else Joint.AND.value


# What the operators on ids mean, for the one that is not stored as the client knows it.
_MATCHES: Mapping[str, Callable[[str, Any], bool]] = {
    "eq": lambda known, value: known == value,
    "in": lambda known, value: known in value,
    "starts_with": lambda known, value: known.startswith(value.lower()),
    "ends_with": lambda known, value: known.endswith(value.lower()),
    "exists": lambda _known, _value: True,
}


def literal(text: str) -> str:
    """Return `text` for LIKE, in which no character has a meaning."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def pattern_of(piece: str) -> str:
    """Return for LIKE what texts have that hold `piece`; which of its two small letters a Σ becomes, its place says."""
    return f"%{re.sub('[σς]', '_', literal(piece))}%"


def octets(value: str) -> bytes:
    """Return the bytes that lowercase hex digits spell; none, which no id equals, when they spell nothing."""
    return bytes.fromhex(value) if len(value) % 2 == 0 and _HEX.issuperset(value) else b""


def _stored(leaf: Leaf, value: Any) -> Any:
    """Return `value` in the form in which the member is stored."""
    if leaf.target.field.octets:
        return octets(value)
    if isinstance(value, Decimal):
        return _number(_nano(value) if leaf.target.type is FieldType.MONEY else value)
    return value


def _nano(value: Decimal) -> Decimal:
    """Return nano-dollars of dollars, of any number of digits: arithmetic would round to 28."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # no filter has an infinite number
    return Decimal((sign, digits, exponent + NANO))


def _number(value: Decimal) -> int | Decimal:
    """Return a whole number as such: an index compares it without a cast."""
    small = value.adjusted() < 18  # noqa: PLR2004  digits that a bigint always holds
    return int(value) if small and value == value.to_integral_value() else value


def _compared(leaf: Leaf, compiling: _Compiling) -> str:
    return leaf.target.field.octets or compiling.expression(leaf)


def _equal(compiling: _Compiling, leaf: Leaf) -> str:
    cast = _CASTS.get(leaf.target.type, "")
    if leaf.target.field.octets:
        cast = "::bytea"
    return f"{_compared(leaf, compiling)} = {compiling.parameter(_stored(leaf, leaf.value))}{cast}"


_CASTS: Mapping[FieldType, str] = {FieldType.ID: "::text", FieldType.LABEL: "::text", FieldType.CONTENT: "::text"}
_ARRAYS: Mapping[FieldType, str] = {
    FieldType.ID: "text[]",
    FieldType.LABEL: "text[]",
    FieldType.INTEGER: "numeric[]",
    FieldType.NUMBER: "numeric[]",
    FieldType.MONEY: "numeric[]",
    FieldType.TIME: "timestamptz[]",
}


def _one_of(compiling: _Compiling, leaf: Leaf) -> str:
    values = [_stored(leaf, value) for value in leaf.value]
    kind = _ARRAYS[leaf.target.type]
    if leaf.target.field.octets:
        kind = "bytea[]"
    elif kind == "numeric[]" and all(isinstance(value, int) for value in values):
        kind = "bigint[]"
    elif kind == "numeric[]":
        values = [Decimal(value) for value in values]  # the driver takes lists of one type
    return f"{_compared(leaf, compiling)} = ANY({compiling.parameter(values)}::{kind})"


def _order(sign: str) -> Callable[[_Compiling, Leaf], str]:
    def compile_(compiling: _Compiling, leaf: Leaf) -> str:
        return f"{compiling.expression(leaf)} {sign} {compiling.parameter(_stored(leaf, leaf.value))}"

    return compile_


def _between(compiling: _Compiling, leaf: Leaf) -> str:
    low, high = (compiling.parameter(_stored(leaf, value)) for value in leaf.value)
    return f"{compiling.expression(leaf)} BETWEEN {low} AND {high}"


def _like(before: str, after: str) -> Callable[[_Compiling, Leaf], str]:
    def compile_(compiling: _Compiling, leaf: Leaf) -> str:
        return f"{compiling.expression(leaf)} ILIKE {compiling.parameter(before + literal(leaf.value) + after)}::text"

    return compile_


def _regex(compiling: _Compiling, leaf: Leaf) -> str:
    return f"{compiling.expression(leaf)} ~* {compiling.parameter(leaf.value)}::text"


def _exists(compiling: _Compiling, leaf: Leaf) -> str:
    return f"{_compared(leaf, compiling)} IS NOT NULL"


def _overlap(compiling: _Compiling, leaf: Leaf) -> str:
    return f"{compiling.expression(leaf)} && {compiling.parameter(list(leaf.value))}::text[]"


def _has(compiling: _Compiling, leaf: Leaf) -> str:
    return f"{compiling.expression(leaf)} @> {compiling.parameter([leaf.value])}::text[]"


def _json(value: Any) -> str:
    return dumps(value).decode()


def _key_equal(compiling: _Compiling, leaf: Leaf) -> str:
    return f"{compiling.expression(leaf)} = {compiling.parameter(_json(leaf.value))}::jsonb"


def _key_order(sign: str) -> Callable[[_Compiling, Leaf], str]:
    def compile_(compiling: _Compiling, leaf: Leaf) -> str:
        x = compiling.expression(leaf)
        return f"CASE jsonb_typeof({x}) WHEN 'number' THEN {x}::numeric {sign} {compiling.parameter(leaf.value)} END"

    return compile_


def _key_between(compiling: _Compiling, leaf: Leaf) -> str:
    x = compiling.expression(leaf)
    low, high = (compiling.parameter(value) for value in leaf.value)
    return f"CASE jsonb_typeof({x}) WHEN 'number' THEN {x}::numeric BETWEEN {low} AND {high} END"


def _key_one_of(compiling: _Compiling, leaf: Leaf) -> str:
    x = compiling.expression(leaf)
    values = compiling.parameter([_json(value) for value in leaf.value])
    return f"""CASE jsonb_typeof({x})
        WHEN 'array' THEN EXISTS (
            SELECT FROM jsonb_array_elements({x}) AS one WHERE one = ANY({values}::text[]::jsonb[]))
        ELSE {x} = ANY({values}::text[]::jsonb[]) END"""


def _key_contains(compiling: _Compiling, leaf: Leaf) -> str:
    x = compiling.expression(leaf)
    text = ""
    if isinstance(leaf.value, str):
        pattern = compiling.parameter(f"%{literal(leaf.value)}%")
        text = f"WHEN 'string' THEN ({x} #>> '{{}}') ILIKE {pattern}::text"
    element = compiling.parameter(_json([leaf.value]))
    return f"CASE jsonb_typeof({x}) {text} WHEN 'array' THEN {x} @> {element}::jsonb END"


def _key_text(sign: str, before: str = "", after: str = "") -> Callable[[_Compiling, Leaf], str]:
    def compile_(compiling: _Compiling, leaf: Leaf) -> str:
        x = compiling.expression(leaf)
        value = leaf.value if sign == "~*" else before + literal(leaf.value) + after
        return (
            f"CASE jsonb_typeof({x}) WHEN 'string' THEN ({x} #>> '{{}}') {sign} {compiling.parameter(value)}::text END"
        )

    return compile_


def _key_exists(compiling: _Compiling, leaf: Leaf) -> str:
    return f"jsonb_typeof({compiling.expression(leaf)}) <> 'null'"


# Kind of member and operator -> its SQL; without a kind, that of all which have none of their own.
_WRITTEN: Mapping[tuple[FieldType | None, str], Callable[[_Compiling, Leaf], str]] = {
    (None, "eq"): _equal,
    (None, "gt"): _order(">"),
    (None, "gte"): _order(">="),
    (None, "lt"): _order("<"),
    (None, "lte"): _order("<="),
    (None, "in"): _one_of,
    (None, "between"): _between,
    (None, "contains"): _like("%", "%"),
    (None, "starts_with"): _like("", "%"),
    (None, "ends_with"): _like("%", ""),
    (None, "regex"): _regex,
    (None, "exists"): _exists,
    (FieldType.LIST, "in"): _overlap,
    (FieldType.LIST, "contains"): _has,
    (FieldType.KEY, "eq"): _key_equal,
    (FieldType.KEY, "gt"): _key_order(">"),
    (FieldType.KEY, "gte"): _key_order(">="),
    (FieldType.KEY, "lt"): _key_order("<"),
    (FieldType.KEY, "lte"): _key_order("<="),
    (FieldType.KEY, "between"): _key_between,
    (FieldType.KEY, "in"): _key_one_of,
    (FieldType.KEY, "contains"): _key_contains,
    (FieldType.KEY, "starts_with"): _key_text("ILIKE", after="%"),
    (FieldType.KEY, "ends_with"): _key_text("ILIKE", before="%"),
    (FieldType.KEY, "regex"): _key_text("~*"),
    (FieldType.KEY, "exists"): _key_exists,
}
