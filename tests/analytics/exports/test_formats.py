"""What each format makes of the same spans."""

import csv
import gzip
import io
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from django.test import Client

from tests.analytics.exports.conftest import RANGE, spans

FIELDS = ["ts", "trace_id", "model", "total_cost_usd", "duration_ms", "tags", "attributes"]


def listed(api: Client, **query):
    reply = api.get("/api/v1/traces", RANGE | {"sort_order": "asc", "limit": 1000} | query)
    return reply.json(parse_float=Decimal)["data"]


@pytest.fixture
def small_steps(settings):
    settings.EXPORT_STEP_ROWS = 3


def test_json_lines_are_the_spans_of_the_list_in_the_order_of_their_starts(api, send, exported, small_steps):
    send(*spans(10, **{"shop.cart": 3, "gen_ai.input.messages": 'say "ü" \\ and\nmore'}))
    _, file = exported(format="jsonl")

    assert [json.loads(line, parse_float=Decimal) for line in file.splitlines()] == listed(api)


def test_json_is_one_array_of_them(api, send, exported, small_steps):
    send(*spans(10))
    _, file = exported(format="json")

    assert json.loads(file, parse_float=Decimal) == listed(api)


def test_csv_has_a_header_and_a_line_a_span(api, send, exported, small_steps):
    send(*spans(7, **{"tag.tags": ["a", "b"], "shop.cart": 3}))
    _, file = exported(format="csv", fields=FIELDS)
    header, *rows = csv.reader(io.StringIO(file.decode(), newline=""))

    assert header == FIELDS
    assert rows == [
        [one["ts"], one["trace_id"], "gpt-4o", str(one["total_cost_usd"]), "250", '["a","b"]', '{"shop.cart": 3}']
        for one in listed(api)
    ]
    assert file.count(b"\r\n") == file.count(b"\n") == 8


def test_parquet_has_typed_columns_and_row_groups_of_steps(api, send, exported, small_steps):
    send(*spans(7, **{"tag.tags": ["a", "b"], "shop.cart": 3}))
    _, file = exported(format="parquet", fields=FIELDS)
    table = pq.read_table(io.BytesIO(file))

    assert [str(kind) for kind in table.schema.types] == [
        "timestamp[us, tz=UTC]", "string", "string", "decimal128(20, 9)", "int64", "list<element: string>", "string",
    ]  # fmt: skip
    assert pq.ParquetFile(io.BytesIO(file)).num_row_groups == 3
    assert [
        (row["trace_id"], row["model"], row["total_cost_usd"], row["tags"], json.loads(row["attributes"]))
        for row in table.to_pylist()
    ] == [(one["trace_id"], "gpt-4o", Decimal("0.0075"), ["a", "b"], {"shop.cart": 3}) for one in listed(api)]


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_gzip_holds_what_the_file_without_it_does(send, exported, small_steps, form):
    send(*spans(10))

    assert gzip.decompress(exported(format=form, compression="gzip")[1]) == exported(format=form)[1]


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_an_export_of_nothing_is_a_whole_file(exported, form, compression):
    job, file = exported(format=form, compression=compression)
    if compression == "gzip" and form != "parquet":
        file = gzip.decompress(file)
    read = {
        "csv": lambda: len(list(csv.reader(io.StringIO(file.decode())))) - 1,
        "json": lambda: len(json.loads(file)),
        "jsonl": lambda: len(file.splitlines()),
        "parquet": lambda: pq.read_table(io.BytesIO(file)).num_rows,
    }

    assert (read[form](), job["manifest"]["rows"]) == (0, 0)
