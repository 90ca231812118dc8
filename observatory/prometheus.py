"""GET /metrics, for the networks and the token that may read it."""

import hmac
import ipaddress
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from analytics.exports.selectors import jobs_by_status
from analytics.storage.cost_reports import models_without_cost
from analytics.storage.sizes import lag_by_grain
from errors.catalog import IP_NOT_ALLOWED
from errors.exceptions import ApiError
from observatory.database.connections import connections_by_state
from ratelimit.address import client_address


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Answer with the series of all processes; 403/1103 to anybody else."""
    if not may_read(client_address(request), request.headers.get("Authorization", "")):
        raise ApiError(IP_NOT_ALLOWED)
    response: HttpResponse = ExportToDjangoView(request)
    response.content += generate_latest(_state)
    return response


class StateCollector:
    """Series that are the state of the database: asked when they are read, so no process can tell them stale."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Return the families without a value."""
        return [
            GaugeMetricFamily("rollup_lag_seconds", "For how long an ended bucket has waited.", labels=["granularity"]),
            GaugeMetricFamily("rollup_dirty_buckets", "Buckets marked for a refresh.", labels=["granularity"]),
            GaugeMetricFamily("db_pool_connections", "Connections of the web processes.", labels=["state"]),
            GaugeMetricFamily("unpriced_models", "Models with usage and no cost in the last day.", labels=[]),
            GaugeMetricFamily("export_jobs", "Exports that there are.", labels=["status"]),
        ]

    def collect(self) -> Iterator[Metric]:
        try:
            now = timezone.now()
            behind, connections = lag_by_grain(now=now), connections_by_state()
            unpriced_of, exports = models_without_cost(since=now - timedelta(days=1)), jobs_by_status()
        except DatabaseError:
            return  # the other series are what an operator needs then, db_errors_total among them
        lag, dirty, pool, unpriced, jobs = families = self.describe()
        for grain, one in behind.items():
            lag.add_metric([grain], one.lag.total_seconds())
            dirty.add_metric([grain], one.marked)
        for state, count in (connections | {"max": settings.DATABASE_POOL_SIZE}).items():
            pool.add_metric([state], count)
        unpriced.add_metric([], len({(provider, model) for _, provider, model in unpriced_of}))
        for status, count in exports.items():
            jobs.add_metric([status], count)
        yield from families


# Where processes record: none needs all of them, the list of series does.
RECORDING = (
    "analytics.api.caching.metrics",
    "analytics.api.read_after",
    "analytics.costs.budgets.evaluation",
    "analytics.events",
    "analytics.exports.metrics",
    "analytics.ingest.metrics",
    "analytics.live.metrics",
    "analytics.storage.metrics",
    "errors.metrics",
    "observatory.metrics",
    "ratelimit.metrics",
)
STATE = StateCollector()
_state = CollectorRegistry()
_state.register(STATE)


def meanings() -> Mapping[str, str]:
    """Return name -> what it counts, of every series that any process of the service records."""
    for module in RECORDING:
        import_module(module)
    families = [*REGISTRY.collect(), *STATE.describe()]
    suffix = {"counter": "_total"}
    return {one.name + suffix.get(one.type, ""): one.documentation for one in families}


def may_read(address: str, authorization: str) -> bool:
    """Return whether series may go to `address`, or to whoever sends this `Authorization`."""
    return _has_token(authorization) or _is_near(address)


def _has_token(authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    expected = settings.METRICS_TOKEN
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), expected.encode())


def _is_near(given: str) -> bool:
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ALLOWED_NETWORKS)
