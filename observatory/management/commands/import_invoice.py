"""Comparing a provider's usage with ours."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from analytics.costs.invoices import LAYOUTS, Compared, invoice_compare
from observatory.management.operating import DIFFERENCES, TaskCommand, project_named, table


class Command(TaskCommand):
    help = (
        "Show the gap between a provider's usage CSV and what was counted, by day and model; nothing is stored."
        " Example: python manage.py import_invoice usage.csv --provider openai"
    )

    def add_task_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="usage export of the provider, CSV")
        parser.add_argument("--provider", required=True, choices=list(LAYOUTS))
        parser.add_argument("--project", help="slug, or organisation/slug (default: all)")

    def do_task(self, *, file: Path, provider: str, project: str | None, json: bool, **_options: Any) -> None:
        project_id = None if project is None else project_named(project).id
        done = invoice_compare(file, provider=provider, project_id=project_id)
        found = {
            "compared": done.compared,
            "not_kept": list(done.not_kept),
            "gaps": [
                {
                    "day": one.day,
                    "model": one.model or None,
                    "figure": one.figure,
                    "theirs": one.theirs,
                    "ours": one.ours,
                    "missing": one.missing,
                }
                for one in done.gaps
            ],
        }
        self.show(found, _lines(done), as_json=json)
        if done.gaps:
            raise CommandError(f"{len(done.gaps)} figures differ.", returncode=DIFFERENCES)


def _lines(done: Compared) -> list[str]:
    lines = []
    if done.not_kept:
        lines.append(f"spans of {done.not_kept[0]} to {done.not_kept[-1]} are gone: {len(done.not_kept)} days left out")
    if done.gaps:
        rows = [
            (
                one.day.isoformat(),
                one.model or "-",
                one.figure,
                str(one.theirs),
                str(one.ours),
                f"{one.missing:+d}",
            )
            for one in done.gaps
        ]
        lines += table(("day", "model", "figure", "theirs", "ours", "missing"), rows)
    return [*lines, f"{done.compared} days of models compared, {len(done.gaps)} figures differ"]
