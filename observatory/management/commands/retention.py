"""Retention for operators: limits, legal holds, and freeing what is past its limit."""

import argparse
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import timezone

from analytics.storage.exclusive import RefusedError
from analytics.storage.holds import Hold, hold_add, hold_list, hold_remove
from analytics.storage.retention import EVERYBODY, KINDS, limits_read
from analytics.storage.spans import Tenant
from observatory.accounts import audit
from observatory.accounts.models import Organisation, Project
from observatory.lifecycle import Freed, limit_change, retention_run
from observatory.management.operating import (
    FAILED,
    WRONG_ARGUMENTS,
    OperatorCommand,
    organisation_named,
    project_named,
    size,
)


class Command(OperatorCommand):
    help = (
        "Show and change how long data are kept, and free what is past it."
        " Example: python manage.py retention apply --dry-run"
    )
    actions: ClassVar = {
        "show": "how long each kind of data is kept, and the legal holds",
        "set": "change a limit, of everybody or of one project",
        "apply": "free what is past its limit now",
        "hold": "add, remove or list legal holds: nothing under one is dropped",
    }
    examples: ClassVar = {
        "show": "retention show",
        "set": "retention set content 14 --project demo/support-assistant",
        "apply": "retention apply --dry-run",
        "hold": 'retention hold add --organisation demo --reason "case 2026-17"',
    }

    def add_action_arguments(self, action: str, parser: argparse.ArgumentParser) -> None:
        if action == "set":
            parser.add_argument("kind", choices=[kind.key for kind in KINDS])
            parser.add_argument("days", type=int)
            parser.add_argument("--project", help="slug, or organisation/slug (default: everybody)")
        if action == "hold":
            parser.add_argument("change", choices=["add", "remove", "list"])
            parser.add_argument("--organisation", help="slug")
            parser.add_argument("--project", help="slug (default: every project of the organisation)")
            parser.add_argument("--reason", default="", help="why: needed by add")
        if action != "show":
            parser.add_argument("--dry-run", action="store_true", help="print what would happen; change nothing")

    def do_show(self, *, json: bool, **_options: Any) -> None:
        now, limits = timezone.now(), limits_read()
        found = [_limit(limits.days(kind.key), kind.key, "everybody") for kind in KINDS]
        names = _project_names()
        found += [
            _limit(limits.days(kind.key, tenant), kind.key, names.get(tenant.project_id, str(tenant.project_id)))
            for kind in KINDS
            for tenant in limits.tenants(kind.key)
        ]
        holds = [_hold(one) for one in hold_list()]
        lines = [f"{one['kind']:<12}{one['days']:>6} days  {one['of']}" for one in found]
        lines += [_hold_line(one) for one in holds]
        if problem := limits.disorder():
            lines.append(f"These limits contradict each other and nothing is dropped: {problem}.")
        self.show({"limits": found, "holds": holds, "as_of": now}, lines, as_json=json)

    def do_set(self, *, kind: str, days: int, project: str | None, dry_run: bool, json: bool, **_options: Any) -> None:
        tenant, whose = EVERYBODY, "everybody"
        if project is not None:
            found = project_named(project)
            tenant, whose = Tenant(organisation_id=found.organisation_id, project_id=found.id), str(found)
        change, foreseen = limit_change(kind=kind, days=days, tenant=tenant, now=timezone.now(), dry_run=dry_run)
        if not dry_run:
            for organisation_id in _concerned(tenant.organisation_id):
                act = audit.Act(
                    action="update",
                    resource_type="retention",
                    resource_id=kind,
                    organisation_id=organisation_id,
                    changes=[f"{kind}: {change.before} days to {change.after}"],
                )
                audit.record_command("retention set", act)
        told = {"dry_run": dry_run, "kind": kind, "of": whose, "before": change.before, "after": change.after}
        lines = [
            f"{kind} of {whose}: {'would be ' if dry_run else ''}kept {change.after} days (before: {change.before})"
        ]
        if foreseen is not None:
            told, lines = told | _told(foreseen), [*lines, *_lines(foreseen, "the next run would free")]
        self.show(told, lines, as_json=json)

    def do_apply(self, *, dry_run: bool, json: bool, **_options: Any) -> None:
        try:
            freed = retention_run(
                "retention apply",
                now=timezone.now(),
                dry_run=dry_run,
                planned=self.progress("rows freed"),
            )
        except RefusedError as problem:  # no argument was wrong
            raise CommandError(str(problem), returncode=FAILED) from problem
        lines = _lines(freed, "would free" if dry_run else "freed")
        self.show({"dry_run": dry_run} | _told(freed), lines, as_json=json)

    def do_hold(self, *, change: str, json: bool, **options: Any) -> None:
        if change == "list":
            holds = [_hold(one) for one in hold_list()]
            self.show({"holds": holds}, [_hold_line(one) for one in holds] or ["no holds"], as_json=json)
            return
        if options["organisation"] is None:
            raise CommandError("Name the --organisation.", returncode=WRONG_ARGUMENTS)
        organisation, slug = organisation_named(options["organisation"]), options["project"]
        project = None if slug is None else project_named(f"{organisation.slug}/{slug}")
        target = {
            "organisation_id": organisation.id,
            "project_id": 0 if project is None else project.id,
            "dry_run": options["dry_run"],
        }
        if change == "add":
            hold_add(**target, reason=options["reason"])
        else:
            hold_remove(**target)
        if not options["dry_run"]:
            act = audit.Act(
                action="create" if change == "add" else "delete",
                resource_type="legal_hold",
                resource_id=str(project or organisation),
                organisation_id=organisation.id,
            )
            audit.record_command(f"retention hold {change}", act)
        verb = {"add": "placed", "remove": "removed"}[change]
        said = f"would be {verb}" if options["dry_run"] else verb
        of = str(project or organisation)
        self.show({"dry_run": options["dry_run"], "of": of, change: True}, [f"hold on {of} {said}"], as_json=json)


