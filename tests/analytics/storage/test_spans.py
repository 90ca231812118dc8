"""What is copied in is what is read back, and the tables are what the lists of columns and members say."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest.prices import current_price_book
from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.models import ModelPrice
from analytics.registry.fields import SPAN_FIELDS
from analytics.storage import ddl
from analytics.storage.engines import RELATIONS, engine
from analytics.storage.partitions import ensure_days, forget_days
from analytics.storage.rows import CONTENT_COLUMNS, SPAN_COLUMNS, blank_row, span_text
from analytics.storage.spans import insert_spans
from tests import timescale
from tests.analytics.storage.conftest import DAY, NOON, NOON_NS

COLUMNS = {"llm_traces": SPAN_COLUMNS, "llm_contents": CONTENT_COLUMNS}
SQL_FILES = sorted((Path(ddl.__file__).parent / "sql").glob("*.sql"))
UP, DOWN = ([path for path in SQL_FILES if path.suffixes[0] == way] for way in (".up", ".down"))
_span_numbers = itertools.count(1)

# Text is free of NUL and of lone surrogates when it gets to the storage.
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "\\N",
            "\\.",
            "\\",
            "\t",
            "\n",
            "\r\n",
            '"',
            "'",
            "{}",
            "NULL",
            "\\x00",
            "\x1f",
            "\x02",
            "\x02\x1f\\",
            '{"a":"\\n"}',
            "💡é\u2028",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.one_of(st.dictionaries(TEXTS, JSON, max_size=3), st.lists(JSON, max_size=3))


def row(**given: Any) -> dict[str, Any]:
    """Return a row of both relations with only what must be there, besides what is given."""
    return {
        "organisation_id": 1,
        "project_id": 1,
        "ts": NOON_NS,
        "trace_id": bytes(16),
        "span_id": next(_span_numbers).to_bytes(8, "big"),
        "ingested_at": NOON_NS,
        "duration_ms": 0,
        "usage_counted": False,
        "call_counted": False,
        "span_name": "chat",
        "span_kind": "client",
        "status_code": "OK",
    } | given


def put(rows: list[dict[str, Any]]) -> None:
    insert_spans([(span_text(blank_row() | one), (one["usage_counted"], one["call_counted"])) for one in rows])


def raw(**given: Any) -> RawSpan:
    number = next(_span_numbers)
    told = {"trace_id": number.to_bytes(16, "big"), "span_id": number.to_bytes(8, "big"), "name": "step"}
    return RawSpan(**(told | {"start_ns": NOON_NS, "end_ns": NOON_NS} | given))


def read_back(table: str, names: list[str], given: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(names)} FROM {table} WHERE span_id = ANY(%s) ORDER BY span_id",
            [[one["span_id"] for one in given]],
        )
        return cursor.fetchall()


@pytest.fixture
def day(db: None) -> Iterator[None]:
    ensure_days([DAY])
    yield
    forget_days()  # they go with the test's transaction


@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_text_is_read_back_as_it_was_written(day, texts):
    given = [row(span_name=text, user_id=text, input_text=text) for text in texts]
    put(given)

    assert read_back("llm_traces", ["span_name", "user_id"], given) == [(text, text) for text in texts]
    assert read_back("llm_contents", ["input_text"], given) == [(text,) for text in texts]


@given(lists=st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_list_of_texts_is_read_back_as_it_was_written(day, lists):
    given = [row(tags=texts) for texts in lists]
    put(given)

    assert read_back("llm_contents", ["tags"], given) == [(texts,) for texts in lists]


@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_document_is_read_back_as_it_was_written(day, documents):
    given = [row(attributes=document) for document in documents]
    put(given)

    assert [orjson.loads(one) for (one,) in read_back("llm_contents", ["attributes"], given)] == documents


@given(micros=st.lists(st.integers(0, 86_400_000_000 - 1), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_start_is_read_back_to_the_microsecond(day, micros):
    midnight_ns = NOON_NS - 12 * 3600 * 10**9
    given = [row(ts=midnight_ns + part * 1000 + 999) for part in micros]
    put(given)

    shown = read_back("llm_traces", ["(extract(epoch FROM ts) * 1000000)::bigint * 1000"], given)
    assert shown == [(midnight_ns + part * 1000,) for part in micros]


def test_what_is_missing_from_a_row_is_null(day):
    given = [row()]
    put(given)

    ((*numbers, attributes, tags),) = read_back(
        "llm_contents", ["input_text", "response_id", "attributes", "tags"], given
    )
    assert [*numbers, attributes, tags] == [None] * 4


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_that_are_copied_are_the_columns_of_the_table(db, table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        stored = sorted(name for (name,) in cursor.fetchall())

    # Search vectors are made behind, by the worker.
    assert sorted(column.name for column in COLUMNS[table]) == [name for name in stored if name != "search_vector"]


@pytest.mark.parametrize("field", SPAN_FIELDS, ids=lambda field: field.key)
def test_the_sql_of_every_member_is_understood_by_the_server(db, field):
    table = {"s": "llm_traces", "c": "llm_contents"}[field.relation.value]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {field.sql} FROM {table} AS {field.relation.value} LIMIT 0")

        assert cursor.fetchall() == []


@pytest.fixture
def empty_database(django_db_setup: None) -> Iterator[psycopg.Connection]:
    """A connection to a database with nothing in it, as a role that owns it."""
    name = f"empty_{os.getpid()}"
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER observatory_owner")
        try:
            url = os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{name}?")
            with psycopg.connect(url, autocommit=True) as connection:
                yield connection
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def relations(database: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Return the columns, indexes and functions of schema public."""
    columns = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
    indexes = "SELECT tablename, indexname, indexdef, '' FROM pg_indexes"
    functions = "SELECT proname, prosrc, '', '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    found = (
        f"{columns} WHERE table_schema = 'public' UNION ALL {indexes} WHERE schemaname = 'public' UNION ALL {functions}"
    )
    return sorted(database.execute(found).fetchall())


