"""Made from openapi.yaml by `python clients/python/generate.py`; do not edit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypedDict

Number = int | Decimal


class AcceptedMessage(TypedDict, total=False):
    message_id: str
    status: Literal["pending", "sent", "dead"]


class AnomaliesReply(TypedDict, total=False):
    items: list[AnomaliesReplyItemsItem]
    """Newest first."""
    metadata: AnomaliesReplyMetadata


class AnomaliesReplyItemsItem(TypedDict, total=False):
    id: str
    project_id: str
    metric: str
    provider: str | None
    """Null when the whole project deviates."""
    model: str | None
    started_at: str
    """Start of the first hour that deviates."""
    ended_at: str | None
    """End of the last one, once an hour was quiet."""
    severity: str
    """info, warning or critical, by the score."""
    expected: Number
    """In the hour that deviates most. In the unit of the metric."""
    observed: Number
    """In that hour."""
    score: Number
    """Times the usual deviation of hours like that; at least 5.5."""
    direction: str
    """up or down."""
    explanation: list[AnomaliesReplyItemsItemExplanationItem]
    """The values of dimensions with the largest shares of the change, at most 5."""
    status: str
    """open or closed."""


class AnomaliesReplyItemsItemExplanationItem(TypedDict, total=False):
    dimension: str
    value: str
    expected: Number
    """Its part of the metric, or of the mean. In the unit of the metric."""
    observed: Number
    share_pct: Number
    """Its share of the change."""
    usual_share_pct: Number
    """Its share of what is usual."""


class AnomaliesReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    as_of: str | None
    """When the newest of the anomalies was written."""
    data_source: str
    """rollup."""
    has_more: bool
    """Whether there are more than the limit."""


class ApiKey(TypedDict, total=False):
    id: str
    name: str
    prefix: str
    environment: Literal["live", "test"]
    projects: list[str]
    permissions: list[str]
    rate_limit_tier: Literal["admin", "developer", "viewer", "billing"]
    allowed_ips: list[str]
    signing: Literal["off", "required"]
    created_at: str
    created_by: str | None
    expires_at: str | None
    last_used_at: str | None
    rotated_at: str | None
    previous_expires_at: str | None
    revoked_at: str | None
    status: Literal["active", "rotating", "expired", "revoked"]


class AuditEntry(TypedDict, total=False):
    id: str
    ts: str
    user_id: str | None
    key_id: str | None
    action: str
    resource_type: str
    resource_id: str | None
    success: bool
    ip_address: str
    user_agent: str
    request_id: str
    metadata: AuditEntryMetadata


class AuditEntryMetadata(TypedDict, total=False):
    duration_ms: int
    status_code: int
    changes: list[str]


class AuditListReply(TypedDict, total=False):
    status: str
    data: list[AuditEntry]
    pagination: Pagination
    meta: Meta


class Budget(TypedDict, total=False):
    id: str
    org_id: str
    project_id: str | None
    name: str
    amount: Number
    """US dollars."""
    period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"]
    threshold_type: Literal["percentage", "absolute"]
    warning_threshold: Number
    critical_threshold: Number
    filters: BudgetFilters
    hard_limit: bool
    is_active: bool
    created_at: str
    updated_at: str
    current: BudgetCurrent


class BudgetCurrent(TypedDict, total=False):
    period_start: str
    period_end: str
    spent: Number
    """What the requests that have a price cost, when last evaluated."""
    percentage_used: Number
    """Of the amount, in percent."""
    unpriced_requests: int
    """Requests without a price: no part of spent."""
    state: Literal["ok", "warning", "critical", "exceeded"]
    overrun: BudgetCurrentOverrun | None
    """When the amount will be used up if spending goes on; null: not in this period."""


class BudgetCurrentOverrun(TypedDict, total=False):
    on: str
    earliest: str | None
    """null: fewer than 28 days of history."""
    latest: str | None
    """null also where it lies behind the period."""


class BudgetFilters(TypedDict, total=False):
    provider: str | None
    model: str | None
    environment: str | None
    user_id: str | None
    team_id: str | None


class BudgetHistory(TypedDict, total=False):
    budget_id: str
    history: list[BudgetHistoryHistoryItem]


class BudgetHistoryHistoryItem(TypedDict, total=False):
    period_start: str
    period_end: str
    spent: Number
    """US dollars."""
    amount: Number
    """US dollars."""
    percentage_used: Number
    """Of the amount, in percent."""
    alerts: list[BudgetHistoryHistoryItemAlertsItem]


class BudgetHistoryHistoryItemAlertsItem(TypedDict, total=False):
    id: str
    severity: Literal["info", "warning", "critical"]
    current_cost: Number
    """US dollars."""
    threshold_value: Number
    """The dollars that were reached."""
    percentage_used: Number
    """Of the amount, in percent."""
    message: str
    triggered_at: str
    resolved_at: str | None


class Channel(TypedDict, total=False):
    id: str
    org_id: str
    name: str
    type: Literal["webhook", "email", "slack"]
    url: str | None
    """Its host: what stands behind it is not shown again."""
    addresses: list[str] | None
    is_active: bool
    created_at: str
    updated_at: str
    pending_messages: int
    """Messages that are still to be sent."""
    dead_messages: int
    """Messages that were given up; staff can resend them."""


class ChannelsListReply(TypedDict, total=False):
    channels: list[Channel]
    pagination: OffsetPagination


class CostsAnalyticsReply(TypedDict, total=False):
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    prompt_cost: Number | None
    """Cost of the prompt. (sum, USD)"""
    completion_cost: Number | None
    """Cost of the completion. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    avg_cost_per_request: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""
    time_series: list[CostsAnalyticsReplyTimeSeriesItem]
    """Oldest first."""
    metadata: CostsAnalyticsReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class CostsAnalyticsReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    granularity: str
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class CostsAnalyticsReplyTimeSeriesItem(TypedDict, total=False):
    timestamp: str
    """Start of the bucket."""
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    prompt_cost: Number | None
    """Cost of the prompt. (sum, USD)"""
    completion_cost: Number | None
    """Cost of the completion. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    provider: str | None
    """With group_by."""
    model: str | None
    """With group_by."""
    environment: str | None
    """With group_by."""


class CostsAttributionReply(TypedDict, total=False):
    items: list[CostsAttributionReplyItemsItem]
    """Dearest first."""
    other: CostsAttributionReplyOther
    """Everything that items do not show."""
    summary: CostsAttributionReplySummary
    metadata: CostsAttributionReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class CostsAttributionReplyItemsItem(TypedDict, total=False):
    dimension_value: str | None
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    prompt_cost: Number | None
    """Cost of the prompt. (sum, USD)"""
    completion_cost: Number | None
    """Cost of the completion. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    cost_percentage: Number
    """Share of the cost of the whole range."""
    avg_cost_per_request: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""
    by_provider: dict[str, Any]
    """Cost by provider."""
    by_model: dict[str, Any]
    """Cost by model."""


