"""What keeps migrations from running on a server: looked at before the first statement that changes anything."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What is missing, and how it is cured."""

    text: str
    cure: str


def obstacles(connection: BaseDatabaseWrapper) -> list[Obstacle]:
    """Return what the server or the role of `connection` lacks for migrations; nothing when they can run."""
    try:
        connection.ensure_connection()
    except NotSupportedError as problem:  # Django names the version that it found and the oldest that it takes
        return [Obstacle(text=str(problem).rstrip("."), cure="Use PostgreSQL 14 or newer")]
    return [*_encoding(connection), *_schema(connection), *_owners(connection)]


def _encoding(connection: BaseDatabaseWrapper) -> Iterator[Obstacle]:
    found = _value(
        connection, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
    )
    if found != "UTF8":
        yield Obstacle(
            text=f"The database is encoded in {found}, which cannot hold every text",
            cure="Make one with ENCODING 'UTF8' TEMPLATE template0",
        )


def _schema(connection: BaseDatabaseWrapper) -> Iterator[Obstacle]:
    may = _value(
        connection,
        "SELECT has_schema_privilege('public', 'CREATE') FROM pg_namespace WHERE nspname = 'public'",
    )
    if not may:
        role = connection.settings_dict["USER"]
        missing = "There is no schema public" if may is None else f"Role {role} may not create tables in schema public"
        cure = "CREATE SCHEMA public" if may is None else f'GRANT CREATE ON SCHEMA public TO "{role}"'
        yield Obstacle(text=missing, cure=f"As a superuser or the database's owner: {cure}")


def _owners(connection: BaseDatabaseWrapper) -> Iterator[Obstacle]:
    others = _value(
        connection,
        """
        SELECT string_agg(DISTINCT quote_ident(pg_get_userbyid(relowner)), ', ') FROM pg_class
        WHERE relnamespace = to_regnamespace('public') AND relname = ANY(%s::text[])
            AND NOT pg_has_role(relowner, 'USAGE')
        """,
        [["django_migrations", "llm_traces", "llm_contents", "trace_index", "procrastinate_jobs"]],
    )
    if others:
        role = connection.settings_dict["USER"]
        yield Obstacle(
            text=f"The tables belong to {others}, and role {role} may not change them",
            cure="Set DATABASE_MIGRATION_URL to the address of their owner",
        )


def _value(connection: BaseDatabaseWrapper, sql: str, parameters: list[list[str]] | None = None) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return row[0] if row else None
