"""Filters as JSON: leaves `{field, operator, value}`, branches `{operator, filters}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.queries.filters.tree import Branch, FilterProblemError, Joint, Node, Place, target_named
from analytics.queries.filters.values import Limits, comparison
from errors.catalog import FILTER_TOO_DEEP, INVALID_FILTER, LIMIT_EXCEEDED
from errors.exceptions import ApiError

_JOINTS = ", ".join(Joint)
_LEAF, _BRANCH = {"field", "operator", "value"}, {"operator", "filters"}


def read_filter(document: Any, *, limits: Limits, path: str = "filter") -> Node:
    """Return the tree of a filter expression.

    Raises 400/1213 naming the path of what is wrong and what is allowed there, 400/1205 beyond a limit.
    """
    return _Reading(limits).node(document, path, depth=1)


class _Reading:
    """One pass over an expression; it counts the leaves."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.leaves = 0

    def node(self, document: Any, path: str, *, depth: int) -> Node:
        if depth > self.limits.depth:
            raise ApiError(FILTER_TOO_DEEP, field=path[:200], high=self.limits.depth)
        if not isinstance(document, Mapping):
            raise _invalid(path, "an object: {field, operator, value} or {operator, filters}")
        if "filters" in document:
            return self._branch(document, path, depth)
        return self._leaf(document, path)

    def _branch(self, document: Mapping[str, Any], path: str, depth: int) -> Node:
        _check_members(document, _BRANCH, path)
        operator, parts = document.get("operator"), document["filters"]
        if not isinstance(operator, str) or operator.upper() not in set(Joint):
            raise _invalid(f"{path}.operator", f"{_JOINTS} beside filters")
        joint = Joint(operator.upper())
        if not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
            raise _invalid(f"{path}.filters", "a list of at least one filter")
        if joint is Joint.NOT and len(parts) != 1:
            raise _invalid(f"{path}.filters", "exactly one filter below NOT")
        made = [
            self.node(part, f"{path}.filters[{place}]", depth=depth + 1)
            for place, part in enumerate(parts[: self.limits.leaves + 1])
        ]
        return Branch(joint=joint, parts=tuple(made))

    def _leaf(self, document: Mapping[str, Any], path: str) -> Node:
        self.leaves += 1
        if self.leaves > self.limits.leaves:
            raise ApiError(LIMIT_EXCEEDED, field="filter", low=1, high=self.limits.leaves)
        _check_members(document, _LEAF, path)
        for name in ("field", "operator"):
            if not isinstance(document.get(name), str):
                raise _invalid(f"{path}.{name}", "a name")
        if "value" not in document:
            raise _invalid(f"{path}.value", "a value; the operator exists takes true or false")
        try:
            return comparison(
                target_named(document["field"]),
                document["operator"],
                document["value"],
                limits=self.limits,
                place=Place(name=f"{path}.value"),
            )
        except FilterProblemError as problem:
            raise _invalid(f"{path}.{problem.part}", problem.allowed) from None


def _check_members(document: Mapping[str, Any], allowed: set[str], path: str) -> None:
    for name in document:
        if name not in allowed:
            raise _invalid(f"{path}.{name[:64]}", f"allowed members: {', '.join(sorted(allowed))}")


def _invalid(path: str, allowed: str) -> ApiError:
    return ApiError(INVALID_FILTER, field=path, details=f"Allowed here: {allowed}")
