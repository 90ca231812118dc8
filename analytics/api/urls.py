"""Routes of analytics under /api/v1."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.views import APIView

from analytics.api.metrics import PerformanceView
from analytics.api.otlp import OtlpLogsView, OtlpMetricsView, OtlpTracesView
from analytics.api.prices import PriceListView
from analytics.api.rejected import RejectedView
from analytics.api.traces import TraceDetailView, TraceListView


def _alias(view: type[APIView], method: str, operation: str) -> Callable[..., HttpResponseBase]:
    """Return the same view for another path; only its name in the schema differs."""
    twin: type[APIView] = type(f"{view.__name__}Alias", (view,), {"__doc__": view.__doc__})
    named: type[APIView] = extend_schema_view(**{method: extend_schema(operation_id=operation)})(twin)
    return named.as_view()


otlp = [
    path("v1/traces", OtlpTracesView.as_view(), name="otlp-traces"),
    path("v1/metrics", OtlpMetricsView.as_view(), name="otlp-metrics"),
    path("v1/logs", OtlpLogsView.as_view(), name="otlp-logs"),
]

urlpatterns = [
    path("otlp/v1/traces", _alias(OtlpTracesView, "post", "otlp_traces_alias"), name="otlp-traces-alias"),
    path("otlp/v1/metrics", _alias(OtlpMetricsView, "post", "otlp_metrics_alias"), name="otlp-metrics-alias"),
    path("otlp/v1/logs", _alias(OtlpLogsView, "post", "otlp_logs_alias"), name="otlp-logs-alias"),
    path("ingest/rejected", RejectedView.as_view(), name="ingest-rejected"),
    path("traces", TraceListView.as_view(), name="traces"),
    path("traces/<str:trace_id>", TraceDetailView.as_view(), name="trace"),
    path("costs/prices", PriceListView.as_view(), name="prices"),
    path("metrics/performance", PerformanceView.as_view(), name="performance"),
    path("analytics/performance", _alias(PerformanceView, "get", "analytics_performance"), name="performance-alias"),
]
