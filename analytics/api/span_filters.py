"""Parameters that narrow a list of spans, as data: each says which comparison of the filter language it is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from analytics.api.common import plain_text
from analytics.api.parameters import Parameter, choice, integer, names, number
from analytics.queries.filters.text import read_line
from analytics.queries.filters.tree import FilterProblemError, Joint, Node, Place, joined, target_named
from analytics.queries.filters.values import Limits, comparison
from analytics.registry.fields import BOTH_TEXTS, BY_KEY, EQUALITY_KEYS
from errors.catalog import INVALID_FILTER
from errors.exceptions import ApiError

_STATUSES = {"ok": "OK", "error": "ERROR", "unset": "UNSET", "success": "OK"}
_HIGHEST = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """A parameter with the member and the operator it stands for; of a list every item is a comparison."""

    parameter: Parameter
    field: str
    operator: str
    value: Callable[[Any], Any] = lambda value: value


def _equal(key: str) -> Narrowing:
    value = str.lower if BY_KEY[key].octets else str
    return Narrowing(parameter=plain_text(key, BY_KEY[key].description), field=key, operator="eq", value=value)


def _bound(name: str, field: str, operator: str, description: str, *, also: tuple[str, ...] = ()) -> Narrowing:
    money = field == "total_cost_usd"
    return Narrowing(
        parameter=Parameter(
            name=name,
            also=also,
            read=number(low=0) if money else integer(low=0, high=_HIGHEST),
            schema={"type": "number" if money else "integer", "minimum": 0},
            description=description,
        ),
        field=field,
        operator=operator,
    )


NARROWINGS: tuple[Narrowing, ...] = (
    *map(_equal, EQUALITY_KEYS),
    Narrowing(
        parameter=Parameter(
            name="status",
            read=choice(_STATUSES),
            schema={"type": "string", "enum": ["OK", "ERROR", "UNSET", "success", "error"]},
            description="Status, in any case; success means OK.",
        ),
        field="status_code",
        operator="eq",
    ),
    _bound("min_duration_ms", "duration_ms", "gte", "Shortest duration.", also=("min_duration",)),
    _bound("max_duration_ms", "duration_ms", "lte", "Longest duration.", also=("max_duration",)),
    _bound("min_cost", "total_cost_usd", "gte", "Lowest cost in US dollars; spans without a price have none."),
    _bound("max_cost", "total_cost_usd", "lte", "Highest cost in US dollars."),
    _bound("min_tokens", "total_tokens", "gte", "Fewest tokens."),
    _bound("max_tokens", "total_tokens", "lte", "Most tokens."),
    Narrowing(
        parameter=Parameter(
            name="tags",
            read=names(most=settings.FILTER_MAX_LEAVES),
            schema={"type": "string"},
            description=f"Tags that a span must all have, at most {settings.FILTER_MAX_LEAVES}, separated by commas.",
        ),
        field="tags",
        operator="contains",
    ),
    Narrowing(
        parameter=plain_text(
            "search",
            'Full text of input and output: words, "a phrase", OR between, -word for one that must not be there.',
        ),
        field=BOTH_TEXTS.key,
        operator="search",
    ),
)
LINE = Parameter(
    name="q",
    read=plain_text("q", "").read,
    schema={
        "type": "string",
        "maxLength": settings.MAX_TEXT_PARAMETER_CHARS,
        "examples": ['model:gpt-4o cost>0.5 -env:staging "context length"', "status:error attributes.shop.cart:3"],
    },
    description=(
        'A line of the filter language: terms that all hold, OR, ( ), - for not; words and "phrases" are searched for,'
        " name:value, name>5, name:5..10, name:a,b, name:gpt-*, name:*, name~regex are compared."
    ),
)
NARROWING_PARAMETERS: tuple[Parameter, ...] = (*(one.parameter for one in NARROWINGS), LINE)


def limits_at(now: datetime) -> Limits:
    """Return the bounds of a filter whose relative times count from `now`."""
    return Limits(
        depth=settings.FILTER_MAX_DEPTH,
        leaves=settings.FILTER_MAX_LEAVES,
        values=settings.FILTER_MAX_VALUES,
        regex_chars=settings.FILTER_MAX_REGEX_CHARS,
        text_chars=settings.MAX_TEXT_PARAMETER_CHARS,
        now=now,
    )


def filter_of(values: Mapping[str, Any], *, now: datetime) -> Node | None:
    """Return the filter that the narrowing parameters of `values` make together."""
    limits = limits_at(now)
    parts: list[Node] = [leaf for one in NARROWINGS for leaf in _leaves(one, values, limits)]
    if values[LINE.name] is not None and (line := read_line(values[LINE.name], limits=limits)) is not None:
        parts.append(line)
    return joined(Joint.AND, parts)


def _leaves(one: Narrowing, values: Mapping[str, Any], limits: Limits) -> Iterator[Node]:
    name = one.parameter.name
    given = values[name]
    if given is None:
        return
    for value in given if isinstance(given, tuple) else (given,):
        try:
            yield comparison(
                target_named(one.field), one.operator, one.value(value), limits=limits, place=Place(name=name)
            )
        except FilterProblemError as problem:
            raise ApiError(INVALID_FILTER, field=name, details=problem.allowed) from None


def asked_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the narrowing parameters were given, as a cursor is bound to it."""
    return {one.name: _plain(values[one.name]) for one in NARROWING_PARAMETERS if values[one.name] is not None}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
