"""Every operator on every kind of member, as SQL and as plain Python, over random rows of a real table.

On TimescaleDB the rows are also in the columnstore, and half there, half beside it.
"""

import itertools
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.tree import Branch, Joint, Leaf, Target
from analytics.queries.filters.values import Limits
from analytics.queries.selection import select
from analytics.queries.spans import SpanList, Spans, count_spans, list_spans
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import BY_KEY, FieldType
from analytics.registry.operators import OPERATORS
from analytics.scope import Scope, ScopedProject
from analytics.storage.engines import RELATIONS, engine
from analytics.storage.partitions import ensure_days, forget_days
from analytics.storage.searches import make_vectors
from tests import timescale
from tests.analytics.storage.conftest import NOON, NOON_NS, insert_rows

SEED, ROWS, EXPRESSIONS = 20, 120, 60
NUMBER = 900_001
PROJECT = UUID("12345678-1234-5678-1234-567812345678")
SCOPE = Scope(
    projects={NUMBER: ScopedProject(organisation_id=NUMBER, public_id=PROJECT, created_at=NOON)},
    permissions=frozenset(),
)
WHERE = TimeRange(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1))
LIMITS = Limits(depth=10, leaves=100, values=1000, regex_chars=256, text_chars=10_000, now=NOON)
TEXTS = ("alpha", "Alpha", "ALPHA beta", "100%", "a_b", "a\\b", "", "É clair", "é", "it's", '{"x": 1}', "gamma-delta")
KEYED = ("x", "a.b", "it's %s", "$.x")
# The members that are compared: one or more of each kind, with the columns behind them.
LABELS = ("model", "error_type", "user_id", "span_name")
NUMBERS = {"duration_ms": 40, "ttft_ms": 40, "total_tokens": 30, "total_cost_usd": 3, "tokens_per_second": 500}


def value_of_key(chance: random.Random) -> Any:
    return chance.choice(
        [*TEXTS[:6], 1, 2.5, -3, 100, True, False, None, ["alpha", "b"], [1, "100%"], {"deep": "alpha"}, 10**20]
    )


def row(chance: random.Random, number: int) -> dict[str, Any]:
    """Return a random row as it is stored; most values are missing now and then."""

    def maybe(value: Any) -> Any:
        return None if chance.random() < 0.2 else value

    counted = dict.fromkeys(("uncached_input_tokens", "visible_output_tokens"))
    if chance.random() < 0.8:
        counted = {name: chance.randrange(15) for name in counted}
    made: dict[str, Any] = {
        "organisation_id": NUMBER,
        "project_id": NUMBER,
        "ts": NOON_NS + chance.randrange(-3000, 3000) * 1_000_000_000,
        "trace_id": chance.randbytes(16),
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": maybe(chance.randbytes(8)),
        "ingested_at": NOON_NS + chance.randrange(5) * 1_000_000_000,
        "duration_ms": chance.randrange(40),
        "ttft_ms": maybe(chance.randrange(40)),
        "total_cost_nanousd": maybe(chance.randrange(4) * 750_000_000 + chance.randrange(2)),
        "price_id": maybe(chance.randrange(3)),
        **counted,
        **{name: 0 for name in ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
                                "audio_input_tokens", "reasoning_tokens", "audio_output_tokens")
           if counted["uncached_input_tokens"] is not None},
        "usage_counted": chance.random() < 0.5,
        "call_counted": chance.random() < 0.5,
        "streamed": maybe(chance.random() < 0.5),
        "span_name": chance.choice(TEXTS),
        "span_kind": "client",
        "status_code": chance.choice(["OK", "ERROR", "UNSET"]),
        **{name: maybe(chance.choice(TEXTS)) for name in ("model", "error_type", "user_id")},
    }  # fmt: skip
    if chance.random() < 0.9:  # content may be gone
        made |= {
            "input_text": maybe(" ".join(chance.choices(TEXTS, k=3))),
            "output_text": maybe(" ".join(chance.choices(TEXTS, k=3))),
            "error_message": maybe(chance.choice(TEXTS)),
            "response_id": maybe(chance.choice(TEXTS)),
            "tags": maybe(chance.choices(TEXTS, k=2)),
            "attributes": maybe({key: value_of_key(chance) for key in KEYED if chance.random() < 0.8}),
            "input_messages": maybe([{"role": "user"}]),
        }
    return made


