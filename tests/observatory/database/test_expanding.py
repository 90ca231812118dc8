"""Two versions of the service work on one database while it is deployed: a migration leaves what older code names."""

import os
from collections import defaultdict

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from observatory.settings.base import _database
from tests import servers

OURS = ("accounts", "analytics")
# They came before the first release: no older code was ever beside them.
NO_OLDER_CODE = {
    "accounts.0002_project_content",
    "accounts.0003_identity",
    "analytics.0007_usage",
    "analytics.0013_sparse_rollups",
    "analytics.0032_leaner_alerts",
}
COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> ''
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attnum > 0 AND NOT a.attisdropped
"""
CHECKS = """
    SELECT c.relname, n.conname FROM pg_constraint AS n JOIN pg_class AS c ON c.oid = n.conrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND n.contype IN ('c', 'u', 'x', 'f')
"""


class Schema:
    """Columns and constraints of the tables at one moment."""

    def __init__(self, database):
        with database.cursor() as cursor:
            cursor.execute(COLUMNS)
            self.columns = {(table, column): rest for table, column, *rest in cursor}
            cursor.execute(CHECKS)
            self.constraints = set(cursor)
        self.tables = {table for table, _ in self.columns}

    def in_the_way_after(self, before):
        """Yield what code that knows the schema `before` meets here: columns that went, others, values it must send."""
        for place, (kind, required, filled) in before.columns.items():
            now = self.columns.get(place)
            if now is None:
                yield "gone", place
            elif now[0] != kind or now[1] > required or filled > now[2]:
                yield "other", place
        for place, (_, required, filled) in self.columns.items():
            if place not in before.columns and place[0] in before.tables and required and not filled:
                yield "required", place
        for place in self.constraints - before.constraints:
            if place[0] in before.tables:
                yield "bound", place


@pytest.fixture
def empty_database(django_db_setup, django_db_blocker):
    name = f"{servers.DATABASE}_expanding"
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} OWNER {servers.OWNER}")
        url = os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{name}?")
        with django_db_blocker.unblock():
            settings.DATABASES["expanding"] = connections["default"].settings_dict | _database(url)
            yield connections["expanding"]
            connections["expanding"].close()
            del connections["expanding"], settings.DATABASES["expanding"]
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_migration_takes_nothing_from_older_code_and_asks_nothing_new_of_it(empty_database):
    found, before = defaultdict(list), Schema(empty_database)

    def look(action, migration=None, _fake=False):
        nonlocal before
        if action == "apply_success":
            after = Schema(empty_database)
            if migration.app_label in OURS:
                found[f"{migration.app_label}.{migration.name}"] += after.in_the_way_after(before)
            before = after

    executor = MigrationExecutor(empty_database, look)
    executor.migrate(executor.loader.graph.leaf_nodes())

    assert {name for name, problems in found.items() if problems} == NO_OLDER_CODE, found
