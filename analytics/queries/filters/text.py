"""Filters as people type them: `model:gpt-4o cost>0.5 -env:staging "context length"`.

Its grammar stands in `grammar.py`, which the reference page shows; the tree is the one that the JSON form gives.
"""

from collections.abc import Sequence

from analytics.queries.filters.terms import SHORT_NAMES, operations, signs_for
from analytics.queries.filters.tokens import AS_IT_IS, PARAMETER, Token, place_of, refused, tokens_of
from analytics.queries.filters.tree import (
    Branch,
    FilterProblemError,
    Joint,
    Leaf,
    Node,
    Target,
    depth_of,
    joined,
    target_named,
)
from analytics.queries.filters.values import Limits, comparison
from analytics.registry.fields import BOTH_TEXTS
from analytics.registry.operators import BY_KEY as OPERATORS
from errors.catalog import FILTER_TOO_DEEP, LIMIT_EXCEEDED
from errors.exceptions import ApiError


def read_line(line: str, *, limits: Limits) -> Node | None:
    """Return the tree of a line, none of an empty one.

    Raises 400/1213 naming the token, its position and what is allowed there, 400/1205 beyond a limit.
    """
    reading = _Reading(tokens_of(line), limits)
    node = reading.either(depth=1)
    if (left := reading.peek()) is not None:
        raise refused(left, "a term; there is no ( for this )")
    if depth_of(node) > limits.depth:
        raise ApiError(FILTER_TOO_DEEP, field=PARAMETER, high=limits.depth)
    return node


class _Reading:
    """One pass over the tokens; it counts the comparisons."""

    def __init__(self, tokens: Sequence[Token], limits: Limits) -> None:
        self.tokens = tokens
        self.limits = limits
        self.place = 0
        self.leaves = 0

    def peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def either(self, *, depth: int) -> Node | None:
        """Read sets of terms with OR between them."""
        sets = [self._all(depth)]
        while (token := self.peek()) is not None and token.joins(Joint.OR):
            self.place += 1
            if sets[-1] is None:
                raise refused(token, "a term before OR")
            sets.append(self._all(depth))
            if sets[-1] is None:
                raise refused(token, "a term after OR")
        return joined(Joint.OR, [one for one in sets if one is not None])

    def _all(self, depth: int) -> Node | None:
        parts: list[Node] = []
        words: list[Token] = []
        between: Token | None = None
        while (token := self.peek()) is not None and token.kind != "close" and not token.joins(Joint.OR):
            if token.joins(Joint.AND):
                if between is not None or not (parts or words):
                    raise refused(token, "a term before AND")
                between = self._next()
                continue
            between = None
            if token.kind in {"word", "phrase"}:
                words.append(self._next())
            else:
                parts.append(self._part(depth))
        if between is not None:
            raise refused(between, "a term after AND")
        if words:
            parts.append(self._search(words))
        return joined(Joint.AND, parts)

    def _part(self, depth: int) -> Node:
        token = self._next()
        if token.kind == "open":
            self._check_depth(token, depth + 1)
            inner = self.either(depth=depth + 1)
            closing = self.peek()
            if inner is None or closing is None:
                raise refused(token, "terms and a ) for this (")
            self.place += 1
            return inner
        if token.kind in {"minus", "joint"}:
            self._check_depth(token, depth + 1)
            following = self.peek()
            if (
                following is None
                or following.kind == "close"
                or (following.kind == "joint" and following.text != "NOT")
            ):
                raise refused(token, f"a term after {token.text}")
            return Branch(joint=Joint.NOT, parts=(self._part(depth + 1),))
        if token.kind in {"word", "phrase"}:
            return self._search([token])
        return self._comparison(token)

    def _next(self) -> Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def _check_depth(self, token: Token, depth: int) -> None:
        if depth > self.limits.depth:
            raise _placed(ApiError(FILTER_TOO_DEEP, field=PARAMETER, high=self.limits.depth), token)

    def _count(self, token: Token) -> None:
        self.leaves += 1
        if self.leaves > self.limits.leaves:
            raise _placed(ApiError(LIMIT_EXCEEDED, field=PARAMETER, low=1, high=self.limits.leaves), token)

    def _search(self, words: Sequence[Token]) -> Leaf:
        self._count(words[0])
        text = " ".join(word.text.replace('\\"', " ") for word in words)
        target = Target(name=BOTH_TEXTS.key, field=BOTH_TEXTS)
        return Leaf(target=target, operator=OPERATORS["search"], value=text, place=place_of(words[0]))

    def _comparison(self, token: Token) -> Node:
        name, sign = token.parts["name"] or "", token.parts["sign"] or ""
        try:
            target = target_named(SHORT_NAMES.get(name, name))
        except FilterProblemError as problem:
            raise refused(token, problem.allowed, AS_IT_IS) from None
        leaves: list[Node] = []
        try:
            for operator, value in operations(target, sign, token.parts["value"] or ""):
                self._count(token)
                leaves.append(comparison(target, operator, value, limits=self.limits, place=place_of(token)))
        except FilterProblemError as problem:
            of = f"after {target.name} ({target.type}): {signs_for(target)}"
            raise refused(token, of if problem.part == "operator" else problem.allowed) from None
        except ApiError as problem:
            raise _placed(problem, token) from None
        return joined(Joint.AND if sign == "!=" else Joint.OR, leaves) or leaves[0]


def _placed(error: ApiError, token: Token) -> ApiError:
    """Return an error about a limit with the place of what went beyond it."""
    place = place_of(token).token
    if not error.details.startswith(place):
        error.details = f"{place}{error.details or error.message}"
    return error