def read(stored: dict[str, Any], target: Target) -> Any:  # noqa: PLR0911  a case for each kind
    """Return what a filter compares, as Python values; `None` without one."""
    if target.key is not None:
        return (stored.get(target.field.key) or {}).get(target.key)
    match target.field.key:
        case "ts" | "ingested_at" as name:
            return NOON + timedelta(microseconds=(stored[name] - NOON_NS) // 1000)
        case "project_id":
            return str(PROJECT)
        case "trace_id" | "span_id" | "parent_span_id" as name:
            return stored[name].hex() if stored[name] is not None else None
        case "price_version":
            return None if stored["price_id"] is None else str(stored["price_id"])
        case "total_cost_usd":
            cost = stored["total_cost_nanousd"]
            return None if cost is None else Decimal(cost) / 10**9
        case "total_tokens":
            given = stored["uncached_input_tokens"], stored["visible_output_tokens"]
            return None if None in given else sum(given)
        case "tokens_per_second":
            tokens, duration = stored["visible_output_tokens"], stored["duration_ms"]
            return None if tokens is None or not duration else round(Decimal(tokens) * 1000 / duration, 6)
        case name:
            return stored.get(name)


def holds(node: Leaf | Branch, stored: dict[str, Any]) -> bool:
    """The plain evaluator: two values of truth, a missing value makes every positive comparison false."""
    if isinstance(node, Branch):
        parts = [holds(part, stored) for part in node.parts]
        return {Joint.AND: all, Joint.OR: any}[node.joint](parts) if node.joint is not Joint.NOT else not parts[0]
    operator, value = node.operator.key, node.value
    if operator in {"ne", "not_in", "not_contains"}:
        return not compared({"ne": "eq", "not_in": "in", "not_contains": "contains"}[operator], node, stored)
    if operator == "exists":
        return (read(stored, node.target) is not None) == value
    return compared(operator, node, stored)


def compared(operator: str, node: Leaf, stored: dict[str, Any]) -> bool:  # noqa: PLR0911  a case for each operator
    known, value = read(stored, node.target), node.value
    if known is None:
        return False
    if isinstance(known, float | int) and not isinstance(known, bool):
        known = Decimal(str(known))
    many = isinstance(known, list)
    keyed = node.target.type is FieldType.KEY
    match operator:
        case "eq":
            return same(known, value)
        case "in":
            return any(same(one, item) for one in (known if many else [known]) for item in value)
        case "contains" if many:
            return any(same(one, value) for one in known)
        case "contains" | "starts_with" | "ends_with" | "regex":
            if not isinstance(known, str) or not isinstance(value, str):
                return False
            text, part = known.lower(), value.lower()
            return {
                "contains": part in text,
                "starts_with": text.startswith(part),
                "ends_with": text.endswith(part),
                "regex": operator == "regex" and re.search(value, known, re.IGNORECASE) is not None,
            }[operator]
        case _:
            if keyed and not isinstance(known, Decimal):
                return False
            low, high = value if operator == "between" else (value, value)
            return {
                "gt": known > low,
                "gte": known >= low,
                "lt": known < low,
                "lte": known <= low,
                "between": low <= known <= high,
            }[operator]


def same(known: Any, value: Any) -> bool:
    if isinstance(known, int | float) and not isinstance(known, bool):
        known = Decimal(str(known))
    return type(known) is type(value) and known == value


def operand(chance: random.Random, target: Target, operator: str, rows: list[dict[str, Any]]) -> Any:  # noqa: C901, PLR0911
    """Return a value in JSON's form: mostly one that some row has, or a piece of one."""

    def one() -> Any:  # noqa: PLR0911
        known = read(chance.choice(rows), target)
        match target.type:
            case FieldType.TIME:
                return (known or NOON).isoformat()
            case FieldType.INTEGER | FieldType.NUMBER | FieldType.MONEY:
                return float(known) if known is not None and chance.random() < 0.7 else chance.choice([0, 1.5, 20])
            case FieldType.BOOLEAN:
                return chance.random() < 0.5
            case FieldType.LIST:
                return chance.choice(TEXTS)
            case FieldType.KEY if operator in {"gt", "gte", "lt", "lte", "between"}:
                return chance.choice([1, 2.5, -3, 100])
            case FieldType.KEY if operator in {"starts_with", "ends_with", "regex"}:
                return chance.choice(TEXTS[:6])
            case FieldType.KEY:
                return chance.choice([*TEXTS[:6], 1, 2.5, 100, True, False, 10**20])
            case _:
                return known if known is not None and chance.random() < 0.7 else chance.choice(TEXTS)

    match operator:
        case "exists":
            return chance.random() < 0.5
        case "in" | "not_in":
            return [one() for _ in range(chance.randrange(1, 4))]
        case "between":
            return sorted((one(), one()))
        case "regex":
            return chance.choice(["^a", "alpha$", "a.b", "[0-9]+%", "(alpha|gamma)", "b\\\\", "é", "^$"])
        case "contains" | "not_contains" | "starts_with" | "ends_with" if target.type is not FieldType.LIST:
            text = one()
            if isinstance(text, str) and chance.random() < 0.6:
                start = chance.randrange(len(text) + 1)
                return text[start : start + chance.randrange(1, 5)].swapcase()
            return text
        case _:
            return one()


FIELDS = (
    "ts", "ingested_at", "project_id", "trace_id", "span_id", "parent_span_id", "price_version", *LABELS, "response_id",
    "status_code", "input_text", "output_text", "error_message", *NUMBERS, "tags", "streamed", "usage_counted",
    "input_messages", "attributes", *(f"attributes.{key}" for key in KEYED),
)  # fmt: skip


def target(name: str) -> Target:
    head, _, key = name.partition(".")
    return Target(name=name, field=BY_KEY[head], key=key or None)


PAIRS = [(name, one.key) for name in FIELDS for one in target(name).operators if one.key != "search"]


def leaf(chance: random.Random, rows: list[dict[str, Any]], name: str, operator: str) -> dict[str, Any]:
    return {"field": name, "operator": operator, "value": operand(chance, target(name), operator, rows)}


def nested(chance: random.Random, rows: list[dict[str, Any]], depth: int = 0) -> dict[str, Any]:
    if depth > 2 or chance.random() < 0.4:
        return leaf(chance, rows, *chance.choice(PAIRS))
    joint = chance.choice(["AND", "OR", "NOT"])
    parts = 1 if joint == "NOT" else chance.randrange(1, 4)
    return {"operator": joint, "filters": [nested(chance, rows, depth + 1) for _ in range(parts)]}


def found_by(document: dict[str, Any], **more: Any) -> set[str]:
    node = read_filter(document, limits=LIMITS)
    searches = searches_of(node, scope=SCOPE, where=WHERE)
    spans = Spans(scope=SCOPE, range=WHERE, filter=node, searches=searches)
    page = list_spans(SpanList(spans=spans, selection=select(["span_id"]), limit=1000, clock=NOON, **more))
    ids = {one["span_id"] for one in orjson.loads(page.json)}
    assert (page.next, len(ids), count_spans(spans)) == (None, page.rows, page.rows)
    return ids


@pytest.fixture
def day(db) -> Iterator[None]:
    forget_days()
    ensure_days([NOON.date()])
    yield
    forget_days()


# How many of the rows are in the columnstore: the first of them, moved there before the others come.
PACKED = {"rows": 0, "columnstore": 1, "rows beside the columnstore": 2} if timescale.wanted() else {"rows": 0}


def pack() -> None:
    for relation in RELATIONS:
        assert engine().compress_day(relation, NOON.date())


def store(rows: list[dict[str, Any]]) -> None:
    """Insert rows; of those without anything that is content, the content is gone."""
    insert_rows(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM llm_contents WHERE organisation_id = %s AND span_id = ANY(%s) AND attributes IS NULL
                AND input_text IS NULL AND output_text IS NULL AND error_message IS NULL AND tags IS NULL
                AND response_id IS NULL AND input_messages IS NULL
            """,
            [NUMBER, [one["span_id"] for one in rows]],
        )


def store_packed(rows: list[dict[str, Any]], parts: int) -> None:
    """Insert rows, and move the first of `parts` into the columnstore before the others come."""
    first = len(rows) // parts if parts else 0
    if first:
        store(rows[:first])
        pack()
    if rows[first:]:
        store(rows[first:])


@pytest.fixture(params=PACKED)
def stored(day: None, request: pytest.FixtureRequest) -> tuple[random.Random, list[dict[str, Any]]]:
    chance = random.Random(SEED)
    rows = [row(chance, number) for number in range(ROWS)]
    store_packed(rows, PACKED[request.param])
    return chance, rows


def ids_that_hold(document: dict[str, Any], rows: list[dict[str, Any]]) -> set[str]:
    node = read_filter(document, limits=LIMITS)
    return {one["span_id"].hex() for one in rows if holds(node, one)}


def test_every_operator_on_every_kind_of_member_finds_what_python_finds(stored):
    chance, rows = stored
    documents = [leaf(chance, rows, name, operator) for name, operator in PAIRS for _ in range(2)]
    differing = [one for one in documents if found_by(one) != ids_that_hold(one, rows)]
    assert differing == []


def test_nested_filters_and_their_complements_find_what_python_finds(stored):
    chance, rows = stored
    every = {one["span_id"].hex() for one in rows}
    for _ in range(EXPRESSIONS):
        document = nested(chance, rows)
        expected = ids_that_hold(document, rows)
        assert found_by(document) == expected, document
        assert found_by({"operator": "NOT", "filters": [document]}) == every - expected, document


def test_every_kind_and_every_operator_is_compared():
    assert {target(name).type for name in FIELDS} == set(FieldType)
    assert {operator for _, operator in PAIRS} | {"search"} == {one.key for one in OPERATORS}


TALKS = ROWS // 2
WORDS = ("alpha", "beta", "gamma", "delta")


def says(query: str, text: str) -> bool:
    """Words of which stem and form are one: all of a set, or of the other side of OR; a phrase in its order."""
    given = text.split()
    return any(
        all(
            (" ".join(["", *given, ""]).find(f" {part.strip('-').replace('_', ' ')} ") >= 0) != part.startswith("-")
            for part in side.split()
        )
        for side in query.split(" OR ")
    )


# How many of the rows have a vector, and in how many parts the rows came of which the first is in the columnstore.
REACHED = {"no vector yet": (0, 0), "some vectors": (TALKS // 2, 0), "all vectors": (TALKS, 0)}
if timescale.wanted():
    REACHED |= {"in the columnstore": (0, 1), "beside the columnstore": (0, 2)}


def check_searches(rows: list[dict[str, Any]]) -> None:
    queries = ["alpha", "alpha -beta", "-gamma", "alpha_beta", "alpha OR gamma delta", "alpha_beta OR -delta"]
    for query, (field, members) in itertools.product(
        queries,
        {
            "input_text": ["input_text"],
            "output_text": ["output_text"],
            "content": ["input_text", "output_text"],
        }.items(),
    ):
        asked = {"field": field, "operator": "search", "value": re.sub(r"(\w+)_(\w+)", r'"\1 \2"', query)}
        has_text = [one for one in rows if one["input_text"] or one["output_text"]]
        expected = {
            one["span_id"].hex()
            for one in has_text
            if says(query, " | ".join(one[name] for name in members if one[name]))
        }
        every = {one["span_id"].hex() for one in rows}
        assert found_by(asked) == expected, asked
        assert found_by({"operator": "NOT", "filters": [asked]}) == every - expected, asked


def talks() -> list[dict[str, Any]]:
    chance = random.Random(SEED)
    rows = [row(chance, number) for number in range(TALKS)]
    for one in rows:
        for name in ("input_text", "output_text"):
            one[name] = " ".join(chance.choices(WORDS, k=4)) if chance.random() < 0.8 else None
    return rows


@pytest.mark.parametrize("way", REACHED)
def test_a_search_finds_the_same_whatever_the_worker_has_reached(day, way, monkeypatch):
    reached, parts = REACHED[way]
    rows = talks()
    first = TALKS // parts if parts else 0
    if first:
        insert_rows(rows[:first])
        make_vectors()
        pack()
    if rows[first:]:
        insert_rows(rows[first:])
    monkeypatch.setattr("analytics.storage.searches.BATCH_ROWS", reached)
    make_vectors()
    check_searches(rows)
