"""Routes of analytics under /api/v1."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.views import APIView

from analytics.api.anomalies import AnomaliesView
from analytics.api.budgets import VIEWS as BUDGET_VIEWS
from analytics.api.channels import VIEWS as CHANNEL_VIEWS
from analytics.api.comparison import CompareView
from analytics.api.cost_figures import VIEWS as COST_VIEWS
from analytics.api.export_schedules import VIEWS as SCHEDULE_VIEWS
from analytics.api.exports import VIEWS as EXPORT_VIEWS
from analytics.api.metric_query import MetricsQueryView
from analytics.api.metrics import MetricsView, PerformanceView
from analytics.api.opinions import EvaluationView, FeedbackView
from analytics.api.otlp import OtlpLogsView, OtlpMetricsView, OtlpTracesView
from analytics.api.overviews import LabelsView, LabelValuesView, OptimizationView, QualityView, SummaryView
from analytics.api.people import SessionsView, SessionView, UsersView
from analytics.api.prices import PriceListView
from analytics.api.rejected import RejectedView
from analytics.api.trace_detail import TraceDetailView, TraceSpansView
from analytics.api.trace_search import TraceSearchView
from analytics.api.traces import TraceListView, TraceStatsView


def _alias(view: type[APIView], **operations: str) -> Callable[..., HttpResponseBase]:
    """Return the same view for another path; only the names of its operations (by method) differ in the schema."""
    twin: type[APIView] = type(f"{view.__name__}Alias", (view,), {"__doc__": view.__doc__})
    names = {method: extend_schema(operation_id=operation) for method, operation in operations.items()}
    named: type[APIView] = extend_schema_view(**names)(twin)
    return named.as_view()


otlp = [
    path("v1/traces", OtlpTracesView.as_view(), name="otlp-traces"),
    path("v1/metrics", OtlpMetricsView.as_view(), name="otlp-metrics"),
    path("v1/logs", OtlpLogsView.as_view(), name="otlp-logs"),
]

urlpatterns = [
    path("otlp/v1/traces", _alias(OtlpTracesView, post="otlp_traces_alias"), name="otlp-traces-alias"),
    path("otlp/v1/metrics", _alias(OtlpMetricsView, post="otlp_metrics_alias"), name="otlp-metrics-alias"),
    path("otlp/v1/logs", _alias(OtlpLogsView, post="otlp_logs_alias"), name="otlp-logs-alias"),
    path("ingest/rejected", RejectedView.as_view(), name="ingest-rejected"),
    path("traces", TraceListView.as_view(), name="traces"),
    path("traces/search", TraceSearchView.as_view(), name="traces-search"),
    path("traces/stats", TraceStatsView.as_view(), name="traces-stats"),
    path("traces/<str:trace_id>", TraceDetailView.as_view(), name="trace"),
    path("traces/<str:trace_id>/spans", TraceSpansView.as_view(), name="trace-spans"),
    path("traces/<str:trace_id>/feedback", FeedbackView.as_view(), name="trace-feedback"),
    path("traces/<str:trace_id>/evaluations", EvaluationView.as_view(), name="trace-evaluations"),
    path("costs/prices", PriceListView.as_view(), name="prices"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("metrics/query", MetricsQueryView.as_view(), name="metrics-query"),
    path("metrics/performance", PerformanceView.as_view(), name="performance"),
    path("metrics/quality", QualityView.as_view(), name="quality"),
    path("metrics/summary", SummaryView.as_view(), name="summary"),
    path("metrics/labels", LabelsView.as_view(), name="labels"),
    path("metrics/labels/<str:name>/values", LabelValuesView.as_view(), name="label-values"),
    path("analytics/quality", _alias(QualityView, get="analytics_quality"), name="quality-alias"),
    path("models/compare", CompareView.as_view(), name="compare"),
    path(
        "analytics/models/compare",
        _alias(CompareView, get="analytics_models_compare", post="analytics_models_compare_post"),
        name="compare-alias",
    ),
    *(path(view.route.removeprefix("/"), view.as_view(), name=view.route.removeprefix("/")) for view in COST_VIEWS),
    *(
        path(route, view.as_view(), name=view.__name__)
        for route, view in (*EXPORT_VIEWS, *SCHEDULE_VIEWS, *BUDGET_VIEWS, *CHANNEL_VIEWS)
    ),
    path("optimization", OptimizationView.as_view(), name="optimization"),
    path("analytics/optimization", _alias(OptimizationView, get="analytics_optimization"), name="optimization-alias"),
    path("anomalies", AnomaliesView.as_view(), name="anomalies"),
    path("users", UsersView.as_view(), name="users"),
    path("sessions", SessionsView.as_view(), name="sessions"),
    path("sessions/<str:session_id>", SessionView.as_view(), name="session"),
    path("analytics/performance", _alias(PerformanceView, get="analytics_performance"), name="performance-alias"),
]
