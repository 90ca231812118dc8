"""The embedded servers and the roles that are made on them, and on servers that the operator named."""

import os
import signal

import psycopg
import pytest
import redis

from observatory.supervisor import external, roles
from observatory.supervisor.external import check_redis, use_database
from observatory.supervisor.failure import CannotStart
from observatory.supervisor.launch import embedded_addresses
from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.valkey import EmbeddedValkey

PASSWORD = "p@ss/w:rd %"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    # A space and a quote: both servers and both kinds of address must take them.
    return tmp_path_factory.mktemp("servers") / "it's home"


@pytest.fixture(scope="module")
def postgres(home):
    with EmbeddedPostgres(home, durable=False) as server:
        yield server


@pytest.fixture(scope="module")
def addresses(postgres):
    embedded_addresses(postgres)
    return embedded_addresses(postgres)


@pytest.fixture
def superuser(postgres):
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner_url(postgres, superuser):
    """Return a function that makes a database whose owner has the given attributes, and returns its address."""
    made = []

    def make(attributes=""):
        name = f"external{len(made)}"
        made.append(name)
        superuser.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {attributes}")
        superuser.execute(f"CREATE DATABASE {name} OWNER {name}")
        return postgres.url(name, name, PASSWORD)

    yield make
    for name in made:
        superuser.execute(f"DROP DATABASE {name}")
        superuser.execute(f"DROP ROLE IF EXISTS {name}_service")
        superuser.execute(f"DROP ROLE {name}")


def attributes_of(connection, role):
    return connection.execute(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = %s", [role]
    ).fetchone()


@pytest.mark.parametrize("role", [roles.OWNER, roles.SERVICE])
def test_the_roles_have_no_special_rights(addresses, superuser, role):
    assert attributes_of(superuser, role) == (False, False, False, False)


def test_the_service_changes_rows_of_what_the_owner_makes(addresses):
    with psycopg.connect(addresses.owner, autocommit=True) as owner, psycopg.connect(addresses.service) as service:
        owner.execute("CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY, name text)")
        service.execute("INSERT INTO made (name) VALUES ('a')")
        service.execute("UPDATE made SET name = 'b'")
        row = service.execute("DELETE FROM made RETURNING id, name").fetchone()
        service.rollback()
        owner.execute("DROP TABLE made")

    assert row == (1, "b")


@pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "CREATE SCHEMA mine", "CREATE ROLE mine"])
def test_the_service_makes_nothing(addresses, statement):
    with psycopg.connect(addresses.service) as service, pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute(statement)


def test_nobody_connects_without_the_password(addresses, postgres):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(roles.DATABASE, roles.SERVICE, "guess"))


def test_the_database_sorts_by_bytes_and_knows_unicode(addresses):
    with psycopg.connect(addresses.service) as service:
        assert service.execute("SELECT 'B' < 'a', upper('é'), getdatabaseencoding()").fetchone() == (True, "É", "UTF8")


def test_every_commit_is_on_disk_unless_a_test_says_otherwise(home):
    command = EmbeddedPostgres(home).program().command

    assert [setting in command for setting in ("fsync=on", "synchronous_commit=on")] == [True, True]


def test_a_server_that_was_killed_blocks_no_start_even_while_it_is_a_zombie(tmp_path):
    first = EmbeddedPostgres(tmp_path).start()
    with psycopg.connect(first.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    os.kill(first.child.process.pid, signal.SIGKILL)
    with EmbeddedPostgres(tmp_path) as second, psycopg.connect(second.superuser_url) as connection:
        kept = connection.execute("SELECT count(*) FROM kept").fetchone()
    first.child.process.wait()

    assert kept == (0,)


def test_the_mark_of_a_dead_server_whose_number_a_stranger_has_does_not_block(tmp_path):
    EmbeddedPostgres(tmp_path, durable=False).start().stop()
    mark = tmp_path / "postgres" / "postmaster.pid"
    mark.write_text(f"{os.getpid()}\n{tmp_path / 'postgres'}\n")

    with EmbeddedPostgres(tmp_path, durable=False) as server:
        assert server.child.exit_status() is None


def test_a_foreign_secret_is_one_sentence(tmp_path):
    EmbeddedPostgres(tmp_path, durable=False).start().stop()
    (tmp_path / "postgres.secret").write_text("00" * 32)
    server = EmbeddedPostgres(tmp_path, durable=False)

    with pytest.raises(CannotStart, match="does not belong to the data beside it"):
        server.start()


def test_a_server_that_cannot_start_says_why(tmp_path):
    EmbeddedPostgres(tmp_path, durable=False).start().stop()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotStart, match=r"PostgreSQL does not start: .*FATAL: .*\(more in .*postgres\.log\)"):
        EmbeddedPostgres(tmp_path, durable=False).start()


