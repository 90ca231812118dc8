"""The grammar of typed filters, and what each form means in JSON; the reference page shows both."""

from collections.abc import Mapping
from typing import Any

GRAMMAR = """\
line    = [ either ]
either  = all { "OR" all }
all     = denied { [ "AND" ] denied }
denied  = ( "-" | "NOT" ) denied | term
term    = "(" either ")" | word | phrase | name ":" values | name sign value
values  = value { "," value }
sign    = "=" | "!=" | ">" | ">=" | "<" | "<=" | "~"
value   = phrase | characters without space, quote, comma and parenthesis
word    = characters without space, quote and parenthesis that do not begin with - : = < > ~ or !=
phrase  = a quote, characters, a quote; in between \\" is a quote and \\\\ a backslash
name    = a member, another name of one, or attributes.<key>; a key has no space, quote, parenthesis, : = ! < > ~
"""
RULES = """\
* Spaces or parentheses stand between terms; none stands within one, nor behind its `-`.
* `OR`, `AND` and `NOT` are written in capitals. `AND` may be left out and binds closer than `OR`.
* The words and phrases of an `all` that are not denied are one full-text question about input and output.
* In double quotes nothing has a meaning. In `name=value` and with the other signs neither a comma nor `*` has one, and
  behind `:` of a text of content no comma.
* A value in double quotes beside an attribute is a text; without them it is every reading: the text, the number, the
  boolean. `:` also finds lists that hold one of them; `=` and `!=` compare the whole value.
* Levels, comparisons and values are limited as in JSON; a pair of parentheses is a level, too.
"""


def _leaf(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def _both(operator: str, *filters: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "filters": list(filters)}


# Line -> what it is in JSON.
FORMS: Mapping[str, dict[str, Any]] = {
    "refund order": _leaf("content", "search", "refund order"),
    '"order number"': _leaf("content", "search", '"order number"'),
    "model:gpt-4o": _leaf("model", "eq", "gpt-4o"),
    'model:gpt-4o,"my model"': _leaf("model", "in", ["gpt-4o", "my model"]),
    "model:gpt-*": _leaf("model", "starts_with", "gpt-"),
    "model:*-mini": _leaf("model", "ends_with", "-mini"),
    "model:*4o*": _leaf("model", "contains", "4o"),
    "model:gpt-*,o3": _both("OR", _leaf("model", "starts_with", "gpt-"), _leaf("model", "eq", "o3")),
    "model:*": _leaf("model", "exists", True),
    "model=a,b": _leaf("model", "eq", "a,b"),
    "model!=gpt-4o": _leaf("model", "ne", "gpt-4o"),
    'model~"^gpt-(4|5)"': _leaf("model", "regex", "^gpt-(4|5)"),
    "status:error": _leaf("status_code", "eq", "ERROR"),
    "env:prod": _leaf("environment", "eq", "prod"),
    "cost>0.5": _leaf("total_cost_usd", "gt", 0.5),
    "duration_ms:1000..5000": _leaf("duration_ms", "between", [1000, 5000]),
    "ts>=now-1h": _leaf("ts", "gte", "now-1h"),
    "streamed:true": _leaf("streamed", "eq", True),
    "tags:beta": _leaf("tags", "contains", "beta"),
    "tags:beta,canary": _leaf("tags", "in", ["beta", "canary"]),
    "input_text:refund": _leaf("input_text", "contains", "refund"),
    "content:refund": _leaf("content", "search", "refund"),
    "attributes.shop.cart:3": _leaf("attributes.shop.cart", "in", ["3", 3]),
    "attributes.shop.cart=3": _both(
        "OR", _leaf("attributes.shop.cart", "eq", "3"), _leaf("attributes.shop.cart", "eq", 3)
    ),
    "attributes.shop.cart!=3": _both(
        "AND", _leaf("attributes.shop.cart", "ne", "3"), _leaf("attributes.shop.cart", "ne", 3)
    ),
    'attributes.shop.cart:"3"': _leaf("attributes.shop.cart", "eq", "3"),
    "attributes.shop.cart>=3": _leaf("attributes.shop.cart", "gte", 3),
    "-env:prod": _both("NOT", _leaf("environment", "eq", "prod")),
    "timeout OR cost>1": _both("OR", _leaf("content", "search", "timeout"), _leaf("total_cost_usd", "gt", 1)),
    "cost>1 -(env:test OR env:dev)": _both(
        "AND",
        _leaf("total_cost_usd", "gt", 1),
        _both("NOT", _both("OR", _leaf("environment", "eq", "test"), _leaf("environment", "eq", "dev"))),
    ),
}
