"""The pieces of a typed line, each with its place; what stands where no piece can is refused at its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from analytics.queries.filters.tree import Joint, Place
from errors.catalog import INVALID_FILTER
from errors.exceptions import ApiError

PARAMETER = "q"
_SHOWN = 60
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<open>\() | (?P<close>\))
  | (?P<joint>(?:OR|AND|NOT)(?=[\s()]|$))
  | (?P<minus>-)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[^\s:<>=!~"()]*)?)(?P<sign>:|!=|>=|<=|=|>|<|~)
        (?P<value>(?:"(?:[^"\\]|\\.)*"|[^\s"()])*)
  | (?P<phrase>"(?:[^"\\]|\\.)*")
  | (?P<word>[^\s"()]+)
    """,
    flags=re.VERBOSE | re.DOTALL,
)
# What stands between a name and a value; other terms cannot begin with it.
SIGN = re.compile(r"!=|[:=<>~]")
_PIECE = re.compile(r'[^\s"()]+|.', flags=re.DOTALL)
_BEHIND_A_TERM = {"name", "phrase", "word", "close"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of the line; `place` counts characters from 1."""

    kind: str
    text: str
    place: int
    parts: Mapping[str, str | None] = field(default_factory=dict)

    def joins(self, joint: Joint) -> bool:
        """Whether it is that word between or before terms."""
        return self.kind == "joint" and self.text == joint


def tokens_of(line: str) -> list[Token]:
    """Return the pieces of a line from left to right.

    Raises 400/1213 at an open quote, and where one term stands directly behind another.
    """
    found: list[Token] = []
    place = 0
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None:  # only an open quote fits nothing
            raise refused(_open_quote(line, place), 'a closing " for this one')
        kind = next(name for name, text in match.groupdict().items() if text is not None)
        token = Token(kind=kind, text=match[0], place=place + 1, parts=match.groupdict())
        place = match.end()
        if kind != "space":
            _check(token, line, place)
            found.append(token)
    return found


def _check(token: Token, line: str, end: int) -> None:
    following = line[end : end + 1]
    if token.kind == "name" and following == '"':
        raise refused(_open_quote(line, end), 'a closing " for this one')
    if token.kind == "minus" and following.strip() in {"", ")"}:
        raise refused(token, "a term directly after -, or - as part of a phrase in double quotes")
    if token.kind == "word" and (sign := SIGN.match(token.text)):
        allowed = f"a name directly before {sign[0]} and a value directly after it"
        raise refused(token, allowed, AS_IT_IS)
    if token.kind in _BEHIND_A_TERM and following.strip() not in {"", ")"}:
        piece = _PIECE.match(line, end)
        rest = Token(kind="rest", text=piece[0] if piece else "", place=end + 1)
        raise refused(rest, "a space or ) after a term; what holds a parenthesis or a quote stands in double quotes")


AS_IT_IS = " To search for it as it is, put it in double quotes."


def _open_quote(line: str, place: int) -> Token:
    return Token(kind="quote", text=line[place:], place=place + 1)


def place_of(token: Token) -> Place:
    """Return where in the request a token stands."""
    shown = token.text if len(token.text) <= _SHOWN else token.text[:_SHOWN] + "…"
    return Place(name=PARAMETER, token=f"At character {token.place}, {shown!r}: ")


def refused(token: Token, allowed: str, hint: str = "") -> ApiError:
    """Return the error that points at a token and says what is allowed there."""
    return ApiError(INVALID_FILTER, field=PARAMETER, details=f"{place_of(token).token}allowed here: {allowed}.{hint}")
