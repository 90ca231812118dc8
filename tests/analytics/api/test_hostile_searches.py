"""No text of a request is more than a value: statements are those that a harmless text has, and no text is in them."""

import random
import re

import pytest
from django.db import connection

from tests.analytics.api.asking import LIST, SEARCH, STATS, leaf, names, talk

# Signs of SQL, of psycopg's parameters, of JSON paths, of text search, of regular expressions, and of none of them.
PIECES = [
    *("'", '"', "\\", ";--", "')", "$$", "a'::text", ") OR 1=1 --", "E'\\''", "/* */", "UNION SELECT NULL", "\\x00"),
    *("%", "_", "%s", "%(f0)s", "{}", "{query}", "%%"),
    *("$.a", "$.a[*] ? (@.b == 1)", "->>'a'", "#>>'{a}'", "@?", "a.b.c"),
    *("|&!<->:*", "'a':*", "!!", "<2>", "project 1"),
    *("(", "[", "*", "+", "(a+)+$", "[[:<:]]", "\\m", "(?c)", "***=", "\\1", "a{1,255}"),
    *("\x01", "\u202e", "🦆", "\ufeff", "NULL", "true", "-1"),
]
MARK = "zq7"
UNDONE = "ROLLBACK TO SAVEPOINT a savepoint"
KEYED = ("attributes", "resource_attributes", "request_parameters")
OPERATORS = {
    "model": ("eq", "ne", "contains", "not_contains", "starts_with", "ends_with", "regex", "in", "not_in"),
    "input_text": ("eq", "contains", "ends_with", "regex", "search"),
    "tags": ("contains", "not_contains", "in", "not_in"),
    "attributes.x": ("eq", "ne", "contains", "starts_with", "regex", "in"),
    "trace_id": ("eq", "starts_with", "in"),
    "project_id": ("eq", "ends_with", "not_in"),
    "total_cost_usd": ("gt", "between", "in"),
    "ts": ("gte", "between"),
    "streamed": ("eq", "exists"),
}


def value(operator, text):
    if operator == "between":
        return [text, text]
    return [text, f"{text}b"] if operator in {"in", "not_in"} else text


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# What is asked with a text: each is a body of the search, or the parameters of the list.
PLACES = {
    **{
        f"{operator} on {field}": lambda text, field=field, operator=operator: {
            "filter": leaf(field, operator, value(operator, text))
        }
        for field, operators in OPERATORS.items()
        for operator in operators
    },
    **{f"a key of {name}": lambda text, name=name: {"filter": leaf(f"{name}.{text}", "eq", "x")} for name in KEYED},
    "a key in a range": lambda text: {"filter": leaf(f"attributes.{text}", "between", [1, 2])},
    "a field": lambda text: {"filter": leaf(text, "eq", "x")},
    "an operator": lambda text: {"filter": leaf("model", text, "x")},
    "a joint": lambda text: {"filter": {"operator": text, "filters": [leaf("model", "eq", "x")]}},
    "a member": lambda text: {"filter": leaf("model", "eq", "x") | {text: 1}},
    "marks and order": lambda text: {"filter": leaf("content", "search", f"hello {text}"), "include": ["highlights"],
                                     "sort_by": "relevance"},
    "a sort": lambda text: {"sort_by": text},
    "fields": lambda text: {"fields": [text]},
    "fields of attributes": lambda text: {"fields": [f"attributes.{text}", "ts"]},
    # A dot is one more step of a path, so one step is given.
    "fields of a list": lambda text: {"fields": [f"{name}.{text.replace('.', '')}" for name in ("input_messages", "scope")]},
    "an addition": lambda text: {"include": [text]},
    "a cursor": lambda text: {"cursor": text},
}  # fmt: skip
PARAMETERS = {
    **{name: lambda text, name=name: {name: text}
       for name in ("search", "model", "user_id", "trace_id", "sort_by", "sort_order", "fields", "include", "scope",
                    "cursor", "status", "min_cost", "start_time", "project_id")},
    "tags": lambda text: {"tags": text.replace(",", "")},
    "a value of a line": lambda text: {"q": f"model:{quoted(text)}"},
    "a pattern of a line": lambda text: {"q": f"model~{quoted(text)}"},
    "a phrase of a line": lambda text: {"q": f"hello {quoted(text)}", "sort_by": "relevance"},
    "a line": lambda text: {"q": text},
}  # fmt: skip


