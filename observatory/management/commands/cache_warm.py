"""Asking the dashboards' questions ahead of people."""

from dataclasses import fields
from typing import Any

from django.core.management.base import CommandError, CommandParser

from errors.exceptions import ApiError
from observatory.accounts.models import Organisation
from observatory.management.operating import (
    FAILED,
    WRONG_ARGUMENTS,
    TaskCommand,
    organisation_named,
    project_named,
    table,
)
from observatory.pages.asked import DEFAULT_START
from observatory.pages.warming import Plan, Warmed, plans_of, warm


class Command(TaskCommand):
    help = (
        "Ask the dashboards' questions of every project, so that replies are kept and data are near before people come."
        " Example: python manage.py cache_warm --organisation demo --start now-24h"
    )

    def add_task_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", help="slug (default: all)")
        parser.add_argument("--project", help="slug, or organisation/slug (default: all)")
        parser.add_argument(
            "--start", default=DEFAULT_START, help=f"start of the range as pages have it (default: {DEFAULT_START})"
        )
        parser.add_argument("--end", default="", help="end of the range (default: now)")
        parser.add_argument("--dry-run", action="store_true", help="print what would be asked; ask nothing")

    def do_task(self, *, start: str, end: str, dry_run: bool, json: bool, **options: Any) -> None:
        plans = _plans(**options)
        if dry_run:
            told = [_planned(one) for one in plans]
            lines = [
                f"{one['organisation']}: {one['pages']} pages as {one['role']}, {one['projects']} projects one by one"
                for one in told
            ]
            self.show({"dry_run": True, "plans": told}, lines or ["There is no member to ask for."], as_json=json)
            return
        try:
            found = warm(plans, start=start, end=end, planned=self.progress("pages"))
        except ApiError as problem:  # of the range: what is wrong with a single question is counted
            raise CommandError(f"{problem.message}. {problem.details}".strip(), returncode=WRONG_ARGUMENTS) from problem
        self.show({"dry_run": False, "organisations": [_told(one) for one in found]}, _lines(found), as_json=json)
        if refused := sum(one.refused.total() for one in found):
            raise CommandError(f"{refused} questions were not answered.", returncode=FAILED)


def _plans(organisation: str | None, project: str | None, **_options: Any) -> list[Plan]:
    if project is not None:
        if organisation is not None:
            raise CommandError("Write --project alone: organisation/slug names both.", returncode=WRONG_ARGUMENTS)
        found = project_named(project)
        return plans_of([found.organisation], project=found)
    whose = [organisation_named(organisation)] if organisation else list(Organisation.objects.order_by("slug"))
    return plans_of(whose)


def _planned(plan: Plan) -> dict[str, Any]:
    role = getattr(plan.viewer.principal, "role", None)
    slug, projects = plan.organisation.slug, len(plan.projects)
    return {"organisation": slug, "role": role, "projects": projects, "pages": plan.pages}


def _told(one: Warmed) -> dict[str, Any]:
    return {name.name: getattr(one, name.name) for name in fields(one)} | {"refused": dict(one.refused)}


def _lines(found: list[Warmed]) -> list[str]:
    if not found:
        return ["There is no member to ask for."]
    head = ["organisation", "viewers", "pages", "made", "kept", "uncached", "refused"]
    rows = [
        [one.organisation, *map(str, (one.viewers, one.pages, one.made, one.kept, one.uncached, one.refused.total()))]
        for one in found
    ]
    reasons = [f"{one.organisation}: {code} {count} times" for one in found for code, count in one.refused.items()]
    return [*table(head, rows), *reasons]
