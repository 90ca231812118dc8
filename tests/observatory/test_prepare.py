import os
import re
import subprocess
import sys

import psycopg
import pytest

from observatory.env import BASE_DIR
from observatory.supervisor.roles import grant_to_service
from tests import servers

DATABASE = f"{servers.DATABASE}_prepare"
COUNTS = """
SELECT (SELECT count(*) FROM django_migrations),
       (SELECT count(*) FROM model_prices),
       (SELECT count(*) FROM pg_inherits)
"""


@pytest.fixture
def empty_database():
    """Return the variables of a database in which nothing is yet."""
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 OWNER {servers.OWNER}")
        with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=DATABASE, autocommit=True) as database:
            grant_to_service(database, owner=servers.OWNER, service=servers.SERVICE)
        yield {
            "DATABASE_URL": os.environ["TEST_SERVICE_URL"].replace("/observatory?", f"/{DATABASE}?"),
            "DATABASE_MIGRATION_URL": os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{DATABASE}?"),
        }
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def prepare(database):
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "prepare"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | database,
        capture_output=True,
        text=True,
        check=False,
    )
    with psycopg.connect(database["DATABASE_MIGRATION_URL"]) as connection:
        return done.returncode, done.stderr, connection.execute(COUNTS).fetchone()


def test_an_empty_database_is_filled_once(empty_database):
    first, second = prepare(empty_database), prepare(empty_database)

    assert re.fullmatch(r"database: \d+ migrations\nprice book: \d+ prices\n", first[1])
    assert (first[0], min(first[2]) > 0, second) == (0, True, (0, "", first[2]))


def test_a_database_that_is_away_is_told_with_a_status(tmp_path):
    nowhere = f"postgresql://nobody@/nothing?host={tmp_path}"
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "prepare"],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": nowhere,
            "DATABASE_MIGRATION_URL": nowhere,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