def test_valkey_keeps_its_keys_across_a_restart(home):
    for write in (True, False):
        with EmbeddedValkey(home) as server, redis.Redis.from_url(server.url) as client:
            if write:
                client.set("kept", "yes")
            kept = client.get("kept")

    assert kept == b"yes"


def test_valkey_that_cannot_start_says_where_to_look(tmp_path):
    (tmp_path / "valkey" / "dump.rdb").mkdir(parents=True)

    with pytest.raises(CannotStart, match=r"Valkey does not start: .*valkey\.log says why"):
        EmbeddedValkey(tmp_path).start()


def test_an_owner_that_may_make_roles_gets_a_service_role(owner_url, superuser):
    with psycopg.connect(use_database(owner_url("CREATEROLE"), None).service) as service:
        user = service.execute("SELECT current_user").fetchone()

    assert (user, attributes_of(superuser, user[0])) == (("external0_service",), (False, False, False, False))


def test_two_machines_with_the_same_address_agree(owner_url):
    url = owner_url("CREATEROLE")

    assert use_database(url, None) == use_database(url, None)


def test_a_service_role_follows_a_change_of_its_owners_password(owner_url, superuser):
    url = owner_url("CREATEROLE")
    before = use_database(url, None)
    superuser.execute("ALTER ROLE external0 PASSWORD 'other'")
    after = use_database(external._as_role(url, "external0", "other"), None)

    assert before.service != after.service


def test_an_ordinary_owner_is_the_service_too(owner_url):
    url = owner_url()

    assert use_database(url, None) == external.Addresses(service=url, owner=url)


def test_two_named_roles_are_taken_as_they_are(addresses):
    assert use_database(addresses.service, addresses.owner) == addresses


def test_a_service_role_above_row_security_is_refused(addresses, postgres):
    with pytest.raises(CannotStart, match="DATABASE_URL: role postgres bypasses row security"):
        use_database(postgres.superuser_url, addresses.owner)


def test_an_owner_above_row_security_that_makes_no_roles_is_refused(owner_url):
    url = owner_url("BYPASSRLS")
    with pytest.raises(CannotStart, match="bypasses row security and may not make a role"):
        use_database(url, None)


def test_an_owner_that_may_not_make_tables_is_refused(addresses):
    with pytest.raises(CannotStart, match=f"role {roles.SERVICE} may not make tables"):
        use_database(addresses.service, None)


def test_a_service_role_that_cannot_be_made_is_one_sentence(owner_url, superuser):
    url = owner_url("CREATEROLE")
    superuser.execute("CREATE ROLE external0_service NOLOGIN")
    with pytest.raises(CannotStart, match="DATABASE_URL: role external0_service cannot be made"):
        use_database(url, None)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://user:secret@host/name", "DATABASE_URL cannot be read"),
        ("postgresql://user:se/secret@host:5432/name", "DATABASE_URL cannot be read"),
        ("postgresql://user:secret@host:secret/name", "DATABASE_URL cannot be read"),
        ("postgresql://user:secret@127.0.0.1:1/name", "DATABASE_URL: no connection to PostgreSQL at 127.0.0.1:1/name"),
    ],
)
def test_a_wrong_database_address_is_one_sentence_without_its_password(url, sentence):
    with pytest.raises(CannotStart) as caught:
        use_database(url, None)

    assert (str(caught.value)[: len(sentence)], "secret" in str(caught.value)) == (sentence, False)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://:secret@host", "REDIS_URL cannot be read"),
        ("redis://:secret@127.0.0.1:1/0", "REDIS_URL: Redis does not answer"),
    ],
)
def test_a_wrong_redis_address_is_one_sentence_without_its_password(url, sentence):
    with pytest.raises(CannotStart) as caught:
        check_redis(url)

    assert (str(caught.value)[: len(sentence)], "secret" in str(caught.value)) == (sentence, False)


def test_a_redis_that_answers_is_accepted(home):
    with EmbeddedValkey(home) as server:
        check_redis(server.url)
