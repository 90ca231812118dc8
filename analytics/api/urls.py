"""Routes of analytics under /api/v1."""

from django.urls import path

from analytics.api.metrics import PerformanceView
from analytics.api.otlp import OtlpTracesView
from analytics.api.traces import TraceDetailView, TraceListView

otlp = [path("v1/traces", OtlpTracesView.as_view(), name="otlp-traces")]

urlpatterns = [
    *(path(f"otlp/{route.pattern}", route.callback, name="otlp-traces-alias") for route in otlp),
    path("traces", TraceListView.as_view(), name="traces"),
    path("traces/<str:trace_id>", TraceDetailView.as_view(), name="trace"),
    path("metrics/performance", PerformanceView.as_view(), name="performance"),
    path("analytics/performance", PerformanceView.as_view(), name="performance-alias"),
]
