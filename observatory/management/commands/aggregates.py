"""Rollups for operators: what there is, refresh, rebuild, verify."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import timezone

from analytics.registry.rollups import BY_TABLE, GRAIN_WIDTHS
from analytics.storage.sizes import rollup_states
from analytics.storage.verification import (
    Difference,
    aggregates_rebuild,
    aggregates_refresh,
    aggregates_verify,
    window_checked,
)
from observatory.accounts.models import Project
from observatory.management.operating import DIFFERENCES, OperatorCommand, instant, project_named, size

SHOWN_DIFFERENCES = 100
GRAIN_NAMES = {**{grain: grain for grain in GRAIN_WIDTHS}, **{table: one.grain for table, one in BY_TABLE.items()}}


class Command(OperatorCommand):
    help = (
        "Show, refresh, rebuild and verify rollups."
        " Example: python manage.py aggregates verify --from 2026-03-01 --to 2026-03-02"
    )
    actions: ClassVar = {
        "list": "rows, size, newest bucket, lag and marked buckets of every rollup",
        "refresh": "make marked buckets anew now",
        "rebuild": "make all buckets of a range anew from spans",
        "verify": "compare rollups with spans; exit status 4 when they differ",
    }
    examples: ClassVar = {
        "list": "aggregates list --json",
        "refresh": "aggregates refresh --granularity 1hour --project demo/support-assistant",
        "rebuild": "aggregates rebuild --from 2026-03-01 --to 2026-03-02 --dry-run",
        "verify": "aggregates verify --from 2026-03-01 --to 2026-03-08",
    }

    def add_action_arguments(self, action: str, parser: argparse.ArgumentParser) -> None:
        if action == "list":
            return
        needed = action != "refresh"
        parser.add_argument("--granularity", type=_grain, help=f"{', '.join(GRAIN_WIDTHS)} (default: all)")
        parser.add_argument("--from", dest="start", type=instant, required=needed, help="first bucket, ISO 8601")
        parser.add_argument("--to", dest="end", type=instant, required=needed, help="end, not included, ISO 8601")
        parser.add_argument("--project", help="slug, or organisation/slug (default: all)")
        if action != "verify":
            parser.add_argument("--dry-run", action="store_true", help="print how many buckets; change nothing")

    def do_list(self, *, json: bool, **_options: Any) -> None:
        states = rollup_states(now=timezone.now())
        found = [
            {
                "rollup": one.table,
                "granularity": one.grain,
                "rows": one.rows,
                "bytes": one.bytes,
                "watermark": one.watermark,
                "lag_seconds": one.behind.lag.total_seconds(),
                "dirty_buckets": one.behind.marked,
            }
            for one in states
        ]
        lines = [f"{'rollup':<20}{'rows':>12}{'size':>12}  {'watermark':<18}{'lag':>8}{'marked':>8}"]
        for one in states:
            watermark = f"{one.watermark:%Y-%m-%d %H:%MZ}" if one.watermark else "-"
            lag = f"{one.behind.lag.total_seconds():.0f} s"
            lines.append(
                f"{one.table:<20}{one.rows:>12}{size(one.bytes):>12}  {watermark:<18}{lag:>8}{one.behind.marked:>8}"
            )
        self.show({"rollups": found}, lines, as_json=json)

    def do_refresh(self, *, granularity: str | None, dry_run: bool, json: bool, **options: Any) -> None:
        window = window_checked(**_range(options), from_spans=False)
        done = aggregates_refresh(
            grain=granularity, window=window, dry_run=dry_run, planned=self.progress("buckets refreshed")
        )
        self._told(done, "refreshed", dry_run=dry_run, as_json=json)

    def do_rebuild(self, *, granularity: str | None, dry_run: bool, json: bool, **options: Any) -> None:
        asked = _range(options)
        done = aggregates_rebuild(
            grain=granularity,
            window=window_checked(**asked, from_spans=True),
            now=asked["now"],
            dry_run=dry_run,
            planned=self.progress("buckets rebuilt"),
        )
        self._told(done, "rebuilt", dry_run=dry_run, as_json=json)

    def _told(self, done: dict[str, int], verb: str, *, dry_run: bool, as_json: bool) -> None:
        said = f"would be {verb}" if dry_run else verb
        lines = [f"{grain}: {count} buckets {said}" for grain, count in done.items()]
        self.show({"dry_run": dry_run, "buckets": done}, lines, as_json=as_json)

    def do_verify(self, *, granularity: str | None, json: bool, **options: Any) -> None:
        window = window_checked(**_range(options), from_spans=True)
        found = aggregates_verify(grain=granularity, window=window, planned=self.progress("days compared"))
        lines = [
            f"{table}: {count} buckets compared, {found.waiting[table]} wait for their refresh"
            for table, count in found.compared.items()
        ]
        lines += _told_differences(found.differences)
        self.show(
            {
                "compared": found.compared,
                "waiting": found.waiting,
                "differences": [asdict(one) for one in found.differences],
            },
            lines,
            as_json=json,
        )
        if found.differences:
            raise CommandError(
                f"{len(found.differences)} differences: `aggregates rebuild` of the same range mends them.",
                returncode=DIFFERENCES,
            )


def _told_differences(differences: Sequence[Difference]) -> list[str]:
    names = {one.id: str(one) for one in Project.objects.select_related("organisation")} if differences else {}
    lines = []
    for one in differences[:SHOWN_DIFFERENCES]:
        labels = "".join(f" {label}={value or '-'}" for label, value in one.labels.items())
        project = names.get(one.project_id, f"project {one.project_id}")
        lines.append(
            f"{one.table} {project} {one.bucket:%Y-%m-%dT%H:%MZ}{labels} {one.column}:"
            f" stored {one.stored}, spans say {one.expected}"
        )
    if len(differences) > SHOWN_DIFFERENCES:
        lines.append(f"... and {len(differences) - SHOWN_DIFFERENCES} more; --json prints all")
    return lines


def _range(options: dict[str, Any]) -> dict[str, Any]:
    projects = None if options["project"] is None else [project_named(options["project"]).id]
    return {"start": options["start"], "end": options["end"], "projects": projects, "now": timezone.now()}


def _grain(text: str) -> str:
    if text not in GRAIN_NAMES:
        raise argparse.ArgumentTypeError(f"no such granularity {text}: write one of {', '.join(GRAIN_WIDTHS)}")
    return GRAIN_NAMES[text]
