"""The two database roles: the owner, which migrates, and the service, which row security binds.

A role's password is made into a SCRAM verifier here, so that the server's logs cannot hold it.
"""

import psycopg
from psycopg import sql

DATABASE = "observatory"
OWNER = "observatory_owner"
SERVICE = "observatory_service"

# What the service may do with whatever the owner makes; (kind in GRANT, kind in pg_default_acl terms, privileges).
PRIVILEGES: tuple[tuple[sql.SQL, sql.SQL], ...] = (
    (sql.SQL("TABLES"), sql.SQL("SELECT, INSERT, UPDATE, DELETE")),
    (sql.SQL("SEQUENCES"), sql.SQL("USAGE, SELECT")),
    (sql.SQL("FUNCTIONS"), sql.SQL("EXECUTE")),
)


def make_embedded_roles(
    superuser_url: str, *, owner_password: str, service_password: str, name: str = DATABASE
) -> None:
    """Make roles and database `name` on our own server where they are missing; a second call changes nothing."""
    with psycopg.connect(superuser_url, autocommit=True) as server:
        for role, password in ((OWNER, owner_password), (SERVICE, service_password)):
            if not _exists(server, "SELECT FROM pg_roles WHERE rolname = %s", role):
                make_login(server, role, password)
        if _exists(server, "SELECT FROM pg_database WHERE datname = %s", name):
            return
        # The name becomes the real one only when every right is in place: an interrupted first start is made again.
        draft = sql.Identifier(f"{name}_new")
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(draft))
        server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(draft, sql.Identifier(OWNER)))
        server.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(draft))
        server.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(draft, sql.Identifier(SERVICE)))
        with psycopg.connect(superuser_url, dbname=f"{name}_new", autocommit=True) as database:
            database.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(OWNER)))
            database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            grant_to_service(database, owner=OWNER, service=SERVICE)
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(draft, sql.Identifier(name)))


def make_login(connection: psycopg.Connection, role: str, password: str | None) -> None:
    """Make `role`, which may log in and nothing else: CREATE ROLE gives no right that is not named."""
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    set_password(connection, role, password)


def set_password(connection: psycopg.Connection, role: str, password: str | None) -> None:
    if password is None:
        return
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
    connection.execute(statement)


def grant_to_service(database: psycopg.Connection, *, owner: str, service: str) -> None:
    """Let `service` read and change rows of what `owner` has made in schema public, and will make."""
    names = {"owner": sql.Identifier(owner), "service": sql.Identifier(service)}
    database.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {service}").format(**names))
    for kind, privileges in PRIVILEGES:
        parts = {"kind": kind, "privileges": privileges, **names}
        database.execute(sql.SQL("GRANT {privileges} ON ALL {kind} IN SCHEMA public TO {service}").format(**parts))
        database.execute(
            sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT {privileges} ON {kind} TO {service}").format(
                **parts
            )
        )


def _exists(connection: psycopg.Connection, query: sql.SQL | str, name: str) -> bool:
    return connection.execute(query, [name]).fetchone() is not None
