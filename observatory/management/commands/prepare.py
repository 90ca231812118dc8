"""Bring the database up to this code: migrations, price book, partitions, and the demo where asked for."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from analytics.costs.price_book import add_bundled_prices
from analytics.jobs import partitions
from observatory.accounts.demo import (
    ensure_organisation,
    is_complete,
    read_credentials,
    renew_credentials,
    write_credentials,
)
from observatory.database.obstacles import obstacles
from observatory.env import CREDENTIALS_FILE, home


class Command(BaseCommand):
    help = "Migrate, fill the price book, make partitions ahead. Example: python manage.py prepare --demo"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="also make the demo organisation and its spans")

    def handle(self, *_args: Any, demo: bool, **_options: Any) -> None:
        self._migrate()
        if added := add_bundled_prices():
            self._say(f"price book: {added} prices")
        partitions()
        if demo:
            self._demo()

    def _migrate(self) -> None:
        alias = "owner" if "owner" in settings.DATABASES else "default"
        if found := obstacles(connections[alias]):
            raise CommandError("Nothing was changed. " + " ".join(f"{one.text}. {one.cure}." for one in found))
        executor = MigrationExecutor(connections[alias])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self._say(f"database: {len(plan)} migrations")
            call_command("migrate", database=alias, interactive=False, verbosity=0)

    def _demo(self) -> None:
        path = home() / CREDENTIALS_FILE
        organisation = ensure_organisation()
        known = read_credentials(path)
        if not is_complete(organisation):
            # A fixed end makes the spans of a broken first start the same as these, and so they are not doubled.
            end = organisation.created_at.isoformat()
            call_command("seed_demo", organisation=organisation.slug, end=end, stdout=self.stderr, stderr=self.stderr)
            known = None
        base_url = settings.API_BASE_URL
        credentials = known | {"base_url": base_url} if known else renew_credentials(organisation, base_url=base_url)
        write_credentials(path, credentials)

    def _say(self, line: str) -> None:
        self.stderr.write(line)
