"""Erasing a user from an organisation, with a receipt."""

import os
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import structlog
from django.core.management.base import CommandError
from django.utils import timezone

from analytics.erasure import Receipt, user_erase
from analytics.storage.spans import Tenant
from errors.json import dumps
from observatory.accounts import audit
from observatory.accounts.models import Organisation, Project
from observatory.management.operating import (
    FAILED,
    WRONG_ARGUMENTS,
    TaskCommand,
    organisation_named,
    project_named,
)

log = structlog.get_logger("observatory.erasure")


class Command(TaskCommand):
    help = (
        "Erase a user: spans, content, feedback and usage by user; exit status 1 when a legal hold keeps some of it."
        " Example: python manage.py erase_user --organisation demo --user u-17 --receipt u-17.json --dry-run"
    )

    def add_task_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", required=True, help="slug")
        parser.add_argument("--user", required=True, help="the user_id of their spans, exactly as it was sent")
        parser.add_argument("--project", help="slug (default: every project of the organisation)")
        parser.add_argument("--receipt", type=Path, metavar="FILE", help="write the receipt as JSON to a new file")
        parser.add_argument("--dry-run", action="store_true", help="print what would be erased; change nothing")

    def do_task(
        self,
        *,
        organisation: str,
        user: str,
        project: str | None,
        receipt: Path | None,
        dry_run: bool,
        json: bool,
        **_options: Any,
    ) -> None:
        if not user:
            raise CommandError("Name the --user: spans without one belong to nobody.", returncode=WRONG_ARGUMENTS)
        if receipt is not None:
            _check(receipt)
        begun = monotonic()
        owner = organisation_named(organisation)
        projects = _projects(owner, project)
        done = user_erase(
            tenants=[Tenant(organisation_id=owner.id, project_id=one.id) for one in projects],
            user_id=user,
            run_id=uuid4(),
            now=timezone.now(),
            dry_run=dry_run,
            planned=self.progress("traces looked at" if dry_run else "traces erased"),
        )
        told = _as_json(done, owner, {one.id: one.slug for one in projects})
        if receipt is not None:
            _write(receipt, told)
        self.show(told, _lines(told), as_json=json)
        if not dry_run:
            act = audit.Act(
                action="delete",
                resource_type="user",
                resource_id=f"sha256:{done.user_sha256}",
                organisation_id=owner.id,
                changes=sorted(table for table, count in done.rows.items() if count),
            )
            audit.record_command("erase_user", act, success=not done.kept, seconds=monotonic() - begun)
            log.info("user erased", **{key: told[key] for key in ("run_id", "organisation", "projects", "rows")})
        if done.kept and not dry_run:
            raise CommandError(
                "Not everything is erased: a legal hold wins. Run it again after the hold.", returncode=FAILED
            )


def _projects(owner: Organisation, slug: str | None) -> list[Project]:
    if slug is not None:
        return [project_named(f"{owner.slug}/{slug}")]
    return list(Project.objects.filter(organisation=owner).order_by("id"))


def _check(path: Path) -> None:
    # Before anything is erased: what cannot be proved afterwards should not be done.
    if path.exists():
        raise CommandError(f"{path} exists: name a new file for the receipt.", returncode=WRONG_ARGUMENTS)
    if not os.access(path.parent, os.W_OK):
        raise CommandError(f"{path.parent} is no folder that can be written to.", returncode=WRONG_ARGUMENTS)


def _write(path: Path, receipt: dict[str, Any]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(dumps(receipt) + b"\n")


def _as_json(receipt: Receipt, owner: Organisation, slugs: dict[int, str]) -> dict[str, Any]:
    return {
        "run_id": str(receipt.run_id),
        "at": receipt.at,
        "dry_run": receipt.dry_run,
        "organisation": owner.slug,
        "projects": list(slugs.values()),
        "user_sha256": receipt.user_sha256,
        "rows": receipt.rows,
        "from": receipt.first,
        "to": receipt.last,
        "kept": [
            {"project": slugs[one.tenant.project_id], "reason": one.hold.reason, "since": one.hold.placed_at}
            for one in receipt.kept
        ],
    }


def _lines(told: dict[str, Any]) -> list[str]:
    verb = "would be erased" if told["dry_run"] else "erased"
    rows = [f"{table}: {count} rows {verb}" for table, count in told["rows"].items()]
    if not any(told["rows"].values()):
        rows = ["nothing names this user"]
    elif told["from"]:
        rows.append(f"spans from {told['from']:%Y-%m-%dT%H:%M:%SZ} to {told['to']:%Y-%m-%dT%H:%M:%SZ}")
    kept = [
        f"{told['organisation']}/{one['project']}: kept, legal hold since {one['since']:%Y-%m-%d}: {one['reason']}"
        for one in told["kept"]
    ]
    return [f"run {told['run_id']}", *rows, *kept]