def run(database: psycopg.Connection, files: list[Path]) -> list[tuple[Any, ...]]:
    for path in files:
        database.execute(path.read_text())
    return relations(database)


def test_tables_go_up_down_and_up_again_on_an_empty_database(empty_database):
    made = run(empty_database, UP)

    assert made != []
    assert run(empty_database, DOWN[::-1]) == []
    assert run(empty_database, UP) == made


def test_tables_with_partitions_go_down_without_a_trace(empty_database):
    run(empty_database, UP)
    empty_database.execute("SELECT observatory_ensure_partitions('2001-03-01', '2001-03-03')")

    assert run(empty_database, DOWN[::-1]) == []


def stored_in() -> list[str]:
    """Return the relations that have a table for `DAY`."""
    return [relation for relation in RELATIONS for stored in engine().days(relation) if stored.day == DAY]


def test_a_day_without_a_table_gets_one_for_its_spans(committed, drop_day):
    receive(scope=committed, spans=[raw()], received_at=NOON)

    assert stored_in() == ["llm_traces", "llm_contents"]


def test_tables_that_were_dropped_meanwhile_are_made_again(committed, drop_day):
    receive(scope=committed, spans=[raw()], received_at=NOON)
    drop_day()

    assert receive(scope=committed, spans=[raw()], received_at=NOON).stored == 1
    assert stored_in() == ["llm_traces", "llm_contents"]


@pytest.mark.skipif(timescale.wanted(), reason="chunks are made by the server")
def test_partitions_that_are_there_are_not_made_again(committed, drop_day):
    assert ensure_days([DAY]) == 2
    forget_days()

    assert ensure_days([DAY]) == 0


def test_a_span_on_the_edge_of_a_day_belongs_to_the_day_that_begins(committed, drop_day, owner):
    midnight_ns = NOON_NS - 12 * 3600 * 10**9
    receive(scope=committed, spans=[raw(start_ns=midnight_ns, end_ns=midnight_ns)], received_at=NOON)
    (stored,) = (stored for stored in engine().days("llm_traces") if stored.day == DAY)

    assert owner.execute(f"SELECT count(*) FROM {stored.table}").fetchone() == (1,)


def test_a_new_price_is_found_at_once(db):
    def asked(model: str) -> Any:
        return current_price_book(1).find(provider="acme", models=(model,), tier="default", at=NOON, prompt_tokens=1)

    assert asked("acme-1") is None
    made = ModelPrice.objects.create(
        provider="acme", model_pattern="acme-*", valid_from="1970-01-01T00:00Z", input=1, output=2, source="test"
    )

    assert asked("acme-1").id == made.id
