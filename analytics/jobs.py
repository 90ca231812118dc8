"""Periodic jobs of the worker. Each is a plain function that can run again at any time."""

from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from analytics.alerts import channels
from analytics.alerts.sending import deliveries_forget, deliveries_revive, delivery_send
from analytics.exports.running import export_run
from analytics.exports.schedules import schedules_run
from analytics.exports.service import QUEUE, TASK, exports_expire, exports_revive
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage import metrics, queue, searches
from analytics.storage.engines import compression, engine
from analytics.storage.exclusive import BusyError
from analytics.storage.horizons import forget_marks_behind
from analytics.storage.opinions import forget_orphans
from analytics.storage.partitions import ensure_days
from analytics.storage.rejected import forget_rejected
from analytics.storage.rollups import refresh
from analytics.storage.spans import are_arriving

_SEARCH_SECONDS = 10
_SEARCH_PAUSE = 0.5
# While spans are copied in, a vector's time is followed by so many times of rest: taking them in goes first.
_REST = 9


@app.periodic(cron="7 * * * *")
@app.task(name="partitions", queueing_lock="partitions", pass_context=False)
def partitions(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Make the partitions of today and the days ahead; return how many tables were made."""
    today = timezone.now().date()
    return ensure_days(today + timedelta(days=ahead) for ahead in range(settings.PARTITIONS_AHEAD_DAYS + 1))


@app.periodic(cron="* * * * * */15")
@app.task(name="rollups", queueing_lock="rollups", pass_context=False)
def rollups(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Refresh every rollup, the finer ones first; return how many buckets were made anew."""
    forget_marks_behind()
    done, more = 0, True
    while more:
        for grain in GRAIN_WIDTHS:
            with metrics.REFRESH.labels(grain).time():
                refreshed = refresh(grain, before=timezone.now())
            done, more = done + refreshed.buckets, refreshed.more
            if more:
                break  # a backlog of hours does not keep minutes waiting: these have their turn after each batch
    return done


@app.periodic(cron="* * * * * */10")
@app.task(name="search", queueing_lock="search", queue=queue.SEARCH, pass_context=False)
def search(timestamp: int = 0) -> int:
    """Make the search vectors of spans that have none, the newest first; return of how many.

    What is left is searched without a vector, each row for the price of making one: so while spans arrive they are
    followed, twice a second, until this is due again. Called by hand it ends when nothing is left. It gives way to
    spans that are being copied in, unless a search was seen to read what is left: that costs more than the vectors.
    """
    done, until, are_wanted = 0, monotonic() + _SEARCH_SECONDS, False
    while True:
        begun = monotonic()
        made = searches.make_vectors()
        done += made
        follows = timestamp and done and made < searches.BATCH_ROWS
        if monotonic() >= until or not (made or follows):
            break
        are_wanted = are_wanted or searches.are_read()
        rest = 0 if are_wanted or not are_arriving() else _REST * (monotonic() - begun)
        sleep(max(rest, _SEARCH_PAUSE if follows else 0))
    if not made:
        done += searches.make_vectors_of_backlog()
    metrics.SEARCH_VECTORS.inc(done)
    oldest = searches.oldest_unsearchable()
    metrics.SEARCH_LAG.set(0 if oldest is None else max(0, (timezone.now() - oldest).total_seconds()))
    return done


@app.periodic(cron="23 * * * *")
@app.task(name="orphans", queueing_lock="orphans", pass_context=False)
def orphans(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Delete feedback, evaluations and links of traces that are gone; return how many."""
    return forget_orphans()


@app.periodic(cron="17 3 * * *")
@app.task(name="compression", queueing_lock="compression", pass_context=False)
def compress(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Move days that are old enough into the columnstore where the engine has one; return how many tables."""
    if not engine().has_columnstore:
        return 0
    try:
        return compression.compress_due(today=timezone.now().date(), prepare=searches.make_vectors_of)
    except BusyError:
        return 0


@app.periodic(cron="*/5 * * * *")
@app.task(name="rejected", queueing_lock="rejected", pass_context=False)
def rejected(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Shorten the lists of rejected spans to their days and numbers; return how many entries went."""
    kept = timedelta(days=settings.REJECTED_KEEP_DAYS)
    return forget_rejected(before=timezone.now() - kept, most=settings.REJECTED_MAX_PER_PROJECT)


@app.task(name=TASK, queue=QUEUE, pass_context=True)
def export(context: JobContext, job_id: str) -> int:
    """Write the file of an export, or what of it is left; return how many spans. A worker that ends leaves the rest."""
    close_old_connections()  # one that broke under an earlier export
    return export_run(UUID(job_id), stop=context.should_abort)


@app.periodic(cron="* * * * * */15")
@app.task(name="exports", queueing_lock="exports", pass_context=False)
def exports(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Put exports whose worker died into the queue again, and clear away what is over; return how many of both."""
    return exports_revive() + exports_expire(now=timezone.now())


@app.task(name=channels.TASK, queue=channels.QUEUE, pass_context=False)
def deliver(delivery_id: str) -> bool:
    """Try to send a message through its channel; return whether it was taken."""
    close_old_connections()
    return delivery_send(UUID(delivery_id), now=timezone.now())


@app.periodic(cron="* * * * * */30")
@app.task(name="deliveries", queueing_lock="deliveries", queue=channels.QUEUE, priority=1, pass_context=False)
def deliveries(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Put messages whose worker died into the queue again, and forget old ones; return how many of both."""
    now = timezone.now()
    return deliveries_revive(now=now) + deliveries_forget(now=now)


@app.periodic(cron="* * * * * */15")
@app.task(name="schedules", queueing_lock="schedules", queue=queue.LONG, pass_context=False)
def schedules(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Let the days of scheduled exports that are due be exported; return how many were begun."""
    return schedules_run(now=timezone.now())
