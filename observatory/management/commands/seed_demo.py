"""Demo spans through the ingest path: the same arguments send the same spans."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from analytics.management.demo import PROJECTS, DemoBatch, demo_requests, spans_by_day
from analytics.management.demo.seeding import Seeded, store
from analytics.scope import Scope
from observatory.accounts.models import Project
from observatory.accounts.services import organisation_scope

PROGRESS_SECONDS = 2.0
WRONG_ARGUMENTS = 2
EXAMPLE = """example:
  python manage.py seed_demo --days 7 --traces-per-day 200 --dry-run
"""


class Command(BaseCommand):
    help = (
        "Sends demo spans to the two projects of an organisation: agents, model calls, tools, retrievals, errors, and "
        "one incident three days before the end. Sent again with the same --end, they are dropped as duplicates."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", default="demo", help="slug of the organisation (demo)")
        parser.add_argument("--days", type=_positive, default=14, help="days before the end (14)")
        parser.add_argument("--traces-per-day", type=_positive, default=500, help="mean over the days (500)")
        parser.add_argument("--seed", type=int, default=1, help="another seed gives other spans (1)")
        parser.add_argument("--end", default="", help="ISO 8601 time no span goes beyond (now, on the full minute)")
        parser.add_argument("--dry-run", action="store_true", help="print spans per project and day; store nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *_: Any, days: int, traces_per_day: int, seed: int, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        end = _end(options["end"], now=now)
        scopes = {project: _scope(options["organisation"], project) for project in PROJECTS}
        batches = demo_requests(days=days, traces_per_day=traces_per_day, seed=seed, end=end)
        if dry_run:
            self._report_plan(spans_by_day(batches), as_json=options["json"])
            return
        try:
            done = store(batches, scopes=scopes, received_at=now, after_each=self._progress(days * traces_per_day))
        except DatabaseError as problem:
            raise CommandError(f"The database refused the spans: {problem}") from problem
        self._report(done, end=end, as_json=options["json"])

    def _progress(self, traces: int) -> Callable[[DemoBatch], None]:
        """Return a listener that says every two seconds how far the sending has come."""
        begun = last_said = monotonic()
        sent_spans = sent_traces = 0

        def say(batch: DemoBatch) -> None:
            nonlocal last_said, sent_spans, sent_traces
            sent_spans += batch.span_count
            sent_traces += batch.trace_count
            now = monotonic()
            if now - last_said < PROGRESS_SECONDS:
                return
            last_said = now
            elapsed = now - begun
            left = elapsed * (traces - sent_traces) / sent_traces
            self.stderr.write(f"demo spans: {sent_spans} sent, {sent_spans / elapsed:.0f} a second, {left:.0f} s left")
            self.stderr.flush()

        return say

    def _report_plan(self, counts: dict[tuple[str, date], int], *, as_json: bool) -> None:
        total = sum(counts.values())
        if as_json:
            rows = [{"project": project, "day": str(day), "spans": count} for (project, day), count in counts.items()]
            self.stdout.write(json.dumps({"would_send": rows, "spans": total}))
            return
        for (project, day), count in counts.items():
            self.stdout.write(f"{project:<20} {day} {count:>7}")
        self.stdout.write(f"would send {total} spans; nothing was stored")

    def _report(self, done: dict[str, Seeded], *, end: datetime, as_json: bool) -> None:
        counts = {
            project: {"stored": one.stored, "duplicates": one.duplicates, "rejected": one.rejected}
            for project, one in done.items()
        }
        if as_json:
            self.stdout.write(json.dumps({"end": end.isoformat(), "projects": counts}))
        else:
            for project, count in counts.items():
                told = ", ".join(f"{number} {name}" for name, number in count.items())
                self.stdout.write(f"{project}: {told} (until {end.isoformat()})")
        if any(one.rejected for one in done.values()):
            raise CommandError("Some spans were refused: --days reaches behind the retention of spans.")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("write a whole number from 1")
    return int(text)


def _end(text: str, *, now: datetime) -> datetime:
    """Return the end that was asked for, else the last full minute; refuse one that is unreadable or to come."""
    if not text:
        return now.replace(second=0, microsecond=0)
    try:
        end = parse_datetime(text)
    except ValueError:
        end = None
    if end is None:
        raise CommandError("--end must be an ISO 8601 time such as 2026-03-01T12:00:00Z.", returncode=WRONG_ARGUMENTS)
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    if end > now:
        raise CommandError("--end lies in the future: choose a time that has passed.", returncode=WRONG_ARGUMENTS)
    return end


def _scope(organisation: str, project: str) -> Scope:
    try:
        return organisation_scope(organisation, project)
    except Project.DoesNotExist:
        raise CommandError(
            f"There is no project '{project}' in organisation '{organisation}': run `manage.py up --demo` to make it.",
            returncode=WRONG_ARGUMENTS,
        ) from None
