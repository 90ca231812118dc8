"""The matching clauses of genai-prices as patterns of the price book."""

import re
from typing import Any

# The pieces of a regular expression that a glob can say.
_PIECE = re.compile(
    r"\\d(?:\{(?P<times>\d+)\})?|\\(?P<escaped>[^\w])|(?P<set>\[[^]\\^]+\])(?![*+?{])|(?P<plain>[\w/@:\- ])(?![*+?{])"
)
_SPECIAL = re.compile(r"[*?[]")


def patterns_of(clause: Any) -> tuple[str, ...]:
    """Return the patterns that together match what `clause` matches, in its order.

    Of conditions that must all hold the first is taken: the others there are ("is not a -tts model") only keep out
    models whose own, longer patterns win anyhow. A regular expression that no glob can say gives no pattern.
    """
    kind = type(clause).__name__
    if kind == "ClauseOr":
        return tuple(dict.fromkeys(pattern for part in clause.or_ for pattern in patterns_of(part)))
    if kind == "ClauseAnd":
        return patterns_of(clause.and_[0])
    return _SIMPLE[kind](clause)


def literal(text: str) -> str:
    """Return the pattern that matches `text` alone."""
    return _SPECIAL.sub(lambda special: f"[{special[0]}]", text)


def _regex(clause: Any) -> tuple[str, ...]:
    pattern: str = clause.regex
    body = pattern.removeprefix("^").removesuffix("$")
    pieces, end = [], 0
    for piece in _PIECE.finditer(body):
        if piece.start() != end:
            return ()
        end = piece.end()
        if piece["escaped"] or piece["plain"]:
            pieces.append(literal(piece["escaped"] or piece["plain"]))
        else:
            pieces.append(piece["set"] or "[0-9]" * int(piece["times"] or 1))
    if end != len(body):
        return ()
    before, after = ("" if pattern.startswith("^") else "*"), ("" if pattern.endswith("$") else "*")
    return (f"{before}{''.join(pieces)}{after}",)


_SIMPLE = {
    "ClauseEquals": lambda clause: (literal(clause.equals),),
    "ClauseStartsWith": lambda clause: (f"{literal(clause.starts_with)}*",),
    "ClauseEndsWith": lambda clause: (f"*{literal(clause.ends_with)}",),
    "ClauseContains": lambda clause: (f"*{literal(clause.contains)}*",),
    "ClauseRegex": _regex,
}
