"""GET /metrics, for the networks and the token that may read it."""

import hmac
import ipaddress
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from analytics.exports.selectors import jobs_by_status
from analytics.storage.costs import unpriced_models
from analytics.storage.sizes import lag_by_grain
from errors.catalog import IP_NOT_ALLOWED
from errors.exceptions import ApiError
from observatory.database.connections import connections_by_state
from ratelimit.address import client_address


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Answer with the series of all processes; 403/1103 to anybody else."""
    if not (_has_token(request) or _is_near(request)):
        raise ApiError(IP_NOT_ALLOWED)
    response: HttpResponse = ExportToDjangoView(request)
    response.content += generate_latest(_state)
    return response


class StateCollector:
    """Series that are the state of the database: asked when they are read, so no process can tell them stale."""

    def collect(self) -> Iterator[Metric]:
        try:
            now = timezone.now()
            behind, connections = lag_by_grain(now=now), connections_by_state()
            models, exports = unpriced_models(since=now - timedelta(days=1)), jobs_by_status()
        except DatabaseError:
            return  # the other series are what an operator needs then, db_errors_total among them
        lag = GaugeMetricFamily(
            "rollup_lag_seconds", "For how long an ended bucket has waited.", labels=["granularity"]
        )
        dirty = GaugeMetricFamily("rollup_dirty_buckets", "Buckets marked for a refresh.", labels=["granularity"])
        for grain, one in behind.items():
            lag.add_metric([grain], one.lag.total_seconds())
            dirty.add_metric([grain], one.marked)
        pool = GaugeMetricFamily("db_pool_connections", "Connections of the web processes.", labels=["state"])
        for state, count in (connections | {"max": settings.DATABASE_POOL_SIZE}).items():
            pool.add_metric([state], count)
        unpriced = GaugeMetricFamily("unpriced_models", "Models with usage and no cost in the last day.", value=models)
        jobs = GaugeMetricFamily("export_jobs", "Exports that there are.", labels=["status"])
        for status, count in exports.items():
            jobs.add_metric([status], count)
        yield from (lag, dirty, pool, unpriced, jobs)


_state = CollectorRegistry()
_state.register(StateCollector())


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), expected.encode())


def _is_near(request: HttpRequest) -> bool:
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ALLOWED_NETWORKS)