class CostsAttributionReplyMetadata(TypedDict, total=False):
    dimension: str
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    total_items: int
    """Values that cost at least min_cost."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class CostsAttributionReplyOther(TypedDict, total=False):
    items: int
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""


class CostsAttributionReplySummary(TypedDict, total=False):
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    total_requests: int
    """Requests: model calls, each once. (sum, count)"""
    unique_items: int
    """Different values in the range."""
    avg_cost_per_item: Number | None


class CostsBreakdownReply(TypedDict, total=False):
    by_model: list[CostsBreakdownReplyByModelItem]
    """Dearest first."""
    by_user: list[CostsBreakdownReplyByUserItem]
    """Dearest first."""
    by_provider: list[CostsBreakdownReplyByProviderItem]
    """Dearest first."""
    by_time: list[CostsBreakdownReplyByTimeItem]
    """Oldest first."""
    metadata: CostsBreakdownReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class CostsBreakdownReplyByModelItem(TypedDict, total=False):
    dimension: str | None
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    percentage: Number
    """Share of the whole cost."""


class CostsBreakdownReplyByProviderItem(TypedDict, total=False):
    dimension: str | None
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    percentage: Number
    """Share of the whole cost."""


class CostsBreakdownReplyByTimeItem(TypedDict, total=False):
    timestamp: str
    """Start of the bucket."""
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    prompt_cost: Number | None
    """Cost of the prompt. (sum, USD)"""
    completion_cost: Number | None
    """Cost of the completion. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""


class CostsBreakdownReplyByUserItem(TypedDict, total=False):
    dimension: str | None
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    percentage: Number
    """Share of the whole cost."""


class CostsBreakdownReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    granularity: str
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class CostsBudgetsCreateFilters(TypedDict, total=False):
    provider: str | None
    model: str | None
    environment: str | None
    user_id: str | None
    team_id: str | None


class CostsBudgetsReply(TypedDict, total=False):
    budgets: list[Budget]
    pagination: OffsetPagination


class CostsBudgetsUpdateFilters(TypedDict, total=False):
    provider: str | None
    model: str | None
    environment: str | None
    user_id: str | None
    team_id: str | None


class CostsForecastReply(TypedDict, total=False):
    historical: list[CostsForecastReplyHistoricalItem]
    """Every full UTC day of the history, oldest first."""
    forecast: list[CostsForecastReplyForecastItem]
    summary: CostsForecastReplySummary
    metadata: CostsForecastReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class CostsForecastReplyForecastItem(TypedDict, total=False):
    date: str
    forecasted_cost: Number
    """An estimate in dollars, of at most 6 decimals."""
    lower_bound: Number | None
    """The cost of the day lies between both in 95 of 100."""
    upper_bound: Number | None


class CostsForecastReplyHistoricalItem(TypedDict, total=False):
    date: str
    cost: Number
    requests: int


