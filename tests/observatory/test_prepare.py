import os
import re
import subprocess
import sys

import psycopg
import pytest
from django.db import connections

from observatory.checks import check_databases
from observatory.database.obstacles import obstacles
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
def empty_database(request):
    """Return the variables of a database in which nothing is yet, made with the options of the parameter if any."""
    options = getattr(request, "param", "")
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 OWNER {servers.OWNER} {options}")
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
        # A slow machine has slow statements; they are none of what is told here.
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "SLOW_QUERY_MS": "600000"} | database,
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


def refused(database):
    """Return what `prepare` and `migrate` say of a database, and the tables that are there afterwards."""
    said = []
    for words in (["prepare"], ["migrate", "--database", "owner"]):
        done = subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *words],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | database,
            capture_output=True,
            text=True,
            check=False,
        )
        said.append((done.returncode, done.stderr))
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=DATABASE) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        return said, tables.fetchone()[0]


def test_a_role_that_may_not_create_tables_is_told_before_anything_is_changed(empty_database):
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=DATABASE, autocommit=True) as database:
        database.execute(
            f"ALTER SCHEMA public OWNER TO CURRENT_USER; REVOKE CREATE ON SCHEMA public FROM {servers.OWNER}"
        )
        database.execute(f"ALTER DATABASE {DATABASE} OWNER TO CURRENT_USER")
    said, tables = refused(empty_database)

    assert tables == 0
    for status, text in said:
        assert status == 1
        assert f"Role {servers.OWNER} may not create tables in schema public" in text
        assert f'GRANT CREATE ON SCHEMA public TO "{servers.OWNER}"' in text


def test_a_role_that_does_not_own_the_tables_is_told_whose_they_are(empty_database):
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=DATABASE, autocommit=True) as database:
        database.execute("CREATE TABLE django_migrations (id int)")
        (superuser,) = database.execute("SELECT current_user").fetchone()
    said, tables = refused(empty_database)

    assert tables == 1
    assert all(f"The tables belong to {superuser}" in text and "DATABASE_MIGRATION_URL" in text for _, text in said)


@pytest.fixture
def connected(empty_database):
    """Return the connection of an alias of its own to the empty database."""
    connections.databases["asked"] = connections.databases["owner"] | {"NAME": DATABASE}
    yield connections["asked"]
    connections["asked"].close()
    del connections["asked"]
    del connections.databases["asked"]


def test_a_server_that_is_too_old_is_told_with_its_version(connected, django_db_blocker, monkeypatch):
    monkeypatch.setattr(connected.features, "minimum_database_version", (99,))
    with django_db_blocker.unblock():
        (found,) = obstacles(connected)

    assert found.text.startswith("PostgreSQL 99 or later is required (found ")
    assert found.cure == "Use PostgreSQL 14 or newer"


def test_a_server_that_has_everything_has_no_obstacle(connected, django_db_blocker):
    with django_db_blocker.unblock():
        assert obstacles(connected) == []


def test_a_database_without_the_schema_is_told_so(connected, django_db_blocker):
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=DATABASE, autocommit=True) as database:
        database.execute("DROP SCHEMA public CASCADE")
    with django_db_blocker.unblock():
        (found,) = obstacles(connected)

    assert found.text == "There is no schema public"


@pytest.mark.parametrize("empty_database", ["ENCODING 'LATIN1' LOCALE 'C'"], indirect=True)
def test_a_database_that_cannot_hold_every_text_is_told_so(connected, django_db_blocker):
    with django_db_blocker.unblock():
        (found,) = obstacles(connected)

    assert "LATIN1" in found.text


def test_the_role_of_the_service_is_not_asked_for_rights_that_the_owner_needs(db):
    assert check_databases(["default"]) == []
