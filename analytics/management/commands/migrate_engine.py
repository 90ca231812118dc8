"""Move a plain installation to TimescaleDB, once its server has the extension."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from analytics.management.progress import INTERRUPTED, DayProgress
from analytics.storage.engines.detection import has_hypertables, server, with_timescale
from analytics.storage.engines.moving import Copied, MovePlan, move, plan
from analytics.storage.exclusive import RefusedError
from analytics.storage.transactions import told

_FAILED, _NOT_SUPPORTED = 1, 3


class Command(BaseCommand):
    help = (
        "Move the spans of a plain installation into TimescaleDB's hypertables, beside the running service."
        " Example: python manage.py migrate_engine --dry-run"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *_args: Any, dry_run: bool, json: bool, **_options: Any) -> None:
        try:
            self._move(dry_run=dry_run, json=json)
        except RefusedError as reason:
            self.stderr.write(str(reason))
            raise SystemExit(_FAILED) from None
        except DatabaseError as problem:
            self.stderr.write(told(problem))
            raise SystemExit(_FAILED) from None
        except KeyboardInterrupt:
            self.stderr.write(INTERRUPTED)
            raise SystemExit(_FAILED) from None

    def _move(self, *, dry_run: bool, json: bool) -> None:
        connection = connections["owner" if "owner" in settings.DATABASES else "default"]
        if has_hypertables(connection):
            self._print({"moved_rows": 0, "dry_run": dry_run}, "The spans are in hypertables already.", as_json=json)
            return
        found = server(connection) if dry_run else with_timescale(connection)
        if found.lacks is not None and not (dry_run and found.creatable):
            self.stderr.write(found.lacks)
            raise SystemExit(_NOT_SUPPORTED)
        planned = plan(connection)
        if dry_run:
            self._print(_as_json(planned), "\n".join(_lines(planned)), as_json=json)
            return
        self.stderr.write("\n".join(_lines(planned)))
        progress = DayProgress(self.stderr.write, sum(table.rows for table in planned.tables))

        def report(copied: Copied) -> None:
            what = f"{copied.rows:,} rows"
            progress.done(copied.day, copied.relation, what, rows=copied.rows, weight=copied.rows, left=copied.left)

        rows = move(connection, report=report)
        self._print(
            {"moved_rows": rows, "dry_run": False},
            f"moved {rows:,} rows into hypertables; restart web and worker processes",
            as_json=json,
        )

    def _print(self, value: dict[str, Any], line: str, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(value) if as_json else line)


def _lines(planned: MovePlan) -> list[str]:
    tables = [
        f"{table.relation}: about {table.rows:,} rows in {table.days} partitions, {table.bytes:,} bytes"
        for table in planned.tables
    ]
    size = sum(table.bytes for table in planned.tables)
    end = (
        f"Each day is copied into a hypertable while the service runs, about {planned.seconds:,} s in all; then the"
        " tables change names while writers wait, and the partitions are dropped. Until then both take room:"
        f" {size:,} bytes more."
    )
    return [*tables, end]


def _as_json(planned: MovePlan) -> dict[str, Any]:
    tables = [
        {"relation": table.relation, "days": table.days, "rows": table.rows, "bytes": table.bytes}
        for table in planned.tables
    ]
    return {"tables": tables, "seconds": planned.seconds, "dry_run": True}