class CostsForecastReplyMetadata(TypedDict, total=False):
    historical_start: str
    historical_end: str
    """First day that is not part of the history."""
    forecast_start: str
    forecast_end: str
    """First day that is not part of the forecast."""
    forecast_days: int
    model_type: str
    """linear_regression_weekday from 28 days of history on, else linear_regression."""
    generated_at: str | None
    """Time of the data version."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class CostsForecastReplySummary(TypedDict, total=False):
    total_forecasted_cost: Number
    """An estimate in dollars, of at most 6 decimals."""
    avg_daily_cost: Number
    """An estimate in dollars, of at most 6 decimals."""
    projected_monthly_cost: Number
    """30 days of the average."""
    r_squared: Number
    """Share of the variation that the fit explains."""
    mape: Number | None
    """Mean error in percent on the last fifth, held out."""


class CostsPricesReply(TypedDict, total=False):
    prices: list[Price]
    pagination: OffsetPagination


class CostsSummaryReply(TypedDict, total=False):
    overview: CostsSummaryReplyOverview
    by_provider: list[CostsSummaryReplyByProviderItem]
    """Dearest first, at most 50."""
    by_model: list[CostsSummaryReplyByModelItem]
    """Dearest first, at most 50."""
    by_environment: list[CostsSummaryReplyByEnvironmentItem]
    """Dearest first, at most 50."""
    trends: CostsSummaryReplyTrends | None
    top_traces: list[CostsSummaryReplyTopTracesItem] | None
    """The spans that cost most."""
    metadata: CostsSummaryReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class CostsSummaryReplyByEnvironmentItem(TypedDict, total=False):
    name: str | None
    cost: Number | None
    requests: int
    percentage: Number
    avg_cost_per_request: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""


class CostsSummaryReplyByModelItem(TypedDict, total=False):
    name: str | None
    cost: Number | None
    requests: int
    percentage: Number
    avg_cost_per_request: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""


class CostsSummaryReplyByProviderItem(TypedDict, total=False):
    name: str | None
    cost: Number | None
    requests: int
    percentage: Number
    avg_cost_per_request: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""


class CostsSummaryReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    period_days: Number
    generated_at: str | None
    """Time of the data version."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class CostsSummaryReplyOverview(TypedDict, total=False):
    total_cost: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    prompt_cost: Number | None
    """Cost of the prompt. (sum, USD)"""
    completion_cost: Number | None
    """Cost of the completion. (sum, USD)"""
    total_requests: int
    """Requests: model calls, each once. (sum, count)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    avg_cost_per_request: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""
    avg_cost_per_1k_tokens: Number | None
    day_over_day_change: Number | None
    """Last full UTC day against the day before."""
    week_over_week_change: Number | None
    """Last 7 full UTC days, likewise."""


class CostsSummaryReplyTopTracesItem(TypedDict, total=False):
    trace_id: str
    timestamp: str
    provider: str | None
    model: str | None
    cost: Number
    tokens: int
    duration_ms: int
    user_id: str | None


class CostsSummaryReplyTrends(TypedDict, total=False):
    daily: list[CostsSummaryReplyTrendsDailyItem]
    """Oldest first."""
    weekly: list[CostsSummaryReplyTrendsWeeklyItem]
    """Oldest first."""
    growth_rate_daily: Number | None
    growth_rate_weekly: Number | None
    slope_usd_daily: Number | None
    slope_usd_weekly: Number | None


class CostsSummaryReplyTrendsDailyItem(TypedDict, total=False):
    date: str
    """First day of the bucket."""
    cost: Number | None
    requests: int


class CostsSummaryReplyTrendsWeeklyItem(TypedDict, total=False):
    date: str
    """First day of the bucket."""
    cost: Number | None
    requests: int


class CostsUnpricedReply(TypedDict, total=False):
    items: list[CostsUnpricedReplyItemsItem]
    """Most requests first."""
    summary: CostsUnpricedReplySummary
    metadata: CostsUnpricedReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class CostsUnpricedReplyItemsItem(TypedDict, total=False):
    provider: str | None
    model: str | None
    reason: str
    """no_price, no_part_price or no_usage."""
    request_count: int
    total_tokens: int
    first_seen: str
    last_seen: str


class CostsUnpricedReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class CostsUnpricedReplySummary(TypedDict, total=False):
    request_count: int
    total_tokens: int


class CreatedChannel(TypedDict, total=False):
    id: str
    org_id: str
    name: str
    type: Literal["webhook", "email", "slack"]
    url: str | None
    """Its host: what stands behind it is not shown again."""
    addresses: list[str] | None
    is_active: bool
    created_at: str
    updated_at: str
    pending_messages: int
    """Messages that are still to be sent."""
    dead_messages: int
    """Messages that were given up; staff can resend them."""
    signing_secret: str | None
    """Of a webhook: what its messages are signed with (standardwebhooks.com), shown this once."""


class Evaluation(TypedDict, total=False):
    id: str
    trace_id: str
    span_id: str | None
    """null where the whole trace is meant."""
    timestamp: str
    evaluator_name: str
    score: Number | None
    passed: bool | None
    label: str | None
    explanation: str | None


class ExportAccepted(TypedDict, total=False):
    job_id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled", "expired"]
    created_at: str
    estimated_completion_at: str
    """If exports go on as the last ones did."""
    status_url: str


class ExportJob(TypedDict, total=False):
    job_id: str
    org_id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled", "expired"]
    format: Literal["csv", "json", "jsonl", "parquet"]
    compression: Literal["none", "gzip"]
    created_at: str
    started_at: str | None
    completed_at: str | None
    """When it ended, however it ended."""
    expires_at: str | None
    trace_count: int | None
    """Spans written so far."""
    file_size_bytes: int | None
    download_url: str | None
    error_message: str | None
    progress_percent: int
    metadata: ExportJobMetadata
    manifest: ExportManifest | None


class ExportJobMetadata(TypedDict, total=False):
    can_cancel: bool
    can_download: bool
    is_expired: bool
    seconds_until_expiration: int | None


class ExportJobsReply(TypedDict, total=False):
    jobs: list[ExportJob]
    pagination: OffsetPagination


class ExportManifest(TypedDict, total=False):
    rows: int
    bytes: int
    sha256: str
    start_time: str
    end_time: str
    first_ts: str | None
    last_ts: str | None
    fields: list[str]
    filters: dict[str, Any]
    """What the selection was narrowed by, as it was sent."""
    format: Literal["csv", "json", "jsonl", "parquet"]
    compression: Literal["none", "gzip"]
    truncated_by_limit: bool
    """Whether there were more spans than limit."""
    rows_missing: int | None
    """Spans that were there when the export was created and were deleted, or changed so that they are no longer selected, before they were read; null where they were not counted then."""
    rows_repriced: int | None
    """Spans of the file whose cost a re-pricing changed that was under way while it was written: each has the cost it had when it was read. Null where a re-pricing was undone meanwhile, and of exports of earlier releases."""


class ExportSchedule(TypedDict, total=False):
    schedule_id: str
    org_id: str
    name: str
    prefix: str
    folder: str
    """Of its files in the store; each is in `day=YYYY-MM-DD`."""
    every: Literal["daily", "weekly"]
    enabled: bool
    format: Literal["csv", "json", "jsonl", "parquet"]
    compression: Literal["none", "gzip"]
    fields: list[str]
    filters: dict[str, Any]
    """What the selection was narrowed by, as it was sent."""
    next_day: str
    """The first day that is not exported yet."""
    next_run_at: str | None
    """When that day is exported; null while it is not enabled."""
    keep_days: int | None
    created_at: str
    job_id: str | None
    """The export under way."""
    last_job_id: str | None
    """The last export that was completed."""
    problem: str | None
    """What stood in the way of the next day; it is tried again each hour."""


class ExportSchedulesReply(TypedDict, total=False):
    schedules: list[ExportSchedule]
    pagination: OffsetPagination


class ExportStatistics(TypedDict, total=False):
    total_jobs: int
    by_status: ExportStatisticsByStatus
    total_traces_exported: int
    total_bytes_exported: int
    avg_export_time_seconds: Number | None
    """From creation to completion."""


class ExportStatisticsByStatus(TypedDict, total=False):
    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int
    expired: int


class Feedback(TypedDict, total=False):
    id: str
    trace_id: str
    span_id: str | None
    """null where the whole trace is meant."""
    created_at: str
    score: Number
    resolved: bool | None
    comment: str | None
    user_id: str | None
    labels: list[str] | None


class Filter0(TypedDict, total=False):
    field: str
    """A member of a span, content, or attributes.<key>."""
    operator: str
    value: Any


class Filter1(TypedDict, total=False):
    operator: str
    filters: list[Filter]


class IngestRejectedListReply(TypedDict, total=False):
    status: str
    data: list[RejectedSpan]
    pagination: Pagination
    meta: Meta


class KeysListReply(TypedDict, total=False):
    keys: list[ApiKey]
    pagination: Page


class Link(TypedDict, total=False):
    trace_id: str
    span_id: str
    linked_trace_id: str
    linked_span_id: str


class Me(TypedDict, total=False):
    principal: Literal["user", "key"]
    id: str
    org_id: str
    organisations: list[MeOrganisationsItem]
    role: str | None
    projects: list[str]
    permissions: list[
        Literal[
            "alerts:read",
            "audit:read",
            "budgets:write",
            "costs:read",
            "evaluations:write",
            "exports:cancel",
            "exports:create",
            "exports:download",
            "exports:read",
            "feedback:write",
            "ingest:write",
            "keys:manage",
            "metrics:query",
            "metrics:read",
            "projects:manage",
            "traces:read",
            "usage:read",
            "users:manage",
        ]
    ]
    rate_limit_tier: str
    ws_url: str
    sse_url: str


class MeOrganisationsItem(TypedDict, total=False):
    id: str
    slug: str
    role: Literal["admin", "developer", "viewer", "billing"]


class Member(TypedDict, total=False):
    id: str
    user_id: str
    email: str
    role: Literal["admin", "developer", "viewer", "billing"]
    projects: list[str]
    created_at: str


class MembersListReply(TypedDict, total=False):
    members: list[Member]
    pagination: Page


class Meta(TypedDict, total=False):
    timestamp: str
    execution_time_ms: int
    cached: bool
    version: str
    request_id: str


class MetricsLabelValuesReply(TypedDict, total=False):
    name: str
    values: list[MetricsLabelValuesReplyValuesItem]
    """Most frequent first."""
    truncated: bool
    """Whether there are more."""
    metadata: dict[str, Any]
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsLabelValuesReplyValuesItem(TypedDict, total=False):
    value: str
    request_count: int
    """Requests: model calls, each once. (sum, count)"""


class MetricsLabelsReply(TypedDict, total=False):
    labels: list[MetricsLabelsReplyLabelsItem]
    metadata: dict[str, Any]
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsLabelsReplyLabelsItem(TypedDict, total=False):
    name: str
    """Name for group_by and filters."""
    type: str
    """string, or list for what a span has several of."""
    source: str
    """rollup, usage, spans or content: the narrowest relation that knows it."""


class MetricsListReply(TypedDict, total=False):
    data: list[MetricsListReplyDataItem]
    """One member for each dimension and figure."""
    metadata: MetricsListReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsListReplyDataItem(TypedDict, total=False):
    timestamp: str
    """Start of the bucket."""


class MetricsListReplyMetadata(TypedDict, total=False):
    interval: str
    """Width of the buckets."""
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    metrics: list[str]
    group_by: list[str]
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """aggregate or raw."""
    distinct_error: Number | None
    """Bound of the relative error of unique_ figures; null where exact."""
    total_points: int
    truncated: bool


class MetricsPerformanceReply(TypedDict, total=False):
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    avg_latency_ms: Number | None
    """How long requests took. (avg, ms)"""
    min_latency_ms: Number | None
    """How long requests took. (min, ms)"""
    max_latency_ms: Number | None
    """How long requests took. (max, ms)"""
    p50_latency_ms: Number | None
    """How long requests took. (p50, ms)"""
    p95_latency_ms: Number | None
    """How long requests took. (p95, ms)"""
    p99_latency_ms: Number | None
    """How long requests took. (p99, ms)"""
    avg_ttft_ms: Number | None
    """Time to the first token, of requests where it is known. (avg, ms)"""
    p50_ttft_ms: Number | None
    """Time to the first token, of requests where it is known. (p50, ms)"""
    p95_ttft_ms: Number | None
    """Time to the first token, of requests where it is known. (p95, ms)"""
    p99_ttft_ms: Number | None
    """Time to the first token, of requests where it is known. (p99, ms)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    throughput_rps: Number
    """Requests over the length of the range. (ratio, per second)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    tokens_per_second: Number
    """Tokens over the length of the range. (ratio, per second)"""
    time_series: list[MetricsPerformanceReplyTimeSeriesItem]
    """Oldest first; buckets without requests are left out."""
    metadata: MetricsPerformanceReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsPerformanceReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    granularity: str
    """Width of the buckets."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class MetricsPerformanceReplyTimeSeriesItem(TypedDict, total=False):
    timestamp: str
    """Start of the bucket."""
    avg_latency_ms: Number | None
    """How long requests took. (avg, ms)"""
    min_latency_ms: Number | None
    """How long requests took. (min, ms)"""
    max_latency_ms: Number | None
    """How long requests took. (max, ms)"""
    p95_latency_ms: Number | None
    """How long requests took. (p95, ms)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""


class MetricsQualityReply(TypedDict, total=False):
    total_requests: int
    """Requests: model calls, each once. (sum, count)"""
    successful_requests: int
    """Requests with any other status. (sum, count)"""
    failed_requests: int
    """Requests with status ERROR. (sum, count)"""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    avg_feedback_score: Number | None
    """Mean score of the feedback on what started in the range."""
    resolution_rate: Number | None
    """Share of that feedback that says resolved, of the feedback that says either."""
    error_breakdown: list[MetricsQualityReplyErrorBreakdownItem]
    """The commonest, at most 10."""
    time_series: list[MetricsQualityReplyTimeSeriesItem]
    """Oldest first; buckets without requests are left out."""
    metadata: MetricsQualityReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsQualityReplyErrorBreakdownItem(TypedDict, total=False):
    error_type: str | None
    """The status code where the emitter names none."""
    count: int
    """Failed requests."""
    percentage: Number
    """Share of all failed requests."""
    sample_message: str | None
    """The newest message; never told to anonymous callers."""


class MetricsQualityReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    granularity: str
    """Width of the buckets."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class MetricsQualityReplyTimeSeriesItem(TypedDict, total=False):
    timestamp: str
    """Start of the bucket."""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""


