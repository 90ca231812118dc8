"""The background worker: runs periodic and queued jobs until it is told to stop."""

import asyncio
import json
import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import structlog
from django.core.management.base import BaseCommand
from django.db import InterfaceError, InternalError, OperationalError, close_old_connections
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException

from analytics import jobs as analytics_jobs
from analytics.alerts.channels import QUEUE as DELIVERIES
from analytics.exports.service import QUEUE as EXPORTS
from analytics.storage.queue import LONG, SEARCH
from observatory import jobs as own_jobs
from observatory.accounts import jobs as accounts_jobs
from observatory.env import read
from observatory.exposition import METRICS_HELP, expose
from observatory.operations import QUEUE as OPERATIONS

log = structlog.get_logger("observatory.worker")
JOBS: dict[str, Callable[[], int]] = {
    "partitions": analytics_jobs.partitions,
    "rollups": analytics_jobs.rollups,
    "search": analytics_jobs.search,
    "orphans": analytics_jobs.orphans,
    "retention": own_jobs.retention,
    "compression": analytics_jobs.compress,
    "rejected": analytics_jobs.rejected,
    "exports": analytics_jobs.exports,
    "budgets": own_jobs.budgets,
    "deliveries": analytics_jobs.deliveries,
    "schedules": analytics_jobs.schedules,
    "tokens": accounts_jobs.tokens,
    "alerts": own_jobs.alerts,
    "anomalies": own_jobs.anomalies,
}
# Django's, the connector's, and what psycopg raises beside it; InternalError: it takes no writes for now.
AWAY = (OperationalError, InterfaceError, InternalError, ConnectorException, psycopg.OperationalError)
RETRY_SECONDS = 2.0
# A pool waits twice as long after each attempt, and who asks it for a connection waits too: after outages in a row a
# worker would be away for minutes. This short it gives up, and the worker begins anew. It connects when it is asked to.
POOL: dict[str, Any] = {"min_size": 0, "max_size": 4, "timeout": 5.0, "reconnect_timeout": 5.0}
CLOCK_SECONDS, SET_BACK_SECONDS = 0.2, 5.0
# How long running jobs get to end by themselves. An export is told at once, and ends with its step.
GRACE_SECONDS = {"default": 20, SEARCH: 20, LONG: 20, EXPORTS: 0, DELIVERIES: 20, OPERATIONS: 20}
# Jobs of a queue at a time: a receiver that does not answer keeps messages of others waiting, a project with many
# models the days that are to be exported.
CONCURRENCY = {DELIVERIES: 4, LONG: 2}


class ClockSetBackError(Exception):
    """The clock was set back: what is due would wait until it is as late again as it was before."""


class TurnEndedError(Exception):
    """A queue's turn ended although nobody asked it to: it has lost its listener, which procrastinate only logs."""


class Command(BaseCommand):
    help = "Run background jobs. Example: python manage.py worker --once --only partitions"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run each job once, print what it did, and end")
        parser.add_argument("--only", choices=sorted(JOBS), action="append", help="run only this job (with --once)")
        parser.add_argument("--metrics-port", type=int, help=METRICS_HELP)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(
        self, *_args: Any, once: bool, only: list[str] | None, metrics_port: int | None, json: bool, **_options: Any
    ) -> None:
        if only and not once:
            self.stderr.write("--only goes with --once: a running worker does all jobs.")
            raise SystemExit(2)
        if once:
            self._report({name: JOBS[name]() for name in only or JOBS}, as_json=json)
        else:
            if metrics_port is not None:
                expose(read("APP_HOST"), metrics_port)
            asyncio.run(work_for_ever())

    def _report(self, done: dict[str, int], *, as_json: bool) -> None:
        lines = [json.dumps(done)] if as_json else [f"{name}: {count} done" for name, count in done.items()]
        self.stdout.write("\n".join(lines))


async def work_for_ever() -> None:
    """Run the worker; try again while the database is away, and begin anew when the clock is set back."""
    while True:
        try:
            with app.replace_connector(_connector()):
                async with app.open_async():
                    await asyncio.to_thread(_catch_up)
                    log.info("worker started")
                    await _run()
                    return
        except (*AWAY, TurnEndedError) as problem:
            log.warning("database is away", problem=type(problem).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        except ClockSetBackError:
            log.warning("the clock was set back")


async def _run() -> None:
    """Work until a signal says stop. A queue is a turn of its own: an export that takes hours keeps no job waiting."""
    turns = [asyncio.create_task(_work(queue, grace)) for queue, grace in GRACE_SECONDS.items()]
    turns.append(asyncio.create_task(_watch_clock()))
    with _cancelled_by_signals(turns) as is_told_to_stop:
        _, others = await asyncio.wait(turns, return_when=asyncio.FIRST_COMPLETED)
        if not is_told_to_stop():
            for turn in others:
                turn.cancel()
        for ended in await asyncio.gather(*turns, return_exceptions=True):
            if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
                raise ended
        if not is_told_to_stop():
            raise TurnEndedError


async def _work(queue: str, grace_seconds: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=CONCURRENCY.get(queue, 1),
        shutdown_graceful_timeout=grace_seconds,
        delete_jobs="successful",
        install_signal_handlers=False,  # each worker would replace those of the other
    )


async def _watch_clock() -> None:
    latest = time.time() - time.monotonic()
    while True:
        await asyncio.sleep(CLOCK_SECONDS)
        now = time.time() - time.monotonic()
        if now < latest - SET_BACK_SECONDS:
            raise ClockSetBackError
        latest = max(latest, now)


@contextmanager
def _cancelled_by_signals(turns: Sequence[asyncio.Task[None]]) -> Iterator[Callable[[], bool]]:
    """Cancel `turns` at the first signal to stop, which lets their jobs come to an end; tell whether there was one."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        release()
        for turn in turns:
            turn.cancel()

    def release() -> None:
        for one in caught:
            loop.remove_signal_handler(one)
            signal.signal(one, signal.SIG_IGN)

    for one in caught:
        loop.add_signal_handler(one, stop)
    try:
        yield told.is_set
    finally:
        release()
        for one in caught:
            signal.signal(one, signal.SIG_DFL)


def _connector() -> PsycopgConnector:
    return PsycopgConnector(kwargs=connector_params(), **POOL)


def _catch_up() -> None:
    # A worker that was away over its hour would leave the next day without partitions until the one after.
    close_old_connections()
    analytics_jobs.partitions()
    close_old_connections()