def _concerned(organisation_id: int) -> list[int]:
    """Return the organisation, or all of them where 0 stands for everybody."""
    return [organisation_id] if organisation_id else list(Organisation.objects.values_list("id", flat=True))


def _limit(days: int, kind: str, of: str) -> dict[str, Any]:
    return {"kind": kind, "days": days, "of": of}


def _told(freed: Freed) -> dict[str, Any]:
    left = [{"table": one.table, "rows": one.rows, "hold": _hold(one.hold)} for one in freed.storage.left]
    return {"freed": _by_table(freed), "left": left}


def _lines(freed: Freed, verb: str) -> list[str]:
    lines = [
        f"{table}: {verb} {one['rows']:,} rows, {one['partitions']} partitions, {size(one['bytes'])}"
        for table, one in _by_table(freed).items()
    ] or ["nothing is past its limit"]
    held = [(one, _hold_line(_hold(one.hold))) for one in freed.storage.left]
    return lines + [f"{one.table}: {one.rows:,} rows stay. {line}" for one, line in held]


def _by_table(freed: Freed) -> dict[str, dict[str, int]]:
    tables: dict[str, dict[str, int]] = {}
    for loss in freed.storage.losses:
        one = tables.setdefault(loss.of.table, {"rows": 0, "partitions": 0, "bytes": 0})
        one["rows"] += loss.rows
        one["partitions"] += loss.partition is not None
        one["bytes"] += loss.bytes
    if freed.audit_rows:
        tables["audit_log"] = {"rows": freed.audit_rows, "partitions": 0, "bytes": freed.audit_bytes}
    return tables


def _project_names() -> dict[int, str]:
    return {one.id: str(one) for one in Project.objects.select_related("organisation")}


def _hold(hold: Hold) -> dict[str, Any]:
    organisation = Organisation.objects.filter(id=hold.organisation_id).first()
    project = Project.objects.filter(id=hold.project_id).first()
    return {
        "organisation": str(organisation or hold.organisation_id),
        "project": project.slug if project else None,
        "reason": hold.reason,
        "placed_at": hold.placed_at,
    }


def _hold_line(hold: dict[str, Any]) -> str:
    of = hold["organisation"] + (f"/{hold['project']}" if hold["project"] else "")
    return f"legal hold on {of} since {hold['placed_at']:%Y-%m-%d}: {hold['reason']}"
