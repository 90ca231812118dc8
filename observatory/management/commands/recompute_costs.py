"""Pricing stored spans anew, and undoing it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from analytics.costs.repricing import Repriced, Repricing, cost_runs, costs_preview, costs_recompute, costs_undo
from analytics.pricing.money import dollars
from analytics.storage.cost_reports import Difference
from analytics.storage.verification import window_checked
from observatory.accounts.audit import Act, record_command
from observatory.management.operating import WRONG_ARGUMENTS, TaskCommand, difference_lines, instant, project_named


class Command(TaskCommand):
    help = (
        "Give spans the costs that the price book has for them now, or the old ones back."
        " Example: python manage.py recompute_costs --from 2026-03-01 --to 2026-04-01 --dry-run"
    )

    def add_task_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", type=instant, help="first start of a span, ISO 8601")
        parser.add_argument("--to", dest="end", type=instant, help="end, not included, ISO 8601")
        parser.add_argument("--project", help="slug, or organisation/slug (default: all)")
        parser.add_argument("--provider", help="provider as spans name it")
        parser.add_argument("--model", help="model asked for or answered by, whole name")
        parser.add_argument("--undo", type=int, metavar="RUN", help="restore the costs from before that run")
        parser.add_argument("--runs", action="store_true", help="list the runs, newest first")
        parser.add_argument("--dry-run", action="store_true", help="print the difference; change nothing")

    def do_task(self, *, runs: bool, undo: int | None, **options: Any) -> None:
        _check(runs=runs, undo=undo, **options)
        if runs:
            self._list(as_json=options["json"])
        elif undo is not None:
            self._undo(undo, **options)
        else:
            self._recompute(**options)

    def _recompute(self, *, dry_run: bool, json: bool, **options: Any) -> None:
        project = None if options["project"] is None else project_named(options["project"])
        projects = None if project is None else [project.id]
        window = window_checked(
            start=options["start"], end=options["end"], projects=projects, now=timezone.now(), from_spans=True
        )
        asked = Repricing(window=window, provider=options["provider"], model=options["model"])
        if dry_run:
            done = costs_preview(asked, planned=self.progress("spans priced"))
        else:
            organisation = None if project is None else project.organisation_id
            done = costs_recompute(
                asked,
                planned=self.progress("spans priced"),
                begun=lambda run: _record(run, organisation, "begun"),
            )
            assert done.run is not None
            _record(done.run, organisation, f"done: {done.changed} of {done.spans} spans changed")
        found = {
            "run": done.run,
            "dry_run": dry_run,
            "resumed": done.resumed,
            "spans": done.spans,
            "changed": done.changed,
            "differences": [_told(one) for one in done.differences],
        }
        self.show(found, _lines(done), as_json=json)

    def _undo(self, run: int, *, dry_run: bool, json: bool, **_options: Any) -> None:
        done = costs_undo(
            run,
            dry_run=dry_run,
            planned=self.progress("spans restored"),
            begun=lambda run: _record(run, None, "undoing begun"),
        )
        if not dry_run:
            _record(run, None, f"undone: {done.spans} spans restored")
        verb = "would have" if dry_run else "have"
        lines = [f"run {run}: {done.spans} spans {verb} the cost from before it"]
        self.show({"run": run, "dry_run": dry_run, "spans": done.spans}, lines, as_json=json)

    def _list(self, *, as_json: bool) -> None:
        found = cost_runs()
        lines = [
            f"{one.id:>6}  {one.state:<8} {one.start_time:%Y-%m-%dT%H:%MZ} to {one.end_time:%Y-%m-%dT%H:%MZ}"
            f"  {one.spans_changed} of {one.spans_seen} spans changed, begun {one.started_at:%Y-%m-%dT%H:%MZ}"
            for one in found
        ]
        told = [
            {
                "run": one.id,
                "state": one.state,
                "from": one.start_time,
                "to": one.end_time,
                "project_id": one.project_id,
                "provider": one.provider,
                "model": one.model,
                "spans": one.spans_seen,
                "changed": one.spans_changed,
                "started_at": one.started_at,
                "finished_at": one.finished_at,
            }
            for one in found
        ]
        self.show({"runs": told}, lines or ["There was no run yet."], as_json=as_json)


def _record(run: int, organisation: int | None, change: str) -> None:
    """Write that a run begins, which is told even if it never ends, or that it is done."""
    act = Act(
        action="update",
        resource_type="cost_run",
        resource_id=str(run),
        organisation_id=organisation,
        changes=[change],
    )
    record_command("recompute_costs", act)


def _check(*, runs: bool, undo: int | None, **options: Any) -> None:
    narrowed = any(options[name] is not None for name in ("start", "end", "project", "provider", "model"))
    if (runs or undo is not None) and (narrowed or (runs and undo is not None)):
        raise CommandError("--undo and --runs stand alone: leave the rest out.", returncode=WRONG_ARGUMENTS)
    if not runs and undo is None and (options["start"] is None or options["end"] is None):
        raise CommandError("Write --from and --to, or --undo RUN, or --runs.", returncode=WRONG_ARGUMENTS)


def _told(one: Difference) -> dict[str, Any]:
    return {
        "day": one.day,
        "provider": one.provider or None,
        "model": one.model or None,
        "spans": one.spans,
        "cost_before_usd": dollars(one.cost_before_nanousd),
        "cost_after_usd": dollars(one.cost_after_nanousd),
        "unpriced_before": one.unpriced_before,
        "unpriced_after": one.unpriced_after,
    }


def _lines(done: Repriced) -> list[str]:
    lines = difference_lines(done.differences)
    if done.run is None:
        return [*lines, f"{done.changed} of {done.spans} spans would change; nothing was changed"]
    resumed = ", gone on with after an interruption" if done.resumed else ""
    undo = f"; undo it with `recompute_costs --undo {done.run}`" if done.changed else ""
    return [*lines, f"run {done.run}{resumed}: {done.changed} of {done.spans} spans changed{undo}"]