class Recorder:
    """Keeps the SQL of statements as it is sent, with placeholders, beside the values."""

    def __init__(self):
        self.statements = []

    def __call__(self, execute, sql, params, many, context):
        self.statements.append(re.sub(r'"s\d+_x\d+"', "a savepoint", str(sql)))
        return execute(sql, params, many, context)

    def of(self, ask):
        self.statements = []
        with connection.execute_wrapper(self):
            status = ask().status_code
        return status, self.statements


@pytest.fixture
def texts(send):
    """Random texts in which each piece is once, beside a span that must survive them."""
    send(talk("mine", "hello", attributes={"shop.cart": 3}))
    pieces = PIECES.copy()
    random.Random(7).shuffle(pieces)
    return [MARK + "".join(pieces[start : start + 5]) for start in range(0, len(pieces), 5)]


def check(ask, texts, *, same):
    """Ask with harmless texts and with each hostile one; return what was not as it shall be.

    With `same` the statements are those of a harmless text, of one word or of several, up to where a text is refused.
    """
    recorder = Recorder()

    def asked(text):
        return recorder.of(lambda: ask(text))

    def as_harmless(status, statements):
        if status == known:
            return statements in harmless
        return {*statements} <= {UNDONE}.union(*harmless)

    asked("warm")
    (known, word), (_, words) = asked(f"{MARK}harmless"), asked(f"{MARK}harmless.of_two")
    harmless = [word, words]
    problems = []
    for text in texts:
        status, statements = asked(text)
        if status not in {200, 400, 403}:
            problems.append((text, status))
        problems += [(text, sql) for sql in statements if MARK in sql]
        if same and not as_harmless(status, statements):
            # Credentials and the like are looked at once in a while: not twice, one behind the other.
            harmless += [asked(f"{MARK}{one}{len(harmless)}")[1] for one in ("harmless", "harmless.of_two")]
            if not as_harmless(*asked(f"{text}x")):
                problems.append((text, statements, harmless))
    return problems


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_text_in_a_body_changes_no_statement(search, texts, place):
    def ask(text):
        body = PLACES[place](text)
        return search(body.pop("filter", None), **body)

    assert check(ask, texts, same=True) == []


@pytest.mark.parametrize("place", PARAMETERS)
@pytest.mark.parametrize("route", [LIST, STATS])
def test_a_hostile_text_in_a_parameter_changes_no_statement(api, texts, route, place):
    assert check(lambda text: api.get(route, PARAMETERS[place](text)), texts, same=place != "a line") == []


def test_no_hostile_text_is_carried_out(api, search, texts):
    for text in texts:
        search(leaf(f"attributes.{text}", "contains", text), fields=[f"attributes.{text}"])
        api.get(LIST, {"q": text})
    assert names(api.get(LIST)) == ["mine"]


def test_bodies_of_any_kind_are_refused_and_not_failed(api, db):
    chance = random.Random(3)
    scalars = [None, True, 1, -1.5, 10**30, "x", [], {}, "\x00", ["x"] * 3, {"filters": []}]

    def made(depth=0):
        if depth > 3 or chance.random() < 0.3:
            return chance.choice(scalars)
        if chance.random() < 0.3:
            return [made(depth + 1) for _ in range(chance.randrange(3))]
        known = ["field", "operator", "value", "filters", "AND"]
        words = ["model", "tags", "attributes.x", "ts", "eq", "in", "between", "exists", "search", "regex", "not", "or"]
        return {
            name: chance.choice(words) if chance.random() < 0.5 else made(depth + 1)
            for name in chance.sample(known, chance.randrange(1, 5))
        }

    seen = {api.post(SEARCH, {"filter": made()}, content_type="application/json").status_code for _ in range(150)}
    assert seen <= {200, 400}