class MetricsQueryFiltersItem(TypedDict, total=False):
    dimension: str
    operator: Literal["eq", "ne", "in", "not_in"]
    value: str | list[str]


class MetricsQueryHavingItem(TypedDict, total=False):
    metric: Literal[
        "request_count",
        "error_count",
        "success_count",
        "unpriced_count",
        "duration",
        "time_to_first_token",
        "total_cost",
        "prompt_cost",
        "completion_cost",
        "total_tokens",
        "prompt_tokens",
        "completion_tokens",
        "uncached_input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "error_rate",
        "success_rate",
        "throughput",
        "token_throughput",
        "unique_users",
        "unique_sessions",
    ]
    aggregation: Literal["avg", "sum", "min", "max", "count", "p50", "p90", "p95", "p99", "average", "total", "median"]
    operator: Literal["gt", "gte", "lt", "lte", "eq"]
    value: Number


class MetricsQueryMetricsItem(TypedDict, total=False):
    metric: Literal[
        "request_count",
        "error_count",
        "success_count",
        "unpriced_count",
        "duration",
        "time_to_first_token",
        "total_cost",
        "prompt_cost",
        "completion_cost",
        "total_tokens",
        "prompt_tokens",
        "completion_tokens",
        "uncached_input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "error_rate",
        "success_rate",
        "throughput",
        "token_throughput",
        "unique_users",
        "unique_sessions",
    ]
    aggregation: Literal["avg", "sum", "min", "max", "count", "p50", "p90", "p95", "p99", "average", "total", "median"]
    alias: str


class MetricsQueryReply(TypedDict, total=False):
    data: list[MetricsQueryReplyDataItem]
    """One member for each dimension and figure."""
    metadata: MetricsQueryReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsQueryReplyDataItem(TypedDict, total=False):
    timestamp: str
    """Start of the bucket."""


class MetricsQueryReplyMetadata(TypedDict, total=False):
    interval: str
    """Width of the buckets."""
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    group_by: list[str]
    filters_applied: list[dict[str, Any]]
    having_conditions: list[dict[str, Any]]
    total_rows: int
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""
    distinct_error: Number | None
    """Bound of the relative error of unique_ figures; null where exact."""


class MetricsQuerySortBy(TypedDict, total=False):
    field: str
    descending: bool


class MetricsSummaryReply(TypedDict, total=False):
    current_period: MetricsSummaryReplyCurrentPeriod
    previous_period: MetricsSummaryReplyPreviousPeriod | None
    """The same length before."""
    changes: MetricsSummaryReplyChanges | None
    top_items: MetricsSummaryReplyTopItems
    quality: MetricsSummaryReplyQuality
    metadata: MetricsSummaryReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class MetricsSummaryReplyChanges(TypedDict, total=False):
    requests_change_pct: Number | None
    cost_change_pct: Number | None
    duration_change_pct: Number | None
    error_rate_change_pct: Number | None


