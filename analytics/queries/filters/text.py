r"""Filters as people type them: `model:gpt-4o cost>0.5 -env:staging "context length"`.

    terms        all must hold; OR between two sets of terms, ( ) around them, - before one that must not hold
    word "a b"   full text of input and output
    name:value   equal; texts and lists: has it; a,b: one of them; gpt-*: begins with; 5..10: between; *: has a value
    name=value   equal; != > >= < <= compare; ~ is a regular expression
    "..."        a value with spaces or signs; \\" is a quote in it

The tree is the one that the JSON form gives.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.queries.filters.tree import (
    Branch,
    FilterProblemError,
    Joint,
    Leaf,
    Node,
    Place,
    Target,
    joined,
    target_named,
)
from analytics.queries.filters.values import Limits, comparison, from_text, readings
from analytics.registry.fields import BOTH_TEXTS, BY_KEY, FieldType
from analytics.registry.operators import BY_KEY as OPERATORS
from errors.catalog import FILTER_TOO_DEEP, INVALID_FILTER, LIMIT_EXCEEDED
from errors.exceptions import ApiError

PARAMETER = "q"
_SIGNS: Mapping[str, str] = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "~": "regex"}
SHORT_NAMES: Mapping[str, str] = {
    "env": "environment",
    "service": "service_name",
    "user": "user_id",
    "session": "session_id",
}
_STATUSES = {"ok": "OK", "success": "OK", "error": "ERROR", "unset": "UNSET"}
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<open>\() | (?P<close>\))
  | (?P<joint>(?:OR|AND|NOT)(?=[\s()]|$))
  | (?P<minus>-(?=[^\s)]))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[^\s:<>=!~"()]+)?)(?P<sign>:|!=|>=|<=|=|>|<|~)
        (?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<bare>[^\s"()]*))
  | (?P<phrase>"(?:[^"\\]|\\.)*")
  | (?P<word>[^\s"()]+)
    """,
    flags=re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A piece of the line; `place` counts characters from 1."""

    kind: str
    text: str
    place: int
    parts: Mapping[str, str | None]


def read_line(line: str, *, limits: Limits) -> Node | None:
    """Return the tree of a line, none of an empty one.

    Raises 400/1213 naming the token, its position and what is allowed there, 400/1205 beyond a limit.
    """
    reading = _Reading(_tokens(line), limits)
    node = reading.either(depth=1)
    if (left := reading.peek()) is not None:
        raise _invalid(left, "a term; there is no ( for this )")
    return node


def _tokens(line: str) -> list[_Token]:
    found, place = [], 0
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None:  # only an open quote fits nothing
            rest = _Token(kind="quote", text=line[place:], place=place + 1, parts={})
            raise _invalid(rest, 'a closing " for this one')
        kind = next(name for name, text in match.groupdict().items() if text is not None)
        if kind == "name" and line[match.end() : match.end() + 1] == '"':
            rest = _Token(kind="quote", text=line[match.end() :], place=match.end() + 1, parts={})
            raise _invalid(rest, 'a closing " for this one, and nothing before it')
        if kind != "space":
            found.append(_Token(kind=kind, text=match[0], place=place + 1, parts=match.groupdict()))
        place = match.end()
    return found


class _Reading:
    """One pass over the tokens; it counts the comparisons."""

    def __init__(self, tokens: Sequence[_Token], limits: Limits) -> None:
        self.tokens = tokens
        self.limits = limits
        self.place = 0
        self.leaves = 0

    def peek(self) -> _Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def either(self, *, depth: int) -> Node | None:
        """Read sets of terms with OR between them."""
        if depth > self.limits.depth:
            raise ApiError(FILTER_TOO_DEEP, field=PARAMETER, high=self.limits.depth)
        sets = [self._all(depth)]
        while (token := self.peek()) is not None and token.text == "OR" and token.kind == "joint":
            self.place += 1
            if sets[-1] is None:
                raise _invalid(token, "a term before OR")
            sets.append(self._all(depth))
            if sets[-1] is None:
                raise _invalid(token, "a term after OR")
        return joined(Joint.OR, [one for one in sets if one is not None])

    def _all(self, depth: int) -> Node | None:
        parts: list[Node] = []
        words: list[_Token] = []
        while (token := self.peek()) is not None and token.kind != "close" and token.text != "OR":
            if token.kind in {"word", "phrase"}:
                words.append(token)
                self.place += 1
            elif token.kind == "joint" and token.text == "AND":
                self.place += 1
            else:
                parts.append(self._part(depth))
        if words:
            parts.append(self._search(words))
        return joined(Joint.AND, parts)

    def _part(self, depth: int) -> Node:
        token = self._next()
        if token.kind == "open":
            inner = self.either(depth=depth + 1)
            closing = self.peek()
            if inner is None or closing is None:
                raise _invalid(token, "terms and a ) for this (")
            self.place += 1
            return inner
        if token.kind in {"minus", "joint"}:
            if depth > self.limits.depth:
                raise ApiError(FILTER_TOO_DEEP, field=PARAMETER, high=self.limits.depth)
            following = self.peek()
            if following is None or following.kind == "close" or following.text == "OR":
                raise _invalid(token, f"a term after {token.text}")
            return Branch(joint=Joint.NOT, parts=(self._part(depth + 1),))
        if token.kind in {"word", "phrase"}:
            return self._search([token])
        return self._comparison(token)

    def _next(self) -> _Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def _count(self) -> None:
        self.leaves += 1
        if self.leaves > self.limits.leaves:
            raise ApiError(LIMIT_EXCEEDED, field=PARAMETER, low=1, high=self.limits.leaves)

    def _search(self, words: Sequence[_Token]) -> Leaf:
        self._count()
        text = " ".join(word.text.replace('\\"', " ") for word in words)
        target = Target(name=BOTH_TEXTS.key, field=BOTH_TEXTS)
        return Leaf(target=target, operator=OPERATORS["search"], value=text, place=_place(words[0]))

    def _comparison(self, token: _Token) -> Node:
        self._count()
        name, sign = token.parts["name"] or "", token.parts["sign"] or ""
        quoted, bare = token.parts["quoted"], token.parts["bare"] or ""
        try:
            target = target_named(SHORT_NAMES.get(name, name))
            operator, value = _operation(target, sign, quoted, bare)
            return comparison(target, operator, value, limits=self.limits, place=_place(token))
        except FilterProblemError as problem:
            hint = " To search for it as it is, put it in double quotes." if problem.part == "field" else ""
            raise _invalid(token, problem.allowed, hint) from None


def _operation(target: Target, sign: str, quoted: str | None, bare: str) -> tuple[str, Any]:
    """Return the operator and the value, in the form that JSON would give it, behind a name."""
    if not quoted and not bare:
        raise FilterProblemError("value", f'a value directly after {sign}, or "" for the empty text')
    if sign == ":":
        return _meant(target, bare) if quoted is None else _quoted(target, _unquoted(quoted))
    operator = _SIGNS[sign]
    if quoted is not None:
        return operator, _unquoted(quoted)
    return operator, bare if operator == "regex" else _value(target, bare)


def _meant(target: Target, text: str) -> tuple[str, Any]:
    """Return operator and value of `name:text` without quotes."""
    if text == "*" and target.field is not BOTH_TEXTS:
        return "exists", True
    allowed = {one.key for one in target.operators}
    return _spread(target, text, allowed) or _single(target, text, allowed)


def _spread(target: Target, text: str, allowed: set[str]) -> tuple[str, Any] | None:
    """Return what a text with dots, a star or commas in it means."""
    low, dots, high = text.partition("..")
    if dots and "between" in allowed and low and high:
        return "between", [_number_of_key(target, low), _number_of_key(target, high)]
    if "starts_with" in allowed and "*" in (text[0], text[-1]):
        return _pattern(target, text)
    if "in" in allowed and ("," in text or target.type is FieldType.KEY):
        return "in", [value for item in text.split(",") if item for value in _readings(target, item)]
    return None


def _single(target: Target, text: str, allowed: set[str]) -> tuple[str, Any]:
    if target.field is BOTH_TEXTS:
        return "search", text
    if target.type in {FieldType.CONTENT, FieldType.LIST} and "contains" in allowed:
        return "contains", text
    return "eq", _value(target, text)


def _pattern(target: Target, text: str) -> tuple[str, Any]:
    core = text.strip("*")
    if text[0] == text[-1] == "*":
        if not any(one.key == "contains" for one in target.operators):
            raise FilterProblemError("value", "one * only, at the start or at the end")
        return "contains", core
    return ("ends_with" if text[0] == "*" else "starts_with"), core


def _quoted(target: Target, text: str) -> tuple[str, Any]:
    if target.field is BOTH_TEXTS:
        return "search", f'"{text}"'
    if target.type in {FieldType.CONTENT, FieldType.LIST}:
        return "contains", text
    return "eq", from_text(target, text)


def _value(target: Target, text: str) -> Any:
    if target.field is BY_KEY["status_code"]:
        return _STATUSES.get(text.lower(), text)
    if target.type is FieldType.KEY:
        return readings(text)[-1]
    return from_text(target, text)


def _readings(target: Target, text: str) -> list[Any]:
    return readings(text) if target.type is FieldType.KEY else [_value(target, text)]


def _number_of_key(target: Target, text: str) -> Any:
    return readings(text)[-1] if target.type is FieldType.KEY else from_text(target, text)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _place(token: _Token) -> Place:
    shown = token.text if len(token.text) <= 60 else token.text[:60] + "…"  # noqa: PLR2004  a line of a terminal
    return Place(name=PARAMETER, token=f"At character {token.place}, {shown!r}: ")


def _invalid(token: _Token, allowed: str, hint: str = "") -> ApiError:
    return ApiError(INVALID_FILTER, field=PARAMETER, details=f"{_place(token).token}allowed here: {allowed}.{hint}")
