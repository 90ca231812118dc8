"""What stands behind a name in a typed line: `:` with values in their many forms, signs with one value."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.queries.filters.tokens import SIGN
from analytics.queries.filters.tree import FilterProblemError, Target
from analytics.queries.filters.values import from_text, readings
from analytics.registry.fields import BOTH_TEXTS, BY_KEY, FieldType

# One comparison: the operator and its value, in the form that JSON would give it.
Operation = tuple[str, Any]

SIGNS: Mapping[str, str] = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "~": "regex"}
SHORT_NAMES: Mapping[str, str] = {
    "env": "environment",
    "service": "service_name",
    "user": "user_id",
    "session": "session_id",
}
_STATUSES = {"ok": "OK", "success": "OK", "error": "ERROR", "unset": "UNSET"}
_ITEM = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^",]*))(?P<comma>,|$)', flags=re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One value; in double quotes nothing in it has a meaning."""

    text: str
    quoted: bool

    @property
    def literal(self) -> bool:
        """Whether it is compared as it stands: no star, no range."""
        return self.quoted or ("*" not in self.text and ".." not in self.text)


def signs_for(target: Target) -> str:
    """Return the signs that can stand between `target` and a value."""
    known = {one.key for one in target.operators}
    if known == {"exists"}:
        return ":*"
    return " ".join([":", *(sign for sign, key in SIGNS.items() if key in known)])


def operations(target: Target, sign: str, given: str) -> list[Operation]:
    """Return the comparisons one of which must hold; behind `!=` all of them.

    Raises `FilterProblemError` for what cannot stand behind the name and the sign.
    """
    if not given:
        raise FilterProblemError("value", f'a value directly after {sign}, or "" for the empty text')
    if sign != "~" and (first := SIGN.match(given)):
        raise FilterProblemError(
            "value", f"a value directly after {sign}, in double quotes if it begins with {first[0]}"
        )
    if sign != ":":
        return _compared(target, sign, _whole(given))
    known = {one.key for one in target.operators}
    items = _items(given) if "in" in known else [_whole(given)]
    if len(items) > 1 and all(one.literal for one in items):
        return [("in", [value for one in items for value in _values(target, one)])]
    if len(items) > 1 and any(one.text == "*" and not one.quoted for one in items):
        raise FilterProblemError("value", "values between the commas; * for any value stands alone")
    return [_meant(target, one, known) for one in items]


def _items(given: str) -> list[_Item]:
    """Return the values between commas."""
    found: list[_Item] = []
    place, comma = 0, ","
    while comma:
        match = _ITEM.match(given, place)
        if match is None:
            raise FilterProblemError("value", "double quotes around the whole of a value, or none")
        quoted = match["quoted"]
        if quoted is None and not match["bare"]:
            raise FilterProblemError("value", 'a value before and after each comma; a comma in a value: "a,b"')
        found.append(_Item(text=match["bare"] if quoted is None else _unescaped(quoted), quoted=quoted is not None))
        place, comma = match.end(), match["comma"]
    return found


def _whole(given: str) -> _Item:
    """Return the one value that `given` is; commas have no meaning in it."""
    if '"' not in given:
        return _Item(text=given, quoted=False)
    match = _ITEM.fullmatch(given)
    if match is None or match["quoted"] is None or match["comma"]:
        raise FilterProblemError("value", "double quotes around the whole of one value, or none")
    return _Item(text=_unescaped(match["quoted"]), quoted=True)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _compared(target: Target, sign: str, item: _Item) -> list[Operation]:
    operator = SIGNS[sign]
    if operator == "regex" or (target.type is FieldType.KEY and item.quoted):
        return [(operator, item.text)]
    values = _values(target, item)
    return [(operator, value) for value in (values if operator in {"eq", "ne"} else values[-1:])]


def _meant(target: Target, item: _Item, known: set[str]) -> Operation:
    """Return what `name:item` means."""
    if target.field is BOTH_TEXTS:
        return "search", _question(item)
    if item.quoted:
        return _equal(target, item, known)
    if item.text == "*":
        return "exists", True
    low, dots, high = item.text.partition("..")
    if dots and "between" in known and low and high:
        return "between", [_values(target, _Item(text=one, quoted=False))[-1] for one in (low, high)]
    if "*" in item.text and (known & {"starts_with", "contains"}):
        return _pattern(item.text, known)
    return _equal(target, item, known)


def _equal(target: Target, item: _Item, known: set[str]) -> Operation:
    if target.type in {FieldType.CONTENT, FieldType.LIST}:
        return "contains", item.text
    values = _values(target, item)
    if target.type is FieldType.KEY and not item.quoted and "in" in known:
        return "in", values
    return "eq", values[0]


def _question(item: _Item) -> str:
    if item.quoted:
        return f'"{item.text.replace(chr(34), " ")}"'
    if item.text.startswith("-"):
        raise FilterProblemError("value", "a word directly after :, and - before the name for what must not be there")
    return item.text


def _pattern(text: str, known: set[str]) -> Operation:
    core = text.strip("*")
    operator = "contains" if text[0] == text[-1] == "*" else "ends_with" if text[0] == "*" else "starts_with"
    if operator not in known:
        allowed = "one * only, at the start or at the end" if "starts_with" in known else "no * but alone"
        raise FilterProblemError("value", f"{allowed}; a * that is part of the value: in double quotes")
    if not core or "*" in core:
        raise FilterProblemError("value", '* at the start, at the end or at both; one that is part of the value: "a*b"')
    return operator, core


def _values(target: Target, item: _Item) -> Sequence[Any]:
    """Return what an item stands for: of an attribute without quotes every reading."""
    if target.type is FieldType.KEY:
        return [item.text] if item.quoted else readings(item.text)
    if target.field is BY_KEY["status_code"] and not item.quoted:
        return [_STATUSES.get(item.text.lower(), item.text)]
    return [from_text(target, item.text)]
