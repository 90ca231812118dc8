"""Servers that the operator named: checked, and given a service role where none was named."""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
import redis
from psycopg.conninfo import conninfo_to_dict

from observatory.supervisor.failure import CannotStart
from observatory.supervisor.roles import grant_to_service, make_login, set_password

OLDEST_SERVER = 140000
CONNECT_SECONDS = 5
NAME_BYTES = 63  # of an identifier of PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """URLs of one database: as the role that answers requests, and as the role that migrates."""

    service: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rights:
    user: str
    database: str
    is_superuser: bool
    bypasses_row_security: bool
    makes_roles: bool
    makes_tables: bool


def use_database(url: str, migration_url: str | None) -> Addresses:
    """Check the operator's database and return its addresses.

    With `migration_url` both roles are taken as they are. Otherwise `url` is the owner's, who makes a service role
    beside itself; an owner that may not do so, and whom row security binds, is the service role too.
    """
    if migration_url:
        _check(migration_url, "DATABASE_MIGRATION_URL", _rights(migration_url, "DATABASE_MIGRATION_URL"))
        rights = _rights(url, "DATABASE_URL")
        if rights.is_superuser or rights.bypasses_row_security:
            raise CannotStart(
                f"DATABASE_URL: role {rights.user} bypasses row security, which keeps organisations apart: "
                "name an ordinary role, or unset DATABASE_MIGRATION_URL to have one made."
            )
        return Addresses(service=url, owner=migration_url)
    rights = _rights(url, "DATABASE_URL")
    _check(url, "DATABASE_URL", rights)
    if rights.is_superuser or rights.makes_roles:
        return Addresses(service=_make_service_role(url, rights), owner=url)
    if rights.bypasses_row_security:
        raise CannotStart(
            f"DATABASE_URL: role {rights.user} bypasses row security and may not make a role that does not: "
            "name an ordinary role, or give it CREATEROLE."
        )
    return Addresses(service=url, owner=url)


def check_redis(url: str) -> None:
    """Raise `CannotStart` unless the server answers."""
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS)
    except ValueError:
        raise CannotStart(
            "REDIS_URL cannot be read: write it as redis://[:password@]host:port/0, rediss://… or unix:///path?db=0."
        ) from None
    try:
        client.ping()
    except redis.RedisError as problem:
        raise CannotStart(
            f"REDIS_URL: Redis does not answer ({_first_line(problem)}): "
            "start it or correct the address, or unset REDIS_URL to have one started."
        ) from None
    finally:
        client.close()


def _connect(url: str, variable: str) -> psycopg.Connection:
    # libpq's own sentence about a URL that it cannot read quotes parts of it, perhaps the password.
    if not url.startswith(("postgres://", "postgresql://")) or _unreadable(url):
        raise CannotStart(f"{variable} cannot be read: write it as postgresql://user:password@host:5432/database.")
    try:
        return psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True)
    except psycopg.Error as problem:
        raise CannotStart(
            f"{variable}: no connection to PostgreSQL at {_place(url)} ({_first_line(problem)}): "
            f"correct the address, or unset {variable} to have a server started."
        ) from None


def _unreadable(url: str) -> bool:
    try:
        parts = conninfo_to_dict(url)
        ports = str(parts.get("port") or "")
        urlsplit(url)
    except (psycopg.ProgrammingError, ValueError):
        return True
    # A password with a bare slash ends the host early and is taken for the port; one with a bare @ begins it late.
    return (not ports.replace(",", "").isdigit() and ports != "") or "@" in str(parts.get("host") or "")


def _place(url: str) -> str:
    """Return host, port and database of a readable address."""
    parts = conninfo_to_dict(url)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _rights(url: str, variable: str) -> _Rights:
    with _connect(url, variable) as connection:
        row = connection.execute(
            """
            SELECT rolname, current_database(), rolsuper, rolbypassrls, rolcreaterole,
                   has_schema_privilege('public', 'CREATE')
            FROM pg_roles WHERE rolname = current_user
            """
        ).fetchone()
        version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise CannotStart(
            f"{variable}: the server is PostgreSQL {version // 10000} and 14 is the oldest that works: upgrade it."
        )
    assert row is not None
    names = ("user", "database", "is_superuser", "bypasses_row_security", "makes_roles", "makes_tables")
    return _Rights(**dict(zip(names, row, strict=True)))


def _check(url: str, variable: str, rights: _Rights) -> None:
    if not rights.makes_tables:
        raise CannotStart(
            f"{variable}: role {rights.user} may not make tables at {_place(url)}: "
            f"run `GRANT CREATE ON SCHEMA public TO {rights.user}` there, or name its owner."
        )


def _make_service_role(url: str, rights: _Rights) -> str:
    """Make, or find, the role `<database>_service`, and return the address as that role.

    Its password is derived from the owner's, so that several machines with the same address agree on it.
    """
    role = rights.database.encode()[: NAME_BYTES - len("_service")].decode(errors="ignore") + "_service"
    given = conninfo_to_dict(url).get("password")
    password = None
    if given:
        password = hmac.new(str(given).encode(), b"llm-observatory service role", hashlib.sha256).hexdigest()
    address = _as_role(url, role, password)
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True) as connection:
            # One machine at a time: roles and default privileges have no IF NOT EXISTS.
            connection.execute("SELECT pg_advisory_lock(hashtext('llm-observatory service role'))")
            known = connection.execute(
                "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role]
            ).fetchone()
            if known is None:
                make_login(connection, role, password)
                grant_to_service(connection, owner=rights.user, service=role)
            elif not _accepts(address):
                set_password(connection, role, password)
    except psycopg.Error as problem:
        raise CannotStart(
            f"DATABASE_URL: role {role} cannot be made ({_first_line(problem)}): "
            "make it yourself and name both roles in DATABASE_URL and DATABASE_MIGRATION_URL."
        ) from None
    if known is not None and known[0]:
        raise CannotStart(f"DATABASE_URL: role {role} bypasses row security: take SUPERUSER and BYPASSRLS from it.")
    _connect(address, "DATABASE_URL").close()
    return address


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


def _as_role(url: str, role: str, password: str | None) -> str:
    parts = urlsplit(url)
    login = quote(role, safe="") + (f":{password}" if password else "")
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in {"user", "password"}]
    return urlunsplit(
        parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}", query=urlencode(query, quote_via=quote))
    )


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n", 1)[0].rstrip(".:") or type(problem).__name__
