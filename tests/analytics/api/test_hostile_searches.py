"""No text of a request is more than a value in a statement."""

import random

from tests.analytics.api.asking import LIST, leaf, names, talk

HOSTILE = ["'", '"', "\\", "%", "_", ";--", "')", "$$", "$.a", "->>'a'", "{}", "%s", "%(f0)s", "\x01", "(", "[", "*",
           "a'::text", "\u202e", "🦆", ") OR 1=1 --", "|&!<->:*", "'a':*", "\\x00", "E'\\''"]  # fmt: skip


def test_no_hostile_text_is_more_than_a_value(api, search, send, tenant):
    send(talk("mine", "hello", attributes={"shop.cart": 3}))
    chance = random.Random(7)
    places = ["model", "tags", "attributes.x", "trace_id", "project_id", "input_text", "cost"]
    operators = ["eq", "in", "contains", "starts_with", "regex", "search", "gt", "exists", "drop table"]
    seen = []
    for hostile in HOSTILE:
        text = hostile + chance.choice(HOSTILE)
        bodies = [
            {"filter": leaf(chance.choice(places), operator, [text] if operator == "in" else text)}
            for operator in operators
        ]
        bodies += [
            {"filter": leaf(text, "eq", "x")},
            {"filter": leaf(f"attributes.{text}", "eq", text)},
            {"filter": leaf("content", "search", f"hello {text}")},
            {"filter": leaf("content", "search", text), "include": ["highlights"], "sort_by": "relevance"},
            {"sort_by": text},
            {"fields": [f"attributes.{text}", text]},
            {"fields": [f"attributes.{text}"]},
            {"fields": [f"input_messages.{text}", f"scope.a.{text}"]},
        ]
        seen += [search(**({"filter_": body.pop("filter", None)} | body)).status_code for body in bodies]
        seen += [
            api.get(LIST, {name: text}).status_code for name in ("q", "search", "sort_by", "fields", "cursor", "tags")
        ]
    assert set(seen) <= {200, 400}
    assert names(api.get(LIST)) == ["mine"]
