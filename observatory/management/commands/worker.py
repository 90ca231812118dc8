"""The background worker: runs periodic and queued jobs until it is told to stop."""

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import structlog
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from procrastinate.connector import BaseAsyncConnector
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from analytics import jobs as analytics_jobs
from observatory import jobs as observatory_jobs
from observatory.accounts import jobs as accounts_jobs

if TYPE_CHECKING:
    from procrastinate.contrib.django.django_connector import DjangoConnector

log = structlog.get_logger("observatory.worker")
JOBS: dict[str, Callable[[], int]] = {
    "partitions": analytics_jobs.partitions,
    "rollups": analytics_jobs.rollups,
    "search": analytics_jobs.search,
    "orphans": analytics_jobs.orphans,
    "retention": observatory_jobs.retention,
    "compression": analytics_jobs.compress,
    "rejected": analytics_jobs.rejected,
    "tokens": accounts_jobs.tokens,
}
RETRY_SECONDS = 2.0
GRACE_SECONDS = 20


class Command(BaseCommand):
    help = "Run background jobs. Example: python manage.py worker --once --only partitions"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run each job once, print what it did, and end")
        parser.add_argument("--only", choices=sorted(JOBS), action="append", help="run only this job (with --once)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *_args: Any, once: bool, only: list[str] | None, json: bool, **_options: Any) -> None:
        if only and not once:
            self.stderr.write("--only goes with --once: a running worker does all jobs.")
            raise SystemExit(2)
        if once:
            self._report({name: JOBS[name]() for name in only or JOBS}, as_json=json)
        else:
            asyncio.run(work_for_ever())

    def _report(self, done: dict[str, int], *, as_json: bool) -> None:
        lines = [json.dumps(done)] if as_json else [f"{name}: {count} done" for name, count in done.items()]
        self.stdout.write("\n".join(lines))


async def work_for_ever() -> None:
    """Run the worker; while the database is away, try again every two seconds."""
    while True:
        try:
            with app.replace_connector(_connector()):
                async with app.open_async():
                    log.info("worker started")
                    await asyncio.to_thread(_catch_up)
                    await app.run_worker_async(shutdown_graceful_timeout=GRACE_SECONDS, delete_jobs="successful")
                    return
        except (ConnectorException, OperationalError, PoolTimeout) as problem:
            log.warning("database is away", problem=type(problem).__name__)
            await asyncio.sleep(RETRY_SECONDS)


def _connector() -> BaseAsyncConnector:
    return cast("DjangoConnector", app.connector).get_worker_connector()


def _catch_up() -> None:
    # A worker that was away over its hour would leave the next day without partitions until the one after.
    close_old_connections()
    analytics_jobs.partitions()
    close_old_connections()
