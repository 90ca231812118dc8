"""Is the process alive, is it ready, do its stores answer?"""

from functools import cache

from django.db import Error as DatabaseFault
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from errors.json import dumps
from errors.responses import OwnErrorResponse
from observatory.env import draining_mark

HEALTHY, UNHEALTHY = "healthy", "unhealthy"


def database_answers() -> bool:
    """Whether the database answers a statement now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseFault:
        connection.close()
        return False
    return True


def redis_answers() -> bool:
    """Whether Redis answers within the limiter's time."""
    try:
        get_redis_connection("default").ping()
    except (RedisError, OSError):
        return False
    return True


@cache
def _migrations_were_applied() -> bool:
    """Whether nothing is left to migrate. A `True` lasts for the process: its code does not change."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _MigrationsMissingError
    return True


class _MigrationsMissingError(Exception):
    pass


def migrations_applied() -> bool:
    """Whether the database has every migration that this code knows."""
    try:
        return _migrations_were_applied()
    except (_MigrationsMissingError, DatabaseFault):
        return False


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while database and Redis answer, else 503."""
    database, redis = database_answers(), redis_answers()
    return _reply(
        database and redis,
        {
            "status": "healthy" if database and redis else "degraded",
            "database": HEALTHY if database else UNHEALTHY,
            "redis": HEALTHY if redis else UNHEALTHY,
            "timestamp": timezone.now().replace(microsecond=0),
        },
    )


@require_safe
def live(_request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process runs."""
    return _reply(True, {"status": "alive"})


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while requests may be sent: the database answers, it is migrated, and no stop is under way.

    Redis is not needed for that.
    """
    database = database_answers()
    migrated = database and migrations_applied()
    takes_requests = migrated and not draining_mark().exists()
    return _reply(
        takes_requests,
        {
            "status": "ready" if takes_requests else "not_ready",
            "database": HEALTHY if database else UNHEALTHY,
            "redis": HEALTHY if redis_answers() else UNHEALTHY,
            "migrations": "applied" if migrated else "pending" if database else "unknown",
        },
    )


def _reply(good: bool, body: dict[str, object]) -> HttpResponse:
    return OwnErrorResponse(
        dumps(body), status=200 if good else 503, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
