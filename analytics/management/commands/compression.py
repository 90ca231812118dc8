"""The columnstore of older days: what is in it, from which age on, and bringing there what is due."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from analytics.management.progress import INTERRUPTED, DayProgress
from analytics.storage.engines import NotOnThisEngineError
from analytics.storage.engines.compression import (
    LEAST_DAYS,
    MOST_DAYS,
    Packed,
    after_days,
    compress_due,
    due,
    require_columnstore,
    set_after_days,
    stored_days,
)
from analytics.storage.exclusive import RefusedError
from analytics.storage.searches import make_vectors_of
from analytics.storage.transactions import told

_FAILED, _WRONG_ARGUMENTS, _NOT_SUPPORTED = 1, 2, 3


class Command(BaseCommand):
    help = (
        "Show, set or run the compression of older days (TimescaleDB only)."
        " Example: python manage.py compression apply --dry-run"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        show = actions.add_parser("show", help="each stored day with its size and state")
        show.epilog = "Example: python manage.py compression show --json"
        change = actions.add_parser("set", help="from which age on days are compressed")
        change.epilog = "Example: python manage.py compression set --after-days 3 --dry-run"
        change.add_argument("--after-days", type=int, required=True, help=f"{LEAST_DAYS} to {MOST_DAYS}")
        apply = actions.add_parser("apply", help="compress the days that are due")
        apply.epilog = "Example: python manage.py compression apply --dry-run"
        for one in (change, apply):
            one.add_argument("--dry-run", action="store_true", help="say what would be done and change nothing")
        for one in (show, change, apply):
            one.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        try:
            require_columnstore()
            {"show": self._show, "set": self._set, "apply": self._apply}[action](**options)
        except NotOnThisEngineError as reason:
            self.stderr.write(str(reason))
            raise SystemExit(_NOT_SUPPORTED) from None
        except RefusedError as reason:
            self.stderr.write(str(reason))
            raise SystemExit(_FAILED) from None
        except DatabaseError as problem:
            self.stderr.write(told(problem))
            raise SystemExit(_FAILED) from None
        except KeyboardInterrupt:
            self.stderr.write(INTERRUPTED)
            raise SystemExit(_FAILED) from None

    def _show(self, *, json: bool, **_options: Any) -> None:
        days, after = stored_days(), after_days()
        if json:
            shown = [
                {
                    "relation": one.relation,
                    "day": one.day.isoformat(),
                    "table": one.table,
                    "bytes": one.bytes,
                    "bytes_before": one.bytes_before,
                    "state": one.state,
                }
                for one in days
            ]
            self._print_json({"after_days": after, "days": shown})
            return
        self.stdout.write(f"days are compressed when they are {after} days old")
        for one in days:
            saved = f", {one.bytes_before / one.bytes:.1f}x smaller" if one.bytes_before and one.bytes else ""
            self.stdout.write(f"{one.day}  {one.relation:<12}  {one.state:<10}  {one.bytes:>14,} bytes{saved}")

    def _set(self, *, after_days: int, dry_run: bool, json: bool, **_options: Any) -> None:
        if not LEAST_DAYS <= after_days <= MOST_DAYS:
            self.stderr.write(f"--after-days is {after_days}: write a number from {LEAST_DAYS} to {MOST_DAYS}.")
            raise SystemExit(_WRONG_ARGUMENTS)
        waiting = due(today=timezone.now().date(), after=after_days)
        if not dry_run:
            set_after_days(after_days)
        if json:
            self._print_json({"after_days": after_days, "due_days": len(waiting), "dry_run": dry_run})
        else:
            verb = "would be" if dry_run else "are"
            self.stdout.write(
                f"days {verb} compressed when they are {after_days} days old; {len(waiting)} are due,"
                f" {sum(one.bytes for one in waiting):,} bytes"
            )

    def _apply(self, *, dry_run: bool, json: bool, **_options: Any) -> None:
        today = timezone.now().date()
        waiting = due(today=today, after=after_days())
        size = sum(one.bytes for one in waiting)
        if dry_run:
            if json:
                self._print_json({"days": len(waiting), "bytes_before": size, "dry_run": True})
                return
            for one in waiting:
                self.stdout.write(f"{one.day}  {one.relation}  {one.bytes:,} bytes")
            self.stdout.write(f"would compress {len(waiting)} days, {size:,} bytes")
            return
        done: list[Packed] = []
        progress = DayProgress(self.stderr.write, size)

        def report(packed: Packed) -> None:
            done.append(packed)
            what = f"{packed.rows:,} rows, {packed.bytes_before:,} -> {packed.bytes_after:,} bytes"
            weight = packed.bytes_before
            progress.done(packed.day, packed.relation, what, rows=packed.rows, weight=weight, left=packed.left)

        compress_due(today=today, report=report, prepare=make_vectors_of)
        before, after = sum(one.bytes_before for one in done), sum(one.bytes_after for one in done)
        if json:
            self._print_json({"days": len(done), "bytes_before": before, "bytes_after": after, "dry_run": False})
        elif done:
            self.stdout.write(f"compressed {len(done)} days: {before:,} -> {after:,} bytes")
        else:
            self.stdout.write("no day is due")

    def _print_json(self, value: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(value))