class MetricsSummaryReplyCurrentPeriod(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    total_requests: int
    """Requests: model calls, each once. (sum, count)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    avg_duration_ms: Number | None
    """How long requests took. (avg, ms)"""
    p95_duration_ms: Number | None
    """How long requests took. (p95, ms)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    unique_users: int
    """Different users of spans. (distinct, count)"""
    unique_sessions: int
    """Different sessions of spans. (distinct, count)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""


class MetricsSummaryReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""
    distinct_error: Number | None
    """Bound of the relative error of unique_ figures; null where exact."""


class MetricsSummaryReplyPreviousPeriod(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    total_requests: int
    """Requests: model calls, each once. (sum, count)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    avg_duration_ms: Number | None
    """How long requests took. (avg, ms)"""
    p95_duration_ms: Number | None
    """How long requests took. (p95, ms)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    unique_users: int
    """Different users of spans. (distinct, count)"""
    unique_sessions: int
    """Different sessions of spans. (distinct, count)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""


class MetricsSummaryReplyQuality(TypedDict, total=False):
    error_count: int
    """Requests with status ERROR. (sum, count)"""
    success_count: int
    """Requests with any other status. (sum, count)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    most_common_errors: list[MetricsSummaryReplyQualityMostCommonErrorsItem]
    """The commonest, at most 10."""


class MetricsSummaryReplyQualityMostCommonErrorsItem(TypedDict, total=False):
    status_code: str
    error_type: str | None
    """The status code where the emitter names none."""
    count: int
    """Failed requests."""
    percentage: Number
    """Share of all failed requests."""
    sample_message: str | None
    """The newest message; never told to anonymous callers."""


class MetricsSummaryReplyTopItems(TypedDict, total=False):
    by_cost: list[MetricsSummaryReplyTopItemsByCostItem]
    by_requests: list[MetricsSummaryReplyTopItemsByRequestsItem]
    by_duration: list[MetricsSummaryReplyTopItemsByDurationItem]
    by_errors: list[MetricsSummaryReplyTopItemsByErrorsItem]


class MetricsSummaryReplyTopItemsByCostItem(TypedDict, total=False):
    provider: str | None
    model: str | None
    value: Number
    percentage: Number
    """Share of the whole; of durations, of the time spent."""


class MetricsSummaryReplyTopItemsByDurationItem(TypedDict, total=False):
    provider: str | None
    model: str | None
    value: Number
    percentage: Number
    """Share of the whole; of durations, of the time spent."""


class MetricsSummaryReplyTopItemsByErrorsItem(TypedDict, total=False):
    provider: str | None
    model: str | None
    value: Number
    percentage: Number
    """Share of the whole; of durations, of the time spent."""


class MetricsSummaryReplyTopItemsByRequestsItem(TypedDict, total=False):
    provider: str | None
    model: str | None
    value: Number
    percentage: Number
    """Share of the whole; of durations, of the time spent."""


class ModelsComparePostReply(TypedDict, total=False):
    models: list[ModelsComparePostReplyModelsItem]
    """In the order asked for; those without data are left out."""
    summary: ModelsComparePostReplySummary
    metadata: ModelsComparePostReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class ModelsComparePostReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class ModelsComparePostReplyModelsItem(TypedDict, total=False):
    model: str | None
    provider: str | None
    metrics: ModelsComparePostReplyModelsItemMetrics


class ModelsComparePostReplyModelsItemMetrics(TypedDict, total=False):
    avg_latency_ms: Number | None
    """How long requests took. (avg, ms)"""
    p95_latency_ms: Number | None
    """How long requests took. (p95, ms)"""
    avg_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    throughput_rps: Number
    """Requests over the length of the range. (ratio, per second)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""


class ModelsComparePostReplySummary(TypedDict, total=False):
    fastest_model: str
    cheapest_model: str
    most_reliable_model: str
    recommendations: list[str]


class ModelsCompareReply(TypedDict, total=False):
    models: list[ModelsCompareReplyModelsItem]
    """In the order asked for; those without data are left out."""
    summary: ModelsCompareReplySummary
    metadata: ModelsCompareReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class ModelsCompareReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class ModelsCompareReplyModelsItem(TypedDict, total=False):
    model: str | None
    provider: str | None
    metrics: ModelsCompareReplyModelsItemMetrics


class ModelsCompareReplyModelsItemMetrics(TypedDict, total=False):
    avg_latency_ms: Number | None
    """How long requests took. (avg, ms)"""
    p95_latency_ms: Number | None
    """How long requests took. (p95, ms)"""
    avg_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (avg, USD)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    success_rate: Number
    """Successful requests over all requests; 0 over none. (ratio, rate)"""
    throughput_rps: Number
    """Requests over the length of the range. (ratio, per second)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""


class ModelsCompareReplySummary(TypedDict, total=False):
    fastest_model: str
    cheapest_model: str
    most_reliable_model: str
    recommendations: list[str]


class NewApiKey(TypedDict, total=False):
    id: str
    name: str
    prefix: str
    environment: Literal["live", "test"]
    projects: list[str]
    permissions: list[str]
    rate_limit_tier: Literal["admin", "developer", "viewer", "billing"]
    allowed_ips: list[str]
    signing: Literal["off", "required"]
    created_at: str
    created_by: str | None
    expires_at: str | None
    last_used_at: str | None
    rotated_at: str | None
    previous_expires_at: str | None
    revoked_at: str | None
    status: Literal["active", "rotating", "expired", "revoked"]
    key: str
    """Shown once; a replayed reply comes without it."""
    signing_secret: str | None


class OffsetPagination(TypedDict, total=False):
    total: int
    limit: int
    offset: int
    has_more: bool


class OptimizationReply(TypedDict, total=False):
    cost_optimizations: list[OptimizationReplyCostOptimizationsItem]
    performance_optimizations: list[OptimizationReplyPerformanceOptimizationsItem]
    quality_optimizations: list[OptimizationReplyQualityOptimizationsItem]
    overall_score: Number
    """Mean of cost, performance and quality, each 0.5 or 1."""
    metadata: OptimizationReplyMetadata
    plan: list[dict[str, Any]]
    """Instead of all else, with explain=true."""


class OptimizationReplyCostOptimizationsItem(TypedDict, total=False):
    title: str
    description: str
    impact: str
    """high, medium or low."""
    potential_savings: Number | None
    """Dollars over the range, where they can be worked out."""
    effort: str
    """high, medium or low."""
    priority: int
    """1 comes first."""
    evidence: dict[str, Any]
    """The numbers behind it."""


class OptimizationReplyMetadata(TypedDict, total=False):
    start_time: str
    """Start of the range that was answered."""
    end_time: str
    """Its end, exclusive."""
    as_of: str | None
    """When the newest data of the range were written."""
    data_source: str
    """rollup, spans or mixed."""


class OptimizationReplyPerformanceOptimizationsItem(TypedDict, total=False):
    title: str
    description: str
    impact: str
    """high, medium or low."""
    potential_savings: Number | None
    """Dollars over the range, where they can be worked out."""
    effort: str
    """high, medium or low."""
    priority: int
    """1 comes first."""
    evidence: dict[str, Any]
    """The numbers behind it."""


class OptimizationReplyQualityOptimizationsItem(TypedDict, total=False):
    title: str
    description: str
    impact: str
    """high, medium or low."""
    potential_savings: Number | None
    """Dollars over the range, where they can be worked out."""
    effort: str
    """high, medium or low."""
    priority: int
    """1 comes first."""
    evidence: dict[str, Any]
    """The numbers behind it."""


class Page(TypedDict, total=False):
    total: int
    limit: int
    offset: int
    has_more: bool


class Pagination(TypedDict, total=False):
    cursor: str
    has_more: bool
    limit: int
    total: int


class Price(TypedDict, total=False):
    id: str
    """The price_version of spans that it priced."""
    provider: str
    model_pattern: str
    """Name of a model, or a glob: *, ?, [...]."""
    service_tier: Literal["default", "batch", "flex", "priority"]
    min_prompt_tokens: int
    """The row is for longer prompts than this."""
    valid_from: str
    valid_to: str | None
    input: Number
    """US dollars per million tokens; null: the part has no own price."""
    output: Number
    """US dollars per million tokens; null: the part has no own price."""
    cache_read: Number | None
    """US dollars per million tokens; null: the part has no own price."""
    cache_write_5m: Number | None
    """US dollars per million tokens; null: the part has no own price."""
    cache_write_1h: Number | None
    """US dollars per million tokens; null: the part has no own price."""
    audio_input: Number | None
    """US dollars per million tokens; null: the part has no own price."""
    audio_output: Number | None
    """US dollars per million tokens; null: the part has no own price."""
    reasoning: Number | None
    """US dollars per million tokens; null: the part has no own price."""
    per_request: Number | None
    """US dollars for each call, beside its tokens."""
    shared: bool
    """Whether the row is everybody's, or the organisation's own."""
    source: str
    """File, package or person it came from."""


class Project(TypedDict, total=False):
    id: str
    org_id: str
    name: str
    slug: str
    is_public: bool
    archived: bool
    content_capture: Literal["full", "none"]
    redaction: dict[str, Any]
    retention: ProjectRetention
    usage_exclusive_scopes: list[str]
    created_at: str
    updated_at: str


class ProjectRetention(TypedDict, total=False):
    spans_days: int | None
    content_days: int | None


class ProjectsCreateRetention(TypedDict, total=False):
    spans_days: int | None
    content_days: int | None


class ProjectsListReply(TypedDict, total=False):
    projects: list[Project]
    pagination: Page


class ProjectsUpdateRetention(TypedDict, total=False):
    spans_days: int | None
    content_days: int | None


class RejectedSpan(TypedDict, total=False):
    id: str
    received_at: str
    project_id: str
    trace_id: str | None
    span_id: str | None
    span_name: str | None
    service_name: str | None
    scope_name: str | None
    reason: Literal[
        "invalid_trace_id",
        "invalid_span_id",
        "missing_start_time",
        "end_before_start",
        "too_old",
        "in_future",
        "too_large",
        "too_many_attributes",
        "malformed_request",
    ]
    message: str
    key_prefix: str | None
    request_id: str


class SessionsListReply(TypedDict, total=False):
    status: str
    data: list[SessionsListReplyDataItem]
    pagination: Pagination
    meta: Meta


class SessionsListReplyDataItem(TypedDict, total=False):
    session_id: str
    user_id: str | None
    """User; the first in alphabetical order of several. (value, text)"""
    first_ts: str | None
    """Start of the first span. (value, time)"""
    last_ts: str | None
    """Start of the last span. (value, time)"""
    trace_count: int | None
    """Traces. (value, count)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    error_count: int
    """Requests with status ERROR. (sum, count)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    traces_url: str
    """Where the spans behind the item are listed, newest first."""


class SessionsRetrieveReply(TypedDict, total=False):
    status: str
    data: SessionsRetrieveReplyData
    meta: Meta


class SessionsRetrieveReplyData(TypedDict, total=False):
    session_id: str
    user_id: str | None
    """User; the first in alphabetical order of several. (value, text)"""
    first_ts: str | None
    """Start of the first span. (value, time)"""
    last_ts: str | None
    """Start of the last span. (value, time)"""
    trace_count: int | None
    """Traces. (value, count)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    error_count: int
    """Requests with status ERROR. (sum, count)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    traces_url: str
    """Where the spans behind the item are listed, newest first."""
    traces: list[dict[str, Any]]
    """Root spans, oldest first, at most 100."""
    traces_truncated: bool


class Span(TypedDict, total=False):
    ts: str | None
    """Start of the span."""
    project_id: str | None
    """Project of the span."""
    trace_id: str | None
    """Trace, 32 lowercase hex digits."""
    span_id: str | None
    """Span, 16 lowercase hex digits."""
    parent_span_id: str | None
    """Parent span; absent on roots."""
    service_name: str | None
    """Service that emitted the span, from its resource."""
    span_name: str | None
    """Name the emitter gave the span."""
    span_kind: str | None
    """internal, client, server, producer or consumer."""
    operation_name: str | None
    """chat, text_completion, embeddings, execute_tool, invoke_agent, retrieval and others as sent."""
    provider: str | None
    """Normalised provider of the model."""
    model: str | None
    """Model asked for."""
    response_model: str | None
    """Model that answered."""
    response_id: str | None
    """Id the provider gave the answer."""
    input_type: str | None
    """text, chat or multimodal."""
    input_text: str | None
    """Plain text of the input."""
    output_text: str | None
    """Plain text of the output."""
    input_messages: Any
    """Input as messages with role and content."""
    output_messages: Any
    """Output as messages with role and content."""
    finish_reason: str | None
    """First reason to stop."""
    prompt_tokens: int | None
    """Sum of the five input parts."""
    completion_tokens: int | None
    """Sum of the three output parts."""
    total_tokens: int | None
    """Prompt and completion tokens."""
    uncached_input_tokens: int | None
    """Input tokens that no cache held."""
    cache_read_tokens: int | None
    """Input tokens read from the provider's cache."""
    cache_write_5m_tokens: int | None
    """Input tokens written to a cache of five minutes."""
    cache_write_1h_tokens: int | None
    """Input tokens written to a cache of one hour."""
    audio_input_tokens: int | None
    """Audio tokens of the input."""
    visible_output_tokens: int | None
    """Output tokens that were shown."""
    reasoning_tokens: int | None
    """Output tokens spent on reasoning."""
    audio_output_tokens: int | None
    """Audio tokens of the output."""
    usage_counted: bool | None
    """Enters token and cost sums: the span has usage and no descendant has."""
    call_counted: bool | None
    """Enters request and latency figures: a model call no descendant of which is one."""
    prompt_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    completion_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    total_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    cost_breakdown: Any
    """Cost of each token part in dollars; adds up to the total to the last digit."""
    price_version: str | None
    """Price that made the cost."""
    reported_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    unpriced_reason: str | None
    """no_price, no_part_price or no_usage."""
    duration_ms: int | None
    """End minus start in milliseconds."""
    ttft_ms: int | None
    """Time to the first token in milliseconds."""
    tokens_per_second: Number | None
    """Completion tokens over the duration."""
    streamed: bool | None
    """Whether the answer was streamed."""
    status_code: str | None
    """OK, ERROR or UNSET."""
    error_type: str | None
    """Class of the error."""
    error_message: str | None
    """Text of the error."""
    user_id: str | None
    """End user."""
    session_id: str | None
    """Conversation."""
    team_id: str | None
    """Team."""
    prompt_name: str | None
    """Prompt template."""
    environment: str | None
    """Deployment environment."""
    tags: list[str] | None
    """Tags."""
    tool_name: str | None
    """Tool called."""
    agent_name: str | None
    """Agent."""
    workflow_name: str | None
    """Workflow."""
    request_parameters: Any
    """Temperature, top_p, max_tokens and the like."""
    tools: Any
    """Tools offered to the model."""
    retrieval: Any
    """Query and documents of a retrieval."""
    attributes: Any
    """Every attribute that has no member of its own."""
    resource_attributes: Any
    """Attributes of the resource."""
    events: Any
    """Events of the span."""
    links: Any
    """Links to other spans."""
    scope: Any
    """Instrumentation scope that made the span."""
    mapping_sources: Any
    """Attribute name each member was read from."""
    service_tier: str | None
    """Tier the call was billed in: batch, flex, priority, or as sent."""
    usage_rule: str | None
    """inclusive, exclusive or exclusive_inferred."""
    redactions: Any
    """How often each detector found something, by detector."""
    notes: list[str] | None
    """What was changed on the way in: truncated, usage_clamped."""
    ingested_at: str | None
    """When the span arrived."""
    evaluations: list[Evaluation]
    feedback: list[Feedback]
    spans_truncated: bool
    spans: list[Span]
    """Direct children."""
    highlights: SpanHighlights
    """Fragments of HTML: hits between <mark> and </mark>, all else escaped."""


class SpanHighlights(TypedDict, total=False):
    input_text: list[str]
    output_text: list[str]


class Ticket(TypedDict, total=False):
    ticket: str
    expires_in: int
    """Seconds within which a stream must be opened with it, once."""
    ws_url: str
    sse_url: str


class Trace(TypedDict, total=False):
    ts: str | None
    """Start of the span."""
    project_id: str | None
    """Project of the span."""
    trace_id: str | None
    """Trace, 32 lowercase hex digits."""
    span_id: str | None
    """Span, 16 lowercase hex digits."""
    parent_span_id: str | None
    """Parent span; absent on roots."""
    service_name: str | None
    """Service that emitted the span, from its resource."""
    span_name: str | None
    """Name the emitter gave the span."""
    span_kind: str | None
    """internal, client, server, producer or consumer."""
    operation_name: str | None
    """chat, text_completion, embeddings, execute_tool, invoke_agent, retrieval and others as sent."""
    provider: str | None
    """Normalised provider of the model."""
    model: str | None
    """Model asked for."""
    response_model: str | None
    """Model that answered."""
    response_id: str | None
    """Id the provider gave the answer."""
    input_type: str | None
    """text, chat or multimodal."""
    input_text: str | None
    """Plain text of the input."""
    output_text: str | None
    """Plain text of the output."""
    input_messages: Any
    """Input as messages with role and content."""
    output_messages: Any
    """Output as messages with role and content."""
    finish_reason: str | None
    """First reason to stop."""
    prompt_tokens: int | None
    """Sum of the five input parts."""
    completion_tokens: int | None
    """Sum of the three output parts."""
    total_tokens: int | None
    """Prompt and completion tokens."""
    uncached_input_tokens: int | None
    """Input tokens that no cache held."""
    cache_read_tokens: int | None
    """Input tokens read from the provider's cache."""
    cache_write_5m_tokens: int | None
    """Input tokens written to a cache of five minutes."""
    cache_write_1h_tokens: int | None
    """Input tokens written to a cache of one hour."""
    audio_input_tokens: int | None
    """Audio tokens of the input."""
    visible_output_tokens: int | None
    """Output tokens that were shown."""
    reasoning_tokens: int | None
    """Output tokens spent on reasoning."""
    audio_output_tokens: int | None
    """Audio tokens of the output."""
    usage_counted: bool | None
    """Enters token and cost sums: the span has usage and no descendant has."""
    call_counted: bool | None
    """Enters request and latency figures: a model call no descendant of which is one."""
    prompt_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    completion_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    total_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    cost_breakdown: Any
    """Cost of each token part in dollars; adds up to the total to the last digit."""
    price_version: str | None
    """Price that made the cost."""
    reported_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    unpriced_reason: str | None
    """no_price, no_part_price or no_usage."""
    duration_ms: int | None
    """End minus start in milliseconds."""
    ttft_ms: int | None
    """Time to the first token in milliseconds."""
    tokens_per_second: Number | None
    """Completion tokens over the duration."""
    streamed: bool | None
    """Whether the answer was streamed."""
    status_code: str | None
    """OK, ERROR or UNSET."""
    error_type: str | None
    """Class of the error."""
    error_message: str | None
    """Text of the error."""
    user_id: str | None
    """End user."""
    session_id: str | None
    """Conversation."""
    team_id: str | None
    """Team."""
    prompt_name: str | None
    """Prompt template."""
    environment: str | None
    """Deployment environment."""
    tags: list[str] | None
    """Tags."""
    tool_name: str | None
    """Tool called."""
    agent_name: str | None
    """Agent."""
    workflow_name: str | None
    """Workflow."""
    request_parameters: Any
    """Temperature, top_p, max_tokens and the like."""
    tools: Any
    """Tools offered to the model."""
    retrieval: Any
    """Query and documents of a retrieval."""
    attributes: Any
    """Every attribute that has no member of its own."""
    resource_attributes: Any
    """Attributes of the resource."""
    events: Any
    """Events of the span."""
    links: Any
    """Links to other spans."""
    scope: Any
    """Instrumentation scope that made the span."""
    mapping_sources: Any
    """Attribute name each member was read from."""
    service_tier: str | None
    """Tier the call was billed in: batch, flex, priority, or as sent."""
    usage_rule: str | None
    """inclusive, exclusive or exclusive_inferred."""
    redactions: Any
    """How often each detector found something, by detector."""
    notes: list[str] | None
    """What was changed on the way in: truncated, usage_clamped."""
    ingested_at: str | None
    """When the span arrived."""
    start_time: str
    end_time: str
    trace_duration_ms: int
    span_count: int
    error_count: int
    trace_status: Literal["OK", "ERROR"]
    trace_cost_usd: Number | None
    trace_tokens: int
    unpriced_requests: int
    linked_from: list[Link]
    linked_to: list[Link]
    linked_from_truncated: bool
    """Told where there are more links than that."""
    linked_to_truncated: bool
    """Told where there are more links than that."""
    evaluations: list[Evaluation]
    feedback: list[Feedback]
    spans_truncated: bool
    spans: list[TraceSpan]


class TraceSpan(TypedDict, total=False):
    ts: str | None
    """Start of the span."""
    project_id: str | None
    """Project of the span."""
    trace_id: str | None
    """Trace, 32 lowercase hex digits."""
    span_id: str | None
    """Span, 16 lowercase hex digits."""
    parent_span_id: str | None
    """Parent span; absent on roots."""
    service_name: str | None
    """Service that emitted the span, from its resource."""
    span_name: str | None
    """Name the emitter gave the span."""
    span_kind: str | None
    """internal, client, server, producer or consumer."""
    operation_name: str | None
    """chat, text_completion, embeddings, execute_tool, invoke_agent, retrieval and others as sent."""
    provider: str | None
    """Normalised provider of the model."""
    model: str | None
    """Model asked for."""
    response_model: str | None
    """Model that answered."""
    response_id: str | None
    """Id the provider gave the answer."""
    input_type: str | None
    """text, chat or multimodal."""
    input_text: str | None
    """Plain text of the input."""
    output_text: str | None
    """Plain text of the output."""
    input_messages: Any
    """Input as messages with role and content."""
    output_messages: Any
    """Output as messages with role and content."""
    finish_reason: str | None
    """First reason to stop."""
    prompt_tokens: int | None
    """Sum of the five input parts."""
    completion_tokens: int | None
    """Sum of the three output parts."""
    total_tokens: int | None
    """Prompt and completion tokens."""
    uncached_input_tokens: int | None
    """Input tokens that no cache held."""
    cache_read_tokens: int | None
    """Input tokens read from the provider's cache."""
    cache_write_5m_tokens: int | None
    """Input tokens written to a cache of five minutes."""
    cache_write_1h_tokens: int | None
    """Input tokens written to a cache of one hour."""
    audio_input_tokens: int | None
    """Audio tokens of the input."""
    visible_output_tokens: int | None
    """Output tokens that were shown."""
    reasoning_tokens: int | None
    """Output tokens spent on reasoning."""
    audio_output_tokens: int | None
    """Audio tokens of the output."""
    usage_counted: bool | None
    """Enters token and cost sums: the span has usage and no descendant has."""
    call_counted: bool | None
    """Enters request and latency figures: a model call no descendant of which is one."""
    prompt_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    completion_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    total_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    cost_breakdown: Any
    """Cost of each token part in dollars; adds up to the total to the last digit."""
    price_version: str | None
    """Price that made the cost."""
    reported_cost_usd: Number | None
    """US dollars with at most 9 decimals."""
    unpriced_reason: str | None
    """no_price, no_part_price or no_usage."""
    duration_ms: int | None
    """End minus start in milliseconds."""
    ttft_ms: int | None
    """Time to the first token in milliseconds."""
    tokens_per_second: Number | None
    """Completion tokens over the duration."""
    streamed: bool | None
    """Whether the answer was streamed."""
    status_code: str | None
    """OK, ERROR or UNSET."""
    error_type: str | None
    """Class of the error."""
    error_message: str | None
    """Text of the error."""
    user_id: str | None
    """End user."""
    session_id: str | None
    """Conversation."""
    team_id: str | None
    """Team."""
    prompt_name: str | None
    """Prompt template."""
    environment: str | None
    """Deployment environment."""
    tags: list[str] | None
    """Tags."""
    tool_name: str | None
    """Tool called."""
    agent_name: str | None
    """Agent."""
    workflow_name: str | None
    """Workflow."""
    request_parameters: Any
    """Temperature, top_p, max_tokens and the like."""
    tools: Any
    """Tools offered to the model."""
    retrieval: Any
    """Query and documents of a retrieval."""
    attributes: Any
    """Every attribute that has no member of its own."""
    resource_attributes: Any
    """Attributes of the resource."""
    events: Any
    """Events of the span."""
    links: Any
    """Links to other spans."""
    scope: Any
    """Instrumentation scope that made the span."""
    mapping_sources: Any
    """Attribute name each member was read from."""
    service_tier: str | None
    """Tier the call was billed in: batch, flex, priority, or as sent."""
    usage_rule: str | None
    """inclusive, exclusive or exclusive_inferred."""
    redactions: Any
    """How often each detector found something, by detector."""
    notes: list[str] | None
    """What was changed on the way in: truncated, usage_clamped."""
    ingested_at: str | None
    """When the span arrived."""
    evaluations: list[Evaluation]
    feedback: list[Feedback]
    depth: int
    """0 for roots."""
    self_time_ms: int
    """Duration without the time in which a child ran."""
    subtree_cost_usd: Number | None
    """Cost of the counted spans of the subtree."""
    subtree_tokens: int
    """Tokens of the counted spans of the subtree."""
    on_critical_path: bool
    """Whether the end of the trace waited for this span."""


class TraceStatistics(TypedDict, total=False):
    total_count: int
    trace_count: int
    total_cost_usd: Number | None
    unpriced_requests: int
    total_tokens: int
    avg_duration_ms: Number | None
    min_duration_ms: int | None
    max_duration_ms: int | None
    success_count: int
    error_count: int
    success_rate: Number


class TracesListReply(TypedDict, total=False):
    status: str
    data: list[Span]
    pagination: Pagination
    meta: Meta


class TracesRetrieveReply(TypedDict, total=False):
    status: str
    data: Trace
    meta: Meta


class TracesSearchReply(TypedDict, total=False):
    status: str
    data: list[Span]
    pagination: Pagination
    meta: Meta


class TracesSpansReply(TypedDict, total=False):
    status: str
    data: list[TraceSpan]
    pagination: Pagination
    meta: Meta


class TracesStatsReply(TypedDict, total=False):
    status: str
    data: TraceStatistics
    meta: Meta


class UsersListReply(TypedDict, total=False):
    status: str
    data: list[UsersListReplyDataItem]
    pagination: Pagination
    meta: Meta


class UsersListReplyDataItem(TypedDict, total=False):
    user_id: str
    first_ts: str | None
    """Start of the first span. (value, time)"""
    last_ts: str | None
    """Start of the last span. (value, time)"""
    session_count: int | None
    """Sessions. (value, count)"""
    request_count: int
    """Requests: model calls, each once. (sum, count)"""
    error_count: int
    """Requests with status ERROR. (sum, count)"""
    error_rate: Number
    """Failed requests over all requests; 0 over none. (ratio, rate)"""
    total_tokens: int
    """Tokens of counted usage, each once. (sum, tokens)"""
    total_cost_usd: Number | None
    """Cost by the price book; `avg` is the mean of what has a price. (sum, USD)"""
    unpriced_requests: int
    """Spans that should have a cost and have none. (sum, count)"""
    traces_url: str
    """Where the spans behind the item are listed, newest first."""


Filter = Filter0 | Filter1
