"""Adding rows to the price book, from a file or from the installed package."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from analytics.costs.price_import import Change, Imported, prices_import, prices_refresh
from analytics.ingest.prices import EVERYBODY
from analytics.pricing.book import RATES
from errors.json import plain_decimal
from observatory.accounts.audit import Act, record_command
from observatory.management.operating import WRONG_ARGUMENTS, TaskCommand, instant, organisation_named

SHOWN_CHANGES = 100


class Command(TaskCommand):
    help = (
        "Add prices to the price book; what is new and what changes is shown first."
        " Example: python manage.py import_prices prices.csv --dry-run"
    )

    def add_task_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="CSV or JSON")
        parser.add_argument("--package", action="store_true", help="take the prices of the installed genai-prices")
        parser.add_argument("--valid-from", type=instant, help="start of lines that have none, ISO 8601")
        parser.add_argument("--organisation", help="slug: its own prices, which win over everybody's")
        parser.add_argument("--dry-run", action="store_true", help="print the difference; change nothing")

    def do_task(self, *, file: Path | None, package: bool, dry_run: bool, json: bool, **options: Any) -> None:
        if (file is None) != package:
            raise CommandError("Write either FILE or --package.", returncode=WRONG_ARGUMENTS)
        if package and (options["valid_from"] or options["organisation"]):
            raise CommandError(
                "--package has its own dates and is for everybody: leave the rest out.", returncode=WRONG_ARGUMENTS
            )
        slug = options["organisation"]
        whose = EVERYBODY if slug is None else organisation_named(slug).id
        if file is None:
            done = prices_refresh(dry_run=dry_run)
        else:
            done = prices_import(file, valid_from=options["valid_from"], organisation_id=whose, dry_run=dry_run)
        if done.added:
            act = Act(action="create", resource_type="price", organisation_id=None if whose == EVERYBODY else whose)
            record_command("import_prices", act)
        self.show(_told(done, dry_run=dry_run), _lines(done, dry_run=dry_run), as_json=json)
        if done.rejected:
            raise CommandError(
                f"{len(done.rejected)} lines are no prices, and nothing was added: mend them and import it again.",
                returncode=WRONG_ARGUMENTS,
            )


def _told(done: Imported, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "added": done.added,
        "new": [_told_change(one) for one in done.new],
        "changed": [_told_change(one) for one in done.changed],
        "unchanged": done.unchanged,
        "rejected": [{"line": one.number, "reason": one.reason} for one in done.rejected],
    }


def _told_change(one: Change) -> dict[str, Any]:
    row = one.row
    told = {
        "line": one.number,
        "provider": row.provider,
        "model_pattern": row.model_pattern,
        "service_tier": row.service_tier,
        "min_prompt_tokens": row.min_prompt_tokens,
        "valid_from": row.valid_from,
    }
    if one.before is None:
        return told | {"valid_to": row.valid_to, **{name: getattr(row, name) for name in RATES}}
    changes = {name: {"before": before, "after": after} for name, (before, after) in one.differences.items()}
    return told | {"corrects": str(one.before.id), "changes": changes}


def _lines(done: Imported, *, dry_run: bool) -> list[str]:
    lines = [*_some("new", done.new), *_some("changed", done.changed)]
    lines += [f"rejected  line {one.number}: {one.reason}" for one in done.rejected]
    lines.append(
        f"{len(done.new)} new, {len(done.changed)} changed, {done.unchanged} unchanged, {len(done.rejected)} rejected;"
        f" {done.added} rows added"
    )
    if done.added:
        lines.append("Stored spans keep their costs: `recompute_costs` prices them anew.")
    elif dry_run:
        lines.append("Nothing was changed.")
    return lines


def _some(verb: str, changes: Sequence[Change]) -> list[str]:
    lines = [f"{verb:<9} {_name(one)}: {_values(one)}" for one in changes[:SHOWN_CHANGES]]
    if len(changes) > SHOWN_CHANGES:
        lines.append(f"{verb:<9} ... and {len(changes) - SHOWN_CHANGES} more; --json prints all")
    return lines


def _name(one: Change) -> str:
    row = one.row
    above = f" above {row.min_prompt_tokens} tokens" if row.min_prompt_tokens else ""
    return f"{row.provider} {row.model_pattern} {row.service_tier}{above} from {row.valid_from:%Y-%m-%dT%H:%MZ}"


def _values(one: Change) -> str:
    if one.before is None:
        return ", ".join(f"{name} {_value(after)}" for name, (_, after) in one.differences.items())
    return ", ".join(f"{name} {_value(old)} -> {_value(new)}" for name, (old, new) in one.differences.items())


def _value(value: object) -> str:
    if isinstance(value, Decimal):
        return plain_decimal(value)
    return f"{value:%Y-%m-%dT%H:%MZ}" if isinstance(value, datetime) else "none"
