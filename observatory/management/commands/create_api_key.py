"""Make an API key and print its secret once."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from observatory.accounts.audit import Act, record_command
from observatory.accounts.models import Organisation
from observatory.accounts.networks import read_networks
from observatory.accounts.roles import PERMISSIONS, ROLES, expand
from observatory.accounts.services import api_key_create
from observatory.management.operating import instant


class Command(BaseCommand):
    help = (
        "Make an API key; its secret is shown once. Example: python manage.py create_api_key"
        " --organisation demo --project support-assistant --name ingest --permission ingest:write"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", required=True, help="slug of the organisation")
        parser.add_argument("--project", required=True, nargs="+", help="slugs of the projects it reaches")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument("--permission", required=True, nargs="+", help=", ".join(sorted(PERMISSIONS)))
        parser.add_argument("--tier", choices=ROLES, default="viewer", help="rate limit (default: viewer)")
        parser.add_argument("--expires", type=instant, help="when it ends: 2027-01-31 or RFC 3339 with an offset")
        parser.add_argument("--allow-ip", nargs="+", default=[], help="networks it works from, such as 192.0.2.0/24")
        parser.add_argument("--signing", action="store_true", help="its requests must be signed")
        parser.add_argument("--dry-run", action="store_true", help="check everything and make nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, project: list[str], permission: list[str], **options: Any) -> None:
        organisation = Organisation.objects.filter(slug=options["organisation"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation {options['organisation']}: make it in the admin.")
        projects = list(organisation.projects.filter(slug__in=project))
        if missing := sorted(set(project) - {one.slug for one in projects}):
            raise CommandError(f"{organisation.slug} has no project {', '.join(missing)}: make it in the admin.")
        if unknown := [name for name in permission if not expand([name])]:
            raise CommandError(f"No such permission: {', '.join(unknown)}. Known: {', '.join(sorted(PERMISSIONS))}.")
        try:
            allowed = read_networks(options["allow_ip"])
        except ValueError as problem:
            raise CommandError(f"--allow-ip: {problem}.") from None
        if options["dry_run"]:
            self.stdout.write(f"would make key {options['name']} of {', '.join(project)} with {', '.join(permission)}")
            return
        made = api_key_create(
            organisation=organisation,
            name=options["name"],
            projects=projects,
            permissions=permission,
            tier=options["tier"],
            allowed_ips=allowed,
            signing="required" if options["signing"] else "off",
            expires_at=options["expires"],
        )
        act = Act(action="create", resource_type="key", resource_id=str(made.key.id), organisation_id=organisation.id)
        record_command("create_api_key", act)
        if options["json"]:
            secrets = {"key": made.secret} | ({"signing_secret": made.signing_secret} if made.signing_secret else {})
            self.stdout.write(json.dumps({"id": str(made.key.id)} | secrets))
        else:
            signing = f"\nsigning secret: {made.signing_secret}" if made.signing_secret else ""
            self.stdout.write(f"id:  {made.key.id}\nkey: {made.secret}{signing}\nThe key is not shown again.")
