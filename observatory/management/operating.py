"""What the commands of operators share: exit codes, time ranges, names of projects, progress and JSON."""

import argparse
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from time import monotonic
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.dateparse import parse_date, parse_datetime

from analytics.management.progress import INTERRUPTED
from analytics.pricing.money import dollars
from analytics.storage.cost_reports import Difference
from analytics.storage.exclusive import BusyError, RefusedError
from analytics.storage.transactions import told
from errors.json import dumps, plain_decimal
from observatory.accounts.models import Organisation, Project

FAILED, WRONG_ARGUMENTS, NOT_SUPPORTED, DIFFERENCES = 1, 2, 3, 4
PROGRESS_SECONDS = 2.0
_FIGURE = re.compile(r"[-+]?[0-9.]+( -> [0-9]+)?")


@contextmanager
def exit_codes() -> Iterator[None]:
    """Let what the storage refuses end the command with the contract's exit code and the reason; Ctrl-C likewise."""
    try:
        yield
    except BusyError as problem:
        raise CommandError(str(problem), returncode=FAILED) from problem
    except RefusedError as problem:
        raise CommandError(str(problem), returncode=WRONG_ARGUMENTS) from problem
    except DatabaseError as problem:
        raise CommandError(told(problem), returncode=FAILED) from problem
    except KeyboardInterrupt:
        raise CommandError(INTERRUPTED, returncode=FAILED) from None


class ReportingCommand(BaseCommand):
    """A command that prints its result to stdout, for people or as one JSON object, and its progress to stderr."""

    def show(self, found: Any, lines: list[str], *, as_json: bool) -> None:
        """Print `found` as JSON, or the lines about it."""
        self.stdout.write(dumps(found).decode() if as_json else "\n".join(lines))

    def progress(self, what: str) -> Callable[[int], Callable[[int], None]]:
        """Return a function that takes the total of `what` and returns a listener of steps, which writes to stderr."""

        def planned(total: int) -> Callable[[int], None]:
            begun = last_said = monotonic()
            so_far = 0

            def done(count: int) -> None:
                nonlocal so_far, last_said
                so_far += count
                now = monotonic()
                if now - last_said >= PROGRESS_SECONDS:
                    last_said = now
                    rate = so_far / (now - begun)
                    left = max(total - so_far, 0) / rate if rate else 0.0
                    self.stderr.write(f"{so_far} of {total} {what}, {rate:.0f} a second, {left:.0f} s left")
                    self.stderr.flush()

            return done

        return planned


class OperatorCommand(ReportingCommand):
    """A command of actions: each has a method `do_<action>` and its options from `add_action_arguments`.

    `actions` tells of each what it does, and `examples` the words of one use of it.
    """

    actions: ClassVar[dict[str, str]] = {}
    examples: ClassVar[dict[str, str]] = {}

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_subparsers(dest="action", required=True, metavar=" | ".join(self.actions))
        for action, said in self.actions.items():
            example = f"Example: python manage.py {self.examples[action]}"
            sub = chosen.add_parser(action, help=said, description=said, epilog=example)
            sub.add_argument("--json", action="store_true", help="print one JSON object")
            self.add_action_arguments(action, sub)

    def add_action_arguments(self, action: str, parser: argparse.ArgumentParser) -> None:
        """Add what one action takes beside --json."""

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        with exit_codes():
            getattr(self, f"do_{action}")(**options)


class TaskCommand(ReportingCommand, ABC):
    """A command that does one thing: `do_task`, with the options of `add_task_arguments`."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        self.add_task_arguments(parser)

    def add_task_arguments(self, parser: CommandParser) -> None:
        """Add what the command takes beside --json."""

    @abstractmethod
    def do_task(self, *args: Any, **options: Any) -> None:
        """Do it."""

    def handle(self, *_args: Any, **options: Any) -> None:
        with exit_codes():
            self.do_task(**options)


def instant(text: str) -> datetime:
    """Return the time that an option names: ISO 8601, without an offset UTC; a date is its midnight."""
    try:
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise argparse.ArgumentTypeError("write a date or an ISO 8601 time such as 2026-03-01T12:00:00Z")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def project_named(name: str) -> Project:
    """Return the project of a slug, written as organisation/project where several organisations have it."""
    organisation, _, slug = name.rpartition("/")
    found = Project.objects.select_related("organisation").filter(slug=slug)
    if organisation:
        found = found.filter(organisation__slug=organisation)
    projects = list(found.order_by("organisation__slug"))
    if not projects:
        raise CommandError(f"There is no project {name}: the admin lists those that there are.", returncode=2)
    if len(projects) > 1:
        choices = ", ".join(str(one) for one in projects)
        raise CommandError(f"Several organisations have a project {name}: write one of {choices}.", returncode=2)
    return projects[0]


def organisation_named(slug: str) -> Organisation:
    """Return the organisation of a slug."""
    found = Organisation.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no organisation {slug}: the admin lists those that there are.", returncode=2)
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; columns of figures are aligned to the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    figures = [all(not cell or _FIGURE.fullmatch(cell) for cell in column[1:]) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]


def signed(value: Decimal) -> str:
    """Return a difference with its sign."""
    return f"{'+' if value > 0 else ''}{plain_decimal(value)}"


def size(count: int) -> str:
    """Return bytes for people."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:  # noqa: PLR2004  one step of the units
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def difference_lines(differences: Sequence[Difference]) -> list[str]:
    """Return what a re-pricing changes as the lines of a table, by day and model; none where it changes nothing."""
    if not differences:
        return []
    rows = [(one.day.isoformat(), one.provider or "-", one.model or "-", *_figures([one])) for one in differences]
    head = ("day", "provider", "model", "spans", "before", "after", "difference", "unpriced")
    return table(head, [*rows, ("all", "", "", *_figures(differences))])


def _figures(differences: Sequence[Difference]) -> tuple[str, ...]:
    before = sum(one.cost_before_nanousd for one in differences)
    after = sum(one.cost_after_nanousd for one in differences)
    return (
        str(sum(one.spans for one in differences)),
        plain_decimal(dollars(before)),
        plain_decimal(dollars(after)),
        signed(dollars(after - before)),
        f"{sum(one.unpriced_before for one in differences)} -> {sum(one.unpriced_after for one in differences)}",
    )
