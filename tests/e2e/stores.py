"""A service on servers of the test's own, which stay away for as long as it wants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from observatory.env import BASE_DIR
from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.roles import DATABASE, OWNER, SERVICE, make_embedded_roles
from observatory.supervisor.valkey import EmbeddedValkey
from tests.e2e.conftest import Up
from tests.e2e.tenants import Service, with_tenant


@dataclass(slots=True, kw_only=True)
class Stores:
    """A running service with a tenant, and the servers that it was told to use."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    service: Service


@contextmanager
def own_stores(start_up: Callable[..., Up], home: Path, *, code: Path = BASE_DIR, **given: str) -> Iterator[Stores]:
    """Start PostgreSQL and Valkey in `home`, the service on them with the variables `given`; stop all at the end.

    The service is that of the `code` in a folder.
    """
    postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
    with postgres, valkey:
        owner, service = postgres.password(OWNER), postgres.password(SERVICE)
        make_embedded_roles(postgres.superuser_url, owner_password=owner, service_password=service)
        up = start_up(
            DATABASE_URL=postgres.url(DATABASE, SERVICE, service),
            DATABASE_MIGRATION_URL=postgres.url(DATABASE, OWNER, owner),
            REDIS_URL=valkey.url,
            code=code,
            **given,
        ).wait_until_ready()
        stores = Stores(postgres=postgres, valkey=valkey, service=with_tenant(up))
        yield stores
        up.stop()
        stores.postgres.stop()  # another than that of the beginning, where a test has put one in its place


def kill_store(store: EmbeddedPostgres | EmbeddedValkey) -> None:
    """Kill the first process of a server and nothing else of it."""
    assert store.child is not None
    store.child.process.kill()
    store.child.process.wait()
