"""The command `observatory`: search, look, follow and take away from a terminal."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from llm_observatory.client import Client
from llm_observatory.errors import DigestError, ObservatoryError, ServiceAwayError
from llm_observatory.importing import TOOLS, records_of, request_of, spans_of
from llm_observatory.values import json_of

FAILED, INTERRUPTED = 1, 130
_FOUND = ("ts", "trace_id", "model", "status_code", "duration_ms", "total_tokens", "total_cost_usd", "error_message")
_SPENT = ("dimension_value", "total_cost", "request_count", "total_tokens", "cost_percentage", "unpriced_requests")
_WIDEST = 48
_BATCH = 200
_GROUPS = ("provider", "model", "environment", "user", "project", "tag", "team")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 1 failed, 2 wrong arguments, 130 interrupted."""
    given = _parser().parse_args(arguments)
    try:
        with Client(given.url, key=given.key) as client:
            given.run(client, given)
    except ObservatoryError as refused:
        cure = f"\n{refused.remediation}" if refused.remediation else ""
        print(f"observatory: {refused}{cure}", file=sys.stderr)
        return FAILED
    except (ServiceAwayError, DigestError, ValueError, OSError) as problem:
        print(f"observatory: {problem}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _search(client: Client, given: argparse.Namespace) -> None:
    asked = {"q": given.query, "start_time": f"now-{given.since}", "sort_by": given.sort, "fields": list(_FOUND)}
    found = client.traces_list(limit=given.limit, **{name: value for name, value in asked.items() if value})
    _show(given, found["data"], _FOUND)


def _trace(client: Client, given: argparse.Namespace) -> None:
    spans = list(client.each(client.traces_spans, trace_id=given.trace_id))
    if given.json:
        return _show(given, spans, ())
    children: dict[str | None, list[Any]] = {}
    known = {one["span_id"] for one in spans}
    for one in spans:
        parent = one.get("parent_span_id")
        children.setdefault(parent if parent in known else None, []).append(one)
    rows = [_branch(one, depth) for one, depth in _walk(children, None, 0)]
    return _show(given, rows, ("span", "model", "status_code", "duration_ms", "total_tokens", "total_cost_usd"))


def _walk(children: Mapping[str | None, list[Any]], parent: str | None, depth: int) -> Iterable[tuple[Any, int]]:
    for one in children.get(parent, ()):
        yield one, depth
        yield from _walk(children, one["span_id"], depth + 1)


def _branch(one: Mapping[str, Any], depth: int) -> dict[str, Any]:
    return {**one, "span": "  " * depth + str(one.get("name") or one.get("span_name") or one["span_id"])}


def _cost(client: Client, given: argparse.Namespace) -> None:
    start = f"now-{given.since}"
    if given.by:
        reply = client.costs_attribution(dimension=given.by, start_time=start, end_time="now")
        return _show(given, reply["items"], _SPENT)
    return _show(
        given,
        [client.costs_summary(start_time=start)["overview"]],
        ("total_cost", "total_requests", "total_tokens", "unpriced_requests"),
    )


def _tail(client: Client, given: argparse.Namespace) -> None:
    filters = {name: getattr(given, name) for name in ("model", "provider", "environment") if getattr(given, name)}
    for event in client.events(*given.events.split(","), **filters):
        if given.json:
            print(json_of({"id": event.id, "event_type": event.type, "data": event.data}).decode(), flush=True)
        else:
            told = event.data
            parts = (
                told.get("timestamp"),
                event.type,
                told.get("model"),
                told.get("status_code"),
                told.get("duration_ms"),
                told.get("cost_usd"),
                told.get("trace_id"),
            )
            print("  ".join(map(_printable, parts)), flush=True)


def _export(client: Client, given: argparse.Namespace) -> None:
    form = given.format or given.file.name.removesuffix(".gz").rpartition(".")[2]
    packed: dict[str, Any] = {"compression": "gzip"} if given.file.name.endswith(".gz") else {}
    path = client.export(given.file, format=form, start_time=f"now-{given.since}", **packed)
    _show(given, [{"file": str(path), "bytes": path.stat().st_size}], ("file", "bytes"))


def _import(client: Client, given: argparse.Namespace) -> None:
    counts = {"sent": 0, "rejected": 0}
    spans = spans_of(given.tool, records_of(given.file))
    while batch := list(islice(spans, _BATCH)):
        reply = client.send(request_of(given.tool, batch))
        counts["sent"] += len(batch)
        counts["rejected"] += int(reply.get("partialSuccess", {}).get("rejectedSpans", 0))
        print(f"{counts['sent']} spans sent", file=sys.stderr)
    _show(given, [counts], ("sent", "rejected"))


def _me(client: Client, given: argparse.Namespace) -> None:
    known = client.me()
    _show(given, [known], tuple(name for name, value in known.items() if not isinstance(value, (list, dict))))


def _show(given: argparse.Namespace, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if given.json:
        for row in rows:
            print(json_of(dict(row)).decode())
        return
    if not rows:
        print("Nothing found.", file=sys.stderr)
        return
    cells = [list(columns), *([_cell(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    numeric = [all(isinstance(row.get(name), (int, Decimal, type(None))) for row in rows) for name in columns]
    for line in cells:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        print("  ".join(aligned).rstrip())


def _cell(value: Any) -> str:
    text = _printable(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _printable(value: Any) -> str:
    """Return a value as text without what a terminal would obey: applications wrote it."""
    if value is None:
        return "-"
    text = f"{value:f}" if isinstance(value, Decimal) else value if isinstance(value, str) else json.dumps(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="observatory",
        description="Ask LLM Observatory. Example: observatory search 'status:error model:gpt-4o' --since 7d",
    )
    parser.add_argument(
        "--url", default=os.environ.get("OBSERVATORY_URL"), help="default $OBSERVATORY_URL, or http://localhost:8080"
    )
    parser.add_argument(
        "--key", default=None, help="API key or token; default $OBSERVATORY_KEY, which others do not see"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    commands = parser.add_subparsers(required=True, metavar="command")

    search = commands.add_parser(
        "search", help="find calls", description="Example: observatory search 'cost>0.5 -env:staging'"
    )
    search.add_argument("query", nargs="?", default="", help="words and filters, as in GET /api/v1/traces?q=")
    search.add_argument("--limit", type=int, default=20)
    search.add_argument("--sort", default="", help="a member such as total_cost_usd, or relevance")
    trace = commands.add_parser(
        "trace", help="show the spans of a trace", description="Example: observatory trace 5b8efff7…"
    )
    trace.add_argument("trace_id")
    cost = commands.add_parser(
        "cost", help="what was spent", description="Example: observatory cost --by model --since 30d"
    )
    cost.add_argument("--by", choices=_GROUPS)
    tail = commands.add_parser(
        "tail", help="follow events until Ctrl-C", description="Example: observatory tail --model gpt-4o"
    )
    tail.add_argument("--events", default="trace_created", help="a comma list; default trace_created")
    for name in ("model", "provider", "environment"):
        tail.add_argument(f"--{name}")
    export = commands.add_parser(
        "export", help="write spans to a file", description="Example: observatory export spans.parquet --since 7d"
    )
    export.add_argument(
        "file", type=Path, help="ends with .csv, .json, .jsonl or .parquet, and .gz if it shall be packed"
    )
    export.add_argument(
        "--format", choices=("csv", "json", "jsonl", "parquet"), help="default: what the name ends with"
    )
    moved = commands.add_parser(
        "import",
        help="send the spans that another tool exported",
        description="Example: observatory --key $INGEST_KEY import observations.jsonl --from langfuse",
    )
    moved.add_argument("file", type=Path, help="JSON or an object a line; docs/how-to/move.md says how it is made")
    moved.add_argument("--from", dest="tool", choices=sorted(TOOLS), required=True)
    me = commands.add_parser("me", help="show whose key this is")
    for one, run in (
        (search, _search),
        (trace, _trace),
        (cost, _cost),
        (tail, _tail),
        (export, _export),
        (moved, _import),
        (me, _me),
    ):
        one.set_defaults(run=run)
        # Said before the command or behind it.
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a line")
    for one in (search, cost, export):
        one.add_argument("--since", default="24h", help="how far back: 90m, 24h, 7d; default 24h")
    return parser


if __name__ == "__main__":
    sys.exit(main())
