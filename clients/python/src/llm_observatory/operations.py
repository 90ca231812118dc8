"""Made from openapi.yaml by `python clients/python/generate.py`; do not edit."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

from llm_observatory.shapes import (
    AcceptedMessage,
    AnomaliesReply,
    ApiKey,
    AuditListReply,
    Budget,
    BudgetHistory,
    Channel,
    ChannelsListReply,
    CostsAnalyticsReply,
    CostsAttributionReply,
    CostsBreakdownReply,
    CostsBudgetsCreateFilters,
    CostsBudgetsReply,
    CostsBudgetsUpdateFilters,
    CostsForecastReply,
    CostsPricesReply,
    CostsSummaryReply,
    CostsUnpricedReply,
    CreatedChannel,
    Evaluation,
    ExportAccepted,
    ExportJob,
    ExportJobsReply,
    ExportSchedule,
    ExportSchedulesReply,
    ExportStatistics,
    Feedback,
    Filter,
    IngestRejectedListReply,
    KeysListReply,
    Me,
    Member,
    MembersListReply,
    MetricsLabelsReply,
    MetricsLabelValuesReply,
    MetricsListReply,
    MetricsPerformanceReply,
    MetricsQualityReply,
    MetricsQueryFiltersItem,
    MetricsQueryHavingItem,
    MetricsQueryMetricsItem,
    MetricsQueryReply,
    MetricsQuerySortBy,
    MetricsSummaryReply,
    ModelsComparePostReply,
    ModelsCompareReply,
    NewApiKey,
    Number,
    OptimizationReply,
    Project,
    ProjectsCreateRetention,
    ProjectsListReply,
    ProjectsUpdateRetention,
    SessionsListReply,
    SessionsRetrieveReply,
    Ticket,
    TracesListReply,
    TracesRetrieveReply,
    TracesSearchReply,
    TracesSpansReply,
    TracesStatsReply,
    UsersListReply,
)
from llm_observatory.values import UNSET, Text, Unset, quoted


class Operations:
    """Every operation of the API, one method each."""

    if TYPE_CHECKING:

        def _call(self, method: str, path: str, **given: Any) -> Any: ...

    def anomalies(
        self,
        *,
        end_time: Text | None = None,
        fields: Text | None = None,
        limit: int | None = None,
        metric: Literal["requests", "error_rate", "latency_p95", "cost", "tokens_per_request"] | None = None,
        model: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        start_time: Text | None = None,
        status: Literal["open", "closed"] | None = None,
    ) -> AnomaliesReply:
        """Anomalies of the range, the newest first."""
        return cast(
            "AnomaliesReply",
            self._call(
                "GET",
                "/api/v1/anomalies",
                query={
                    "end_time": end_time,
                    "fields": fields,
                    "limit": limit,
                    "metric": metric,
                    "model": model,
                    "project_id": project_id,
                    "provider": provider,
                    "severity": severity,
                    "start_time": start_time,
                    "status": status,
                },
            ),
        )

    def audit_list(
        self,
        *,
        action: Literal["create", "read", "update", "delete", "export", "search", "login"] | None = None,
        cursor: Text | None = None,
        end_time: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        resource_id: Text | None = None,
        resource_type: Text | None = None,
        start_time: Text | None = None,
        success: Literal["true", "false"] | None = None,
        user_id: Text | None = None,
    ) -> AuditListReply:
        """The organisation's audit log."""
        return cast(
            "AuditListReply",
            self._call(
                "GET",
                "/api/v1/audit",
                query={
                    "action": action,
                    "cursor": cursor,
                    "end_time": end_time,
                    "include": include,
                    "limit": limit,
                    "resource_id": resource_id,
                    "resource_type": resource_type,
                    "start_time": start_time,
                    "success": success,
                    "user_id": user_id,
                },
            ),
        )

    def channels_list(self, *, limit: int | None = None, offset: int | None = None) -> ChannelsListReply:
        """The organisation's channels by name."""
        return cast(
            "ChannelsListReply", self._call("GET", "/api/v1/channels", query={"limit": limit, "offset": offset})
        )

    def channels_create(
        self,
        *,
        name: str,
        type: Literal["webhook", "email", "slack"],
        url: str | Unset = UNSET,
        addresses: list[str] | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> CreatedChannel:
        """The organisation's channels by name."""
        return cast(
            "CreatedChannel",
            self._call(
                "POST",
                "/api/v1/channels",
                body={"name": name, "type": type, "url": url, "addresses": addresses, "is_active": is_active},
            ),
        )

    def channels_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        url: str | Unset = UNSET,
        addresses: list[str] | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Channel:
        """One channel: changed, deleted with its messages."""
        return cast(
            "Channel",
            self._call(
                "PATCH",
                f"/api/v1/channels/{quoted(id)}",
                body={"name": name, "url": url, "addresses": addresses, "is_active": is_active},
            ),
        )

    def channels_delete(self, *, id: str) -> None:
        """One channel: changed, deleted with its messages."""
        self._call("DELETE", f"/api/v1/channels/{quoted(id)}")

    def channels_test(self, *, id: str) -> AcceptedMessage:
        """Sends a message through a channel that says that it works."""
        return cast("AcceptedMessage", self._call("POST", f"/api/v1/channels/{quoted(id)}/test"))

    def costs_analytics(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        group_by: Literal["provider", "model", "environment"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsAnalyticsReply:
        """Costs in total and over time."""
        return cast(
            "CostsAnalyticsReply",
            self._call(
                "GET",
                "/api/v1/costs/analytics",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "group_by": group_by,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def costs_attribution(
        self,
        *,
        dimension: Text,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        limit: int | None = None,
        min_cost: Decimal | float | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsAttributionReply:
        """What each user, team, tag, model … cost."""
        return cast(
            "CostsAttributionReply",
            self._call(
                "GET",
                "/api/v1/costs/attribution",
                query={
                    "dimension": dimension,
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "limit": limit,
                    "min_cost": min_cost,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def costs_breakdown(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsBreakdownReply:
        """Costs by model, user and provider, and over time."""
        return cast(
            "CostsBreakdownReply",
            self._call(
                "GET",
                "/api/v1/costs/breakdown",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def costs_budgets(
        self, *, limit: int | None = None, offset: int | None = None, project_id: Text | None = None
    ) -> CostsBudgetsReply:
        """Budgets in reach by name: of projects, and of the organisation for who reaches all of it."""
        return cast(
            "CostsBudgetsReply",
            self._call(
                "GET", "/api/v1/costs/budgets", query={"limit": limit, "offset": offset, "project_id": project_id}
            ),
        )

    def costs_budgets_create(
        self,
        *,
        name: str,
        amount: Number,
        period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"],
        project_id: str | None | Unset = UNSET,
        threshold_type: Literal["percentage", "absolute"] | Unset = UNSET,
        warning_threshold: Number | Unset = UNSET,
        critical_threshold: Number | Unset = UNSET,
        filters: CostsBudgetsCreateFilters | Unset = UNSET,
        hard_limit: bool | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Budget:
        """Budgets in reach by name: of projects, and of the organisation for who reaches all of it."""
        return cast(
            "Budget",
            self._call(
                "POST",
                "/api/v1/costs/budgets",
                body={
                    "name": name,
                    "amount": amount,
                    "period": period,
                    "project_id": project_id,
                    "threshold_type": threshold_type,
                    "warning_threshold": warning_threshold,
                    "critical_threshold": critical_threshold,
                    "filters": filters,
                    "hard_limit": hard_limit,
                    "is_active": is_active,
                },
            ),
        )

    def costs_budget(self, *, id: str) -> Budget:
        """One budget: read, changed, deleted."""
        return cast("Budget", self._call("GET", f"/api/v1/costs/budgets/{quoted(id)}"))

    def costs_budgets_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        amount: Number | Unset = UNSET,
        period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"] | Unset = UNSET,
        project_id: str | None | Unset = UNSET,
        threshold_type: Literal["percentage", "absolute"] | Unset = UNSET,
        warning_threshold: Number | Unset = UNSET,
        critical_threshold: Number | Unset = UNSET,
        filters: CostsBudgetsUpdateFilters | Unset = UNSET,
        hard_limit: bool | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Budget:
        """One budget: read, changed, deleted."""
        return cast(
            "Budget",
            self._call(
                "PATCH",
                f"/api/v1/costs/budgets/{quoted(id)}",
                body={
                    "name": name,
                    "amount": amount,
                    "period": period,
                    "project_id": project_id,
                    "threshold_type": threshold_type,
                    "warning_threshold": warning_threshold,
                    "critical_threshold": critical_threshold,
                    "filters": filters,
                    "hard_limit": hard_limit,
                    "is_active": is_active,
                },
            ),
        )

    def costs_budgets_delete(self, *, id: str) -> None:
        """One budget: read, changed, deleted."""
        self._call("DELETE", f"/api/v1/costs/budgets/{quoted(id)}")

    def costs_budget_history(self, *, id: str, limit: int | None = None) -> BudgetHistory:
        """The periods of a budget with their alerts, the newest first."""
        return cast(
            "BudgetHistory", self._call("GET", f"/api/v1/costs/budgets/{quoted(id)}/history", query={"limit": limit})
        )

    def costs_forecast(
        self,
        *,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        forecast_days: int | None = None,
        forecast_period: Literal["next_week", "next_month", "next_quarter", "custom"] | None = None,
        historical_end: Text | None = None,
        historical_start: Text | None = None,
        include_confidence_intervals: bool | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsForecastReply:
        """What will be spent, from the caller's own history."""
        return cast(
            "CostsForecastReply",
            self._call(
                "GET",
                "/api/v1/costs/forecast",
                query={
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "forecast_days": forecast_days,
                    "forecast_period": forecast_period,
                    "historical_end": historical_end,
                    "historical_start": historical_start,
                    "include_confidence_intervals": include_confidence_intervals,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def costs_prices(
        self,
        *,
        at: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        offset: int | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
    ) -> CostsPricesReply:
        """Rows of the price book: everybody's and the organisation's own."""
        return cast(
            "CostsPricesReply",
            self._call(
                "GET",
                "/api/v1/costs/prices",
                query={
                    "at": at,
                    "limit": limit,
                    "model": model,
                    "offset": offset,
                    "project_id": project_id,
                    "provider": provider,
                },
            ),
        )

    def costs_summary(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        include_top_traces: bool | None = None,
        include_trends: bool | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        top_limit: int | None = None,
        user_id: Text | None = None,
    ) -> CostsSummaryReply:
        """What was spent, on what, and where it is going."""
        return cast(
            "CostsSummaryReply",
            self._call(
                "GET",
                "/api/v1/costs/summary",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "include_top_traces": include_top_traces,
                    "include_trends": include_trends,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "top_limit": top_limit,
                    "user_id": user_id,
                },
            ),
        )

    def costs_unpriced(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsUnpricedReply:
        """What has no price."""
        return cast(
            "CostsUnpricedReply",
            self._call(
                "GET",
                "/api/v1/costs/unpriced",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def events_ticket(self) -> Ticket:
        """A ticket to one stream, for clients that cannot send headers."""
        return cast("Ticket", self._call("POST", "/api/v1/events/ticket", body={}))

    def export_jobs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        status: Literal["pending", "processing", "completed", "failed", "cancelled", "expired"] | None = None,
    ) -> ExportJobsReply:
        """Exports whose projects are all in reach, the newest first."""
        return cast(
            "ExportJobsReply",
            self._call("GET", "/api/v1/export/jobs", query={"limit": limit, "offset": offset, "status": status}),
        )

    def export_job(self, *, job_id: str) -> ExportJob:
        """One export."""
        return cast("ExportJob", self._call("GET", f"/api/v1/export/jobs/{quoted(job_id)}"))

    def export_cancel(self, *, job_id: str) -> None:
        """One export."""
        self._call("DELETE", f"/api/v1/export/jobs/{quoted(job_id)}")

    def export_schedules(self, *, limit: int | None = None, offset: int | None = None) -> ExportSchedulesReply:
        """Schedules whose projects are all in reach, by name."""
        return cast(
            "ExportSchedulesReply",
            self._call("GET", "/api/v1/export/schedules", query={"limit": limit, "offset": offset}),
        )

    def export_schedule_create(
        self,
        *,
        prefix: str,
        name: str,
        every: Literal["daily", "weekly"],
        format: Literal["csv", "json", "jsonl", "parquet"],
        enabled: bool | Unset = UNSET,
        next_day: str | Unset = UNSET,
        keep_days: int | None | Unset = UNSET,
        compression: Literal["none", "gzip"] | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        scope: Literal["all", "calls", "roots"] | Unset = UNSET,
        provider: str | Unset = UNSET,
        model: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        session_id: str | Unset = UNSET,
        environment: str | Unset = UNSET,
        status_code: Literal["OK", "ERROR", "UNSET", "success", "error"] | Unset = UNSET,
        filter: Filter | None | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
    ) -> ExportSchedule:
        """Schedules whose projects are all in reach, by name."""
        return cast(
            "ExportSchedule",
            self._call(
                "POST",
                "/api/v1/export/schedules",
                body={
                    "prefix": prefix,
                    "name": name,
                    "every": every,
                    "enabled": enabled,
                    "next_day": next_day,
                    "keep_days": keep_days,
                    "format": format,
                    "compression": compression,
                    "project_id": project_id,
                    "scope": scope,
                    "provider": provider,
                    "model": model,
                    "user_id": user_id,
                    "session_id": session_id,
                    "environment": environment,
                    "status_code": status_code,
                    "filter": filter,
                    "fields": fields,
                },
            ),
        )

    def export_schedule(self, *, schedule_id: str) -> ExportSchedule:
        """One schedule. What it selects and writes stays: the files of a folder are alike."""
        return cast("ExportSchedule", self._call("GET", f"/api/v1/export/schedules/{quoted(schedule_id)}"))

    def export_schedule_change(
        self,
        *,
        schedule_id: str,
        name: str | Unset = UNSET,
        every: Literal["daily", "weekly"] | Unset = UNSET,
        enabled: bool | Unset = UNSET,
        next_day: str | Unset = UNSET,
        keep_days: int | None | Unset = UNSET,
    ) -> ExportSchedule:
        """One schedule. What it selects and writes stays: the files of a folder are alike."""
        return cast(
            "ExportSchedule",
            self._call(
                "PATCH",
                f"/api/v1/export/schedules/{quoted(schedule_id)}",
                body={"name": name, "every": every, "enabled": enabled, "next_day": next_day, "keep_days": keep_days},
            ),
        )

    def export_schedule_delete(self, *, schedule_id: str) -> None:
        """One schedule. What it selects and writes stays: the files of a folder are alike."""
        self._call("DELETE", f"/api/v1/export/schedules/{quoted(schedule_id)}")

    def export_statistics(self, *, days: int | None = None) -> ExportStatistics:
        """Figures over the exports in reach."""
        return cast("ExportStatistics", self._call("GET", "/api/v1/export/statistics", query={"days": days}))

    def export_traces(
        self,
        *,
        format: Literal["csv", "json", "jsonl", "parquet"],
        compression: Literal["none", "gzip"] | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        scope: Literal["all", "calls", "roots"] | Unset = UNSET,
        provider: str | Unset = UNSET,
        model: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        session_id: str | Unset = UNSET,
        environment: str | Unset = UNSET,
        status_code: Literal["OK", "ERROR", "UNSET", "success", "error"] | Unset = UNSET,
        filter: Filter | None | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ExportAccepted:
        """Begins an export of spans."""
        return cast(
            "ExportAccepted",
            self._call(
                "POST",
                "/api/v1/export/traces",
                body={
                    "format": format,
                    "compression": compression,
                    "project_id": project_id,
                    "scope": scope,
                    "provider": provider,
                    "model": model,
                    "user_id": user_id,
                    "session_id": session_id,
                    "environment": environment,
                    "status_code": status_code,
                    "filter": filter,
                    "fields": fields,
                    "start_time": start_time,
                    "end_time": end_time,
                    "limit": limit,
                },
            ),
        )

    def ingest_rejected_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        include: Literal["total"] | None = None,
        limit: int | None = None,
        project_id: Text | None = None,
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
        | None = None,
        start_time: Text | None = None,
    ) -> IngestRejectedListReply:
        """Spans that were set aside and requests that were refused whole, newest first, a page at a time."""
        return cast(
            "IngestRejectedListReply",
            self._call(
                "GET",
                "/api/v1/ingest/rejected",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "include": include,
                    "limit": limit,
                    "project_id": project_id,
                    "reason": reason,
                    "start_time": start_time,
                },
            ),
        )

    def keys_list(self, *, limit: int | None = None, offset: int | None = None) -> KeysListReply:
        """Keys of the organisation, the newest first; a new one shows its secret once."""
        return cast("KeysListReply", self._call("GET", "/api/v1/keys", query={"limit": limit, "offset": offset}))

    def keys_create(
        self,
        *,
        name: str,
        projects: list[str],
        permissions: list[str],
        rate_limit_tier: Literal["admin", "developer", "viewer", "billing"] | Unset = UNSET,
        allowed_ips: list[str] | Unset = UNSET,
        expires_at: str | None | Unset = UNSET,
        environment: Literal["live", "test"] | Unset = UNSET,
        signing: Literal["off", "required"] | Unset = UNSET,
    ) -> NewApiKey:
        """Keys of the organisation, the newest first; a new one shows its secret once."""
        return cast(
            "NewApiKey",
            self._call(
                "POST",
                "/api/v1/keys",
                body={
                    "name": name,
                    "projects": projects,
                    "permissions": permissions,
                    "rate_limit_tier": rate_limit_tier,
                    "allowed_ips": allowed_ips,
                    "expires_at": expires_at,
                    "environment": environment,
                    "signing": signing,
                },
            ),
        )

    def keys_retrieve(self, *, id: str) -> ApiKey:
        """One key: read, changed, revoked."""
        return cast("ApiKey", self._call("GET", f"/api/v1/keys/{quoted(id)}"))

    def keys_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        projects: list[str] | Unset = UNSET,
        permissions: list[str] | Unset = UNSET,
        rate_limit_tier: Literal["admin", "developer", "viewer", "billing"] | Unset = UNSET,
        allowed_ips: list[str] | Unset = UNSET,
        expires_at: str | None | Unset = UNSET,
    ) -> ApiKey:
        """One key: read, changed, revoked."""
        return cast(
            "ApiKey",
            self._call(
                "PATCH",
                f"/api/v1/keys/{quoted(id)}",
                body={
                    "name": name,
                    "projects": projects,
                    "permissions": permissions,
                    "rate_limit_tier": rate_limit_tier,
                    "allowed_ips": allowed_ips,
                    "expires_at": expires_at,
                },
            ),
        )

    def keys_revoke(self, *, id: str) -> None:
        """One key: read, changed, revoked."""
        self._call("DELETE", f"/api/v1/keys/{quoted(id)}")

    def keys_rotate(self, *, id: str, overlap_seconds: int | Unset = UNSET) -> NewApiKey:
        """New secrets for a key; the old one works on for a while."""
        return cast(
            "NewApiKey",
            self._call("POST", f"/api/v1/keys/{quoted(id)}/rotate", body={"overlap_seconds": overlap_seconds}),
        )

    def me(self) -> Me:
        """The caller: organisation, role, projects, permissions, tier."""
        return cast("Me", self._call("GET", "/api/v1/me"))

    def members_list(self, *, limit: int | None = None, offset: int | None = None) -> MembersListReply:
        """Members of the organisation, in the order in which they came."""
        return cast("MembersListReply", self._call("GET", "/api/v1/members", query={"limit": limit, "offset": offset}))

    def members_create(
        self,
        *,
        email: str,
        role: Literal["admin", "developer", "viewer", "billing"],
        projects: list[str] | Unset = UNSET,
    ) -> Member:
        """Members of the organisation, in the order in which they came."""
        return cast(
            "Member", self._call("POST", "/api/v1/members", body={"email": email, "role": role, "projects": projects})
        )

    def members_retrieve(self, *, id: str) -> Member:
        """One member: read, changed, removed."""
        return cast("Member", self._call("GET", f"/api/v1/members/{quoted(id)}"))

    def members_update(
        self,
        *,
        id: str,
        role: Literal["admin", "developer", "viewer", "billing"] | Unset = UNSET,
        projects: list[str] | Unset = UNSET,
    ) -> Member:
        """One member: read, changed, removed."""
        return cast(
            "Member", self._call("PATCH", f"/api/v1/members/{quoted(id)}", body={"role": role, "projects": projects})
        )

    def members_remove(self, *, id: str) -> None:
        """One member: read, changed, removed."""
        self._call("DELETE", f"/api/v1/members/{quoted(id)}")

    def metrics_list(
        self,
        *,
        aggregation: Literal[
            "avg", "sum", "min", "max", "count", "p50", "p90", "p95", "p99", "average", "total", "median"
        ]
        | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        fill: Literal["none", "zero", "previous"] | None = None,
        group_by: Text | None = None,
        include_percentiles: bool | None = None,
        interval: Literal[
            "1min",
            "1m",
            "1minute",
            "one_minute",
            "5min",
            "5m",
            "5minutes",
            "five_minutes",
            "1hour",
            "1h",
            "1hr",
            "one_hour",
            "1day",
            "1d",
            "one_day",
            "all",
        ]
        | None = None,
        metrics: Text,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsListReply:
        """Metrics by dimensions over time, newest bucket first."""
        return cast(
            "MetricsListReply",
            self._call(
                "GET",
                "/api/v1/metrics",
                query={
                    "aggregation": aggregation,
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "fill": fill,
                    "group_by": group_by,
                    "include_percentiles": include_percentiles,
                    "interval": interval,
                    "metrics": metrics,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def metrics_labels(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsLabelsReply:
        """What figures can be grouped and narrowed by."""
        return cast(
            "MetricsLabelsReply",
            self._call(
                "GET",
                "/api/v1/metrics/labels",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def metrics_label_values(
        self,
        *,
        name: str,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        prefix: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsLabelValuesReply:
        """The values of one label, most frequent first."""
        return cast(
            "MetricsLabelValuesReply",
            self._call(
                "GET",
                f"/api/v1/metrics/labels/{quoted(name)}/values",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "limit": limit,
                    "model": model,
                    "operation_name": operation_name,
                    "prefix": prefix,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def metrics_performance(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsPerformanceReply:
        """Latency, errors and throughput of model calls, in total and over time."""
        return cast(
            "MetricsPerformanceReply",
            self._call(
                "GET",
                "/api/v1/metrics/performance",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def metrics_quality(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsQualityReply:
        """How many requests succeed, and what goes wrong with the others."""
        return cast(
            "MetricsQualityReply",
            self._call(
                "GET",
                "/api/v1/metrics/quality",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def metrics_query(
        self,
        *,
        metrics: list[MetricsQueryMetricsItem],
        interval: Literal[
            "1min",
            "1m",
            "1minute",
            "one_minute",
            "5min",
            "5m",
            "5minutes",
            "five_minutes",
            "1hour",
            "1h",
            "1hr",
            "one_hour",
            "1day",
            "1d",
            "one_day",
            "all",
        ]
        | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        group_by: list[str] | Unset = UNSET,
        filters: list[MetricsQueryFiltersItem] | Unset = UNSET,
        having: list[MetricsQueryHavingItem] | Unset = UNSET,
        sort_by: MetricsQuerySortBy | Unset = UNSET,
        limit: int | Unset = UNSET,
        other: bool | Unset = UNSET,
        explain: bool | Unset = UNSET,
    ) -> MetricsQueryReply:
        """Metrics by dimensions with conditions, order and a row for the rest."""
        return cast(
            "MetricsQueryReply",
            self._call(
                "POST",
                "/api/v1/metrics/query",
                body={
                    "metrics": metrics,
                    "interval": interval,
                    "start_time": start_time,
                    "end_time": end_time,
                    "project_id": project_id,
                    "group_by": group_by,
                    "filters": filters,
                    "having": having,
                    "sort_by": sort_by,
                    "limit": limit,
                    "other": other,
                    "explain": explain,
                },
            ),
        )

    def metrics_summary(
        self,
        *,
        compare_previous_period: bool | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsSummaryReply:
        """A period beside the one before it."""
        return cast(
            "MetricsSummaryReply",
            self._call(
                "GET",
                "/api/v1/metrics/summary",
                query={
                    "compare_previous_period": compare_previous_period,
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def models_compare(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        metrics: Text | None = None,
        model: Text | None = None,
        models: Text,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> ModelsCompareReply:
        """Models beside each other, and which does best in what."""
        return cast(
            "ModelsCompareReply",
            self._call(
                "GET",
                "/api/v1/models/compare",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "metrics": metrics,
                    "model": model,
                    "models": models,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def models_compare_post(
        self,
        *,
        models: list[str],
        metrics: list[Literal["latency", "cost", "quality", "throughput", "token_usage"]] | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        provider: str | Unset = UNSET,
        model: str | Unset = UNSET,
        environment: str | Unset = UNSET,
        service_name: str | Unset = UNSET,
        operation_name: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        team_id: str | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
    ) -> ModelsComparePostReply:
        """Models beside each other, and which does best in what."""
        return cast(
            "ModelsComparePostReply",
            self._call(
                "POST",
                "/api/v1/models/compare",
                body={
                    "models": models,
                    "metrics": metrics,
                    "start_time": start_time,
                    "end_time": end_time,
                    "project_id": project_id,
                    "provider": provider,
                    "model": model,
                    "environment": environment,
                    "service_name": service_name,
                    "operation_name": operation_name,
                    "user_id": user_id,
                    "team_id": team_id,
                    "fields": fields,
                },
            ),
        )

    def optimization(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> OptimizationReply:
        """What could be better, with the numbers behind it."""
        return cast(
            "OptimizationReply",
            self._call(
                "GET",
                "/api/v1/optimization",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def projects_list(self, *, limit: int | None = None, offset: int | None = None) -> ProjectsListReply:
        """Projects that the caller reaches, by slug."""
        return cast(
            "ProjectsListReply", self._call("GET", "/api/v1/projects", query={"limit": limit, "offset": offset})
        )

    def projects_create(
        self,
        *,
        name: str,
        slug: str,
        is_public: bool | Unset = UNSET,
        archived: bool | Unset = UNSET,
        content_capture: Literal["full", "none"] | Unset = UNSET,
        redaction: dict[str, Any] | Unset = UNSET,
        retention: ProjectsCreateRetention | Unset = UNSET,
        usage_exclusive_scopes: list[str] | Unset = UNSET,
    ) -> Project:
        """Projects that the caller reaches, by slug."""
        return cast(
            "Project",
            self._call(
                "POST",
                "/api/v1/projects",
                body={
                    "name": name,
                    "slug": slug,
                    "is_public": is_public,
                    "archived": archived,
                    "content_capture": content_capture,
                    "redaction": redaction,
                    "retention": retention,
                    "usage_exclusive_scopes": usage_exclusive_scopes,
                },
            ),
        )

    def projects_retrieve(self, *, id: str) -> Project:
        """One project: read, changed."""
        return cast("Project", self._call("GET", f"/api/v1/projects/{quoted(id)}"))

    def projects_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        slug: str | Unset = UNSET,
        is_public: bool | Unset = UNSET,
        archived: bool | Unset = UNSET,
        content_capture: Literal["full", "none"] | Unset = UNSET,
        redaction: dict[str, Any] | Unset = UNSET,
        retention: ProjectsUpdateRetention | Unset = UNSET,
        usage_exclusive_scopes: list[str] | Unset = UNSET,
    ) -> Project:
        """One project: read, changed."""
        return cast(
            "Project",
            self._call(
                "PATCH",
                f"/api/v1/projects/{quoted(id)}",
                body={
                    "name": name,
                    "slug": slug,
                    "is_public": is_public,
                    "archived": archived,
                    "content_capture": content_capture,
                    "redaction": redaction,
                    "retention": retention,
                    "usage_exclusive_scopes": usage_exclusive_scopes,
                },
            ),
        )

    def sessions_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        sort_by: Literal["last_ts", "first_ts", "total_cost_usd", "request_count"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> SessionsListReply:
        """Sessions, a page at a time."""
        return cast(
            "SessionsListReply",
            self._call(
                "GET",
                "/api/v1/sessions",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "sort_by": sort_by,
                    "sort_order": sort_order,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    def sessions_retrieve(
        self,
        *,
        session_id: str,
        end_time: Text | None = None,
        fields: Text | None = None,
        project_id: Text | None = None,
        start_time: Text | None = None,
    ) -> SessionsRetrieveReply:
        """One session with its traces."""
        return cast(
            "SessionsRetrieveReply",
            self._call(
                "GET",
                f"/api/v1/sessions/{quoted(session_id)}",
                query={"end_time": end_time, "fields": fields, "project_id": project_id, "start_time": start_time},
            ),
        )

    def traces_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        max_cost: Decimal | float | None = None,
        max_duration: int | None = None,
        max_duration_ms: int | None = None,
        max_tokens: int | None = None,
        min_cost: Decimal | float | None = None,
        min_duration: int | None = None,
        min_duration_ms: int | None = None,
        min_tokens: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        q: Text | None = None,
        scope: Literal["all", "calls", "roots"] | None = None,
        search: Text | None = None,
        service_name: Text | None = None,
        session_id: Text | None = None,
        sort_by: Literal[
            "ts",
            "trace_id",
            "span_id",
            "provider",
            "model",
            "total_tokens",
            "total_cost_usd",
            "duration_ms",
            "ttft_ms",
            "status_code",
            "environment",
            "cost",
            "latency_ms",
            "time_to_first_token_ms",
            "status",
            "relevance",
        ]
        | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        start_time: Text | None = None,
        status: Literal["OK", "ERROR", "UNSET", "success", "error"] | None = None,
        tags: Text | None = None,
        team_id: Text | None = None,
        trace_id: Text | None = None,
        user_id: Text | None = None,
    ) -> TracesListReply:
        """Spans, newest first, a page at a time."""
        return cast(
            "TracesListReply",
            self._call(
                "GET",
                "/api/v1/traces",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "max_cost": max_cost,
                    "max_duration": max_duration,
                    "max_duration_ms": max_duration_ms,
                    "max_tokens": max_tokens,
                    "min_cost": min_cost,
                    "min_duration": min_duration,
                    "min_duration_ms": min_duration_ms,
                    "min_tokens": min_tokens,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "q": q,
                    "scope": scope,
                    "search": search,
                    "service_name": service_name,
                    "session_id": session_id,
                    "sort_by": sort_by,
                    "sort_order": sort_order,
                    "start_time": start_time,
                    "status": status,
                    "tags": tags,
                    "team_id": team_id,
                    "trace_id": trace_id,
                    "user_id": user_id,
                },
            ),
        )

    def traces_retrieve(
        self, *, trace_id: str, fields: Text | None = None, include: Text | None = None, project_id: Text | None = None
    ) -> TracesRetrieveReply:
        """One trace: its root span with the figures of the whole."""
        return cast(
            "TracesRetrieveReply",
            self._call(
                "GET",
                f"/api/v1/traces/{quoted(trace_id)}",
                query={"fields": fields, "include": include, "project_id": project_id},
            ),
        )

    def traces_evaluations(
        self,
        *,
        trace_id: str,
        evaluator_name: str,
        score: Number | Unset = UNSET,
        passed: bool | Unset = UNSET,
        label: str | Unset = UNSET,
        explanation: str | Unset = UNSET,
        span_id: str | Unset = UNSET,
    ) -> Evaluation:
        """Keeps what an evaluator found of a trace."""
        return cast(
            "Evaluation",
            self._call(
                "POST",
                f"/api/v1/traces/{quoted(trace_id)}/evaluations",
                body={
                    "evaluator_name": evaluator_name,
                    "score": score,
                    "passed": passed,
                    "label": label,
                    "explanation": explanation,
                    "span_id": span_id,
                },
            ),
        )

    def traces_feedback(
        self,
        *,
        trace_id: str,
        score: Number,
        span_id: str | Unset = UNSET,
        resolved: bool | Unset = UNSET,
        comment: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        labels: list[str] | Unset = UNSET,
    ) -> Feedback:
        """Keeps what a user said about a trace."""
        return cast(
            "Feedback",
            self._call(
                "POST",
                f"/api/v1/traces/{quoted(trace_id)}/feedback",
                body={
                    "score": score,
                    "span_id": span_id,
                    "resolved": resolved,
                    "comment": comment,
                    "user_id": user_id,
                    "labels": labels,
                },
            ),
        )

    def traces_spans(
        self,
        *,
        trace_id: str,
        cursor: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        project_id: Text | None = None,
    ) -> TracesSpansReply:
        """The spans of one trace, earliest first, each with its place in the tree."""
        return cast(
            "TracesSpansReply",
            self._call(
                "GET",
                f"/api/v1/traces/{quoted(trace_id)}/spans",
                query={
                    "cursor": cursor,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "project_id": project_id,
                },
            ),
        )

    def traces_search(
        self,
        *,
        filter: Filter | None | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        scope: Literal["all", "calls", "roots"] | Unset = UNSET,
        sort_by: Literal[
            "ts",
            "trace_id",
            "span_id",
            "provider",
            "model",
            "total_tokens",
            "total_cost_usd",
            "duration_ms",
            "ttft_ms",
            "status_code",
            "environment",
            "cost",
            "latency_ms",
            "time_to_first_token_ms",
            "status",
            "relevance",
        ]
        | Unset = UNSET,
        sort_desc: bool | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | None | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
        include: list[Literal["children", "evaluations", "feedback", "highlights", "total"]] | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
    ) -> TracesSearchReply:
        """Spans that an expression of the filter language finds, oldest first, a page at a time."""
        return cast(
            "TracesSearchReply",
            self._call(
                "POST",
                "/api/v1/traces/search",
                body={
                    "filter": filter,
                    "start_time": start_time,
                    "end_time": end_time,
                    "scope": scope,
                    "sort_by": sort_by,
                    "sort_desc": sort_desc,
                    "limit": limit,
                    "cursor": cursor,
                    "fields": fields,
                    "include": include,
                    "project_id": project_id,
                },
            ),
        )

    def traces_stats(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        max_cost: Decimal | float | None = None,
        max_duration: int | None = None,
        max_duration_ms: int | None = None,
        max_tokens: int | None = None,
        min_cost: Decimal | float | None = None,
        min_duration: int | None = None,
        min_duration_ms: int | None = None,
        min_tokens: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        q: Text | None = None,
        scope: Literal["all", "calls", "roots"] | None = None,
        search: Text | None = None,
        service_name: Text | None = None,
        session_id: Text | None = None,
        start_time: Text | None = None,
        status: Literal["OK", "ERROR", "UNSET", "success", "error"] | None = None,
        tags: Text | None = None,
        team_id: Text | None = None,
        trace_id: Text | None = None,
        user_id: Text | None = None,
    ) -> TracesStatsReply:
        """Figures over the spans of a list."""
        return cast(
            "TracesStatsReply",
            self._call(
                "GET",
                "/api/v1/traces/stats",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "max_cost": max_cost,
                    "max_duration": max_duration,
                    "max_duration_ms": max_duration_ms,
                    "max_tokens": max_tokens,
                    "min_cost": min_cost,
                    "min_duration": min_duration,
                    "min_duration_ms": min_duration_ms,
                    "min_tokens": min_tokens,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "q": q,
                    "scope": scope,
                    "search": search,
                    "service_name": service_name,
                    "session_id": session_id,
                    "start_time": start_time,
                    "status": status,
                    "tags": tags,
                    "team_id": team_id,
                    "trace_id": trace_id,
                    "user_id": user_id,
                },
            ),
        )

    def users_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        sort_by: Literal["last_ts", "first_ts", "total_cost_usd", "request_count", "error_rate"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> UsersListReply:
        """End users, a page at a time."""
        return cast(
            "UsersListReply",
            self._call(
                "GET",
                "/api/v1/users",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "sort_by": sort_by,
                    "sort_order": sort_order,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )


class AsyncOperations:
    """Every operation of the API, one coroutine each."""

    if TYPE_CHECKING:

        async def _call(self, method: str, path: str, **given: Any) -> Any: ...

    async def anomalies(
        self,
        *,
        end_time: Text | None = None,
        fields: Text | None = None,
        limit: int | None = None,
        metric: Literal["requests", "error_rate", "latency_p95", "cost", "tokens_per_request"] | None = None,
        model: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        start_time: Text | None = None,
        status: Literal["open", "closed"] | None = None,
    ) -> AnomaliesReply:
        """Anomalies of the range, the newest first."""
        return cast(
            "AnomaliesReply",
            await self._call(
                "GET",
                "/api/v1/anomalies",
                query={
                    "end_time": end_time,
                    "fields": fields,
                    "limit": limit,
                    "metric": metric,
                    "model": model,
                    "project_id": project_id,
                    "provider": provider,
                    "severity": severity,
                    "start_time": start_time,
                    "status": status,
                },
            ),
        )

    async def audit_list(
        self,
        *,
        action: Literal["create", "read", "update", "delete", "export", "search", "login"] | None = None,
        cursor: Text | None = None,
        end_time: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        resource_id: Text | None = None,
        resource_type: Text | None = None,
        start_time: Text | None = None,
        success: Literal["true", "false"] | None = None,
        user_id: Text | None = None,
    ) -> AuditListReply:
        """The organisation's audit log."""
        return cast(
            "AuditListReply",
            await self._call(
                "GET",
                "/api/v1/audit",
                query={
                    "action": action,
                    "cursor": cursor,
                    "end_time": end_time,
                    "include": include,
                    "limit": limit,
                    "resource_id": resource_id,
                    "resource_type": resource_type,
                    "start_time": start_time,
                    "success": success,
                    "user_id": user_id,
                },
            ),
        )

    async def channels_list(self, *, limit: int | None = None, offset: int | None = None) -> ChannelsListReply:
        """The organisation's channels by name."""
        return cast(
            "ChannelsListReply", await self._call("GET", "/api/v1/channels", query={"limit": limit, "offset": offset})
        )

    async def channels_create(
        self,
        *,
        name: str,
        type: Literal["webhook", "email", "slack"],
        url: str | Unset = UNSET,
        addresses: list[str] | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> CreatedChannel:
        """The organisation's channels by name."""
        return cast(
            "CreatedChannel",
            await self._call(
                "POST",
                "/api/v1/channels",
                body={"name": name, "type": type, "url": url, "addresses": addresses, "is_active": is_active},
            ),
        )

    async def channels_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        url: str | Unset = UNSET,
        addresses: list[str] | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Channel:
        """One channel: changed, deleted with its messages."""
        return cast(
            "Channel",
            await self._call(
                "PATCH",
                f"/api/v1/channels/{quoted(id)}",
                body={"name": name, "url": url, "addresses": addresses, "is_active": is_active},
            ),
        )

    async def channels_delete(self, *, id: str) -> None:
        """One channel: changed, deleted with its messages."""
        await self._call("DELETE", f"/api/v1/channels/{quoted(id)}")

    async def channels_test(self, *, id: str) -> AcceptedMessage:
        """Sends a message through a channel that says that it works."""
        return cast("AcceptedMessage", await self._call("POST", f"/api/v1/channels/{quoted(id)}/test"))

    async def costs_analytics(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        group_by: Literal["provider", "model", "environment"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsAnalyticsReply:
        """Costs in total and over time."""
        return cast(
            "CostsAnalyticsReply",
            await self._call(
                "GET",
                "/api/v1/costs/analytics",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "group_by": group_by,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def costs_attribution(
        self,
        *,
        dimension: Text,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        limit: int | None = None,
        min_cost: Decimal | float | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsAttributionReply:
        """What each user, team, tag, model … cost."""
        return cast(
            "CostsAttributionReply",
            await self._call(
                "GET",
                "/api/v1/costs/attribution",
                query={
                    "dimension": dimension,
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "limit": limit,
                    "min_cost": min_cost,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def costs_breakdown(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsBreakdownReply:
        """Costs by model, user and provider, and over time."""
        return cast(
            "CostsBreakdownReply",
            await self._call(
                "GET",
                "/api/v1/costs/breakdown",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def costs_budgets(
        self, *, limit: int | None = None, offset: int | None = None, project_id: Text | None = None
    ) -> CostsBudgetsReply:
        """Budgets in reach by name: of projects, and of the organisation for who reaches all of it."""
        return cast(
            "CostsBudgetsReply",
            await self._call(
                "GET", "/api/v1/costs/budgets", query={"limit": limit, "offset": offset, "project_id": project_id}
            ),
        )

    async def costs_budgets_create(
        self,
        *,
        name: str,
        amount: Number,
        period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"],
        project_id: str | None | Unset = UNSET,
        threshold_type: Literal["percentage", "absolute"] | Unset = UNSET,
        warning_threshold: Number | Unset = UNSET,
        critical_threshold: Number | Unset = UNSET,
        filters: CostsBudgetsCreateFilters | Unset = UNSET,
        hard_limit: bool | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Budget:
        """Budgets in reach by name: of projects, and of the organisation for who reaches all of it."""
        return cast(
            "Budget",
            await self._call(
                "POST",
                "/api/v1/costs/budgets",
                body={
                    "name": name,
                    "amount": amount,
                    "period": period,
                    "project_id": project_id,
                    "threshold_type": threshold_type,
                    "warning_threshold": warning_threshold,
                    "critical_threshold": critical_threshold,
                    "filters": filters,
                    "hard_limit": hard_limit,
                    "is_active": is_active,
                },
            ),
        )

    async def costs_budget(self, *, id: str) -> Budget:
        """One budget: read, changed, deleted."""
        return cast("Budget", await self._call("GET", f"/api/v1/costs/budgets/{quoted(id)}"))

    async def costs_budgets_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        amount: Number | Unset = UNSET,
        period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"] | Unset = UNSET,
        project_id: str | None | Unset = UNSET,
        threshold_type: Literal["percentage", "absolute"] | Unset = UNSET,
        warning_threshold: Number | Unset = UNSET,
        critical_threshold: Number | Unset = UNSET,
        filters: CostsBudgetsUpdateFilters | Unset = UNSET,
        hard_limit: bool | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Budget:
        """One budget: read, changed, deleted."""
        return cast(
            "Budget",
            await self._call(
                "PATCH",
                f"/api/v1/costs/budgets/{quoted(id)}",
                body={
                    "name": name,
                    "amount": amount,
                    "period": period,
                    "project_id": project_id,
                    "threshold_type": threshold_type,
                    "warning_threshold": warning_threshold,
                    "critical_threshold": critical_threshold,
                    "filters": filters,
                    "hard_limit": hard_limit,
                    "is_active": is_active,
                },
            ),
        )

    async def costs_budgets_delete(self, *, id: str) -> None:
        """One budget: read, changed, deleted."""
        await self._call("DELETE", f"/api/v1/costs/budgets/{quoted(id)}")

    async def costs_budget_history(self, *, id: str, limit: int | None = None) -> BudgetHistory:
        """The periods of a budget with their alerts, the newest first."""
        return cast(
            "BudgetHistory",
            await self._call("GET", f"/api/v1/costs/budgets/{quoted(id)}/history", query={"limit": limit}),
        )

    async def costs_forecast(
        self,
        *,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        forecast_days: int | None = None,
        forecast_period: Literal["next_week", "next_month", "next_quarter", "custom"] | None = None,
        historical_end: Text | None = None,
        historical_start: Text | None = None,
        include_confidence_intervals: bool | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsForecastReply:
        """What will be spent, from the caller's own history."""
        return cast(
            "CostsForecastReply",
            await self._call(
                "GET",
                "/api/v1/costs/forecast",
                query={
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "forecast_days": forecast_days,
                    "forecast_period": forecast_period,
                    "historical_end": historical_end,
                    "historical_start": historical_start,
                    "include_confidence_intervals": include_confidence_intervals,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def costs_prices(
        self,
        *,
        at: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        offset: int | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
    ) -> CostsPricesReply:
        """Rows of the price book: everybody's and the organisation's own."""
        return cast(
            "CostsPricesReply",
            await self._call(
                "GET",
                "/api/v1/costs/prices",
                query={
                    "at": at,
                    "limit": limit,
                    "model": model,
                    "offset": offset,
                    "project_id": project_id,
                    "provider": provider,
                },
            ),
        )

    async def costs_summary(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        include_top_traces: bool | None = None,
        include_trends: bool | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        top_limit: int | None = None,
        user_id: Text | None = None,
    ) -> CostsSummaryReply:
        """What was spent, on what, and where it is going."""
        return cast(
            "CostsSummaryReply",
            await self._call(
                "GET",
                "/api/v1/costs/summary",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "include_top_traces": include_top_traces,
                    "include_trends": include_trends,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "top_limit": top_limit,
                    "user_id": user_id,
                },
            ),
        )

    async def costs_unpriced(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> CostsUnpricedReply:
        """What has no price."""
        return cast(
            "CostsUnpricedReply",
            await self._call(
                "GET",
                "/api/v1/costs/unpriced",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def events_ticket(self) -> Ticket:
        """A ticket to one stream, for clients that cannot send headers."""
        return cast("Ticket", await self._call("POST", "/api/v1/events/ticket", body={}))

    async def export_jobs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        status: Literal["pending", "processing", "completed", "failed", "cancelled", "expired"] | None = None,
    ) -> ExportJobsReply:
        """Exports whose projects are all in reach, the newest first."""
        return cast(
            "ExportJobsReply",
            await self._call("GET", "/api/v1/export/jobs", query={"limit": limit, "offset": offset, "status": status}),
        )

    async def export_job(self, *, job_id: str) -> ExportJob:
        """One export."""
        return cast("ExportJob", await self._call("GET", f"/api/v1/export/jobs/{quoted(job_id)}"))

    async def export_cancel(self, *, job_id: str) -> None:
        """One export."""
        await self._call("DELETE", f"/api/v1/export/jobs/{quoted(job_id)}")

    async def export_schedules(self, *, limit: int | None = None, offset: int | None = None) -> ExportSchedulesReply:
        """Schedules whose projects are all in reach, by name."""
        return cast(
            "ExportSchedulesReply",
            await self._call("GET", "/api/v1/export/schedules", query={"limit": limit, "offset": offset}),
        )

    async def export_schedule_create(
        self,
        *,
        prefix: str,
        name: str,
        every: Literal["daily", "weekly"],
        format: Literal["csv", "json", "jsonl", "parquet"],
        enabled: bool | Unset = UNSET,
        next_day: str | Unset = UNSET,
        keep_days: int | None | Unset = UNSET,
        compression: Literal["none", "gzip"] | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        scope: Literal["all", "calls", "roots"] | Unset = UNSET,
        provider: str | Unset = UNSET,
        model: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        session_id: str | Unset = UNSET,
        environment: str | Unset = UNSET,
        status_code: Literal["OK", "ERROR", "UNSET", "success", "error"] | Unset = UNSET,
        filter: Filter | None | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
    ) -> ExportSchedule:
        """Schedules whose projects are all in reach, by name."""
        return cast(
            "ExportSchedule",
            await self._call(
                "POST",
                "/api/v1/export/schedules",
                body={
                    "prefix": prefix,
                    "name": name,
                    "every": every,
                    "enabled": enabled,
                    "next_day": next_day,
                    "keep_days": keep_days,
                    "format": format,
                    "compression": compression,
                    "project_id": project_id,
                    "scope": scope,
                    "provider": provider,
                    "model": model,
                    "user_id": user_id,
                    "session_id": session_id,
                    "environment": environment,
                    "status_code": status_code,
                    "filter": filter,
                    "fields": fields,
                },
            ),
        )

    async def export_schedule(self, *, schedule_id: str) -> ExportSchedule:
        """One schedule. What it selects and writes stays: the files of a folder are alike."""
        return cast("ExportSchedule", await self._call("GET", f"/api/v1/export/schedules/{quoted(schedule_id)}"))

    async def export_schedule_change(
        self,
        *,
        schedule_id: str,
        name: str | Unset = UNSET,
        every: Literal["daily", "weekly"] | Unset = UNSET,
        enabled: bool | Unset = UNSET,
        next_day: str | Unset = UNSET,
        keep_days: int | None | Unset = UNSET,
    ) -> ExportSchedule:
        """One schedule. What it selects and writes stays: the files of a folder are alike."""
        return cast(
            "ExportSchedule",
            await self._call(
                "PATCH",
                f"/api/v1/export/schedules/{quoted(schedule_id)}",
                body={"name": name, "every": every, "enabled": enabled, "next_day": next_day, "keep_days": keep_days},
            ),
        )

    async def export_schedule_delete(self, *, schedule_id: str) -> None:
        """One schedule. What it selects and writes stays: the files of a folder are alike."""
        await self._call("DELETE", f"/api/v1/export/schedules/{quoted(schedule_id)}")

    async def export_statistics(self, *, days: int | None = None) -> ExportStatistics:
        """Figures over the exports in reach."""
        return cast("ExportStatistics", await self._call("GET", "/api/v1/export/statistics", query={"days": days}))

    async def export_traces(
        self,
        *,
        format: Literal["csv", "json", "jsonl", "parquet"],
        compression: Literal["none", "gzip"] | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        scope: Literal["all", "calls", "roots"] | Unset = UNSET,
        provider: str | Unset = UNSET,
        model: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        session_id: str | Unset = UNSET,
        environment: str | Unset = UNSET,
        status_code: Literal["OK", "ERROR", "UNSET", "success", "error"] | Unset = UNSET,
        filter: Filter | None | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ExportAccepted:
        """Begins an export of spans."""
        return cast(
            "ExportAccepted",
            await self._call(
                "POST",
                "/api/v1/export/traces",
                body={
                    "format": format,
                    "compression": compression,
                    "project_id": project_id,
                    "scope": scope,
                    "provider": provider,
                    "model": model,
                    "user_id": user_id,
                    "session_id": session_id,
                    "environment": environment,
                    "status_code": status_code,
                    "filter": filter,
                    "fields": fields,
                    "start_time": start_time,
                    "end_time": end_time,
                    "limit": limit,
                },
            ),
        )

    async def ingest_rejected_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        include: Literal["total"] | None = None,
        limit: int | None = None,
        project_id: Text | None = None,
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
        | None = None,
        start_time: Text | None = None,
    ) -> IngestRejectedListReply:
        """Spans that were set aside and requests that were refused whole, newest first, a page at a time."""
        return cast(
            "IngestRejectedListReply",
            await self._call(
                "GET",
                "/api/v1/ingest/rejected",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "include": include,
                    "limit": limit,
                    "project_id": project_id,
                    "reason": reason,
                    "start_time": start_time,
                },
            ),
        )

    async def keys_list(self, *, limit: int | None = None, offset: int | None = None) -> KeysListReply:
        """Keys of the organisation, the newest first; a new one shows its secret once."""
        return cast("KeysListReply", await self._call("GET", "/api/v1/keys", query={"limit": limit, "offset": offset}))

    async def keys_create(
        self,
        *,
        name: str,
        projects: list[str],
        permissions: list[str],
        rate_limit_tier: Literal["admin", "developer", "viewer", "billing"] | Unset = UNSET,
        allowed_ips: list[str] | Unset = UNSET,
        expires_at: str | None | Unset = UNSET,
        environment: Literal["live", "test"] | Unset = UNSET,
        signing: Literal["off", "required"] | Unset = UNSET,
    ) -> NewApiKey:
        """Keys of the organisation, the newest first; a new one shows its secret once."""
        return cast(
            "NewApiKey",
            await self._call(
                "POST",
                "/api/v1/keys",
                body={
                    "name": name,
                    "projects": projects,
                    "permissions": permissions,
                    "rate_limit_tier": rate_limit_tier,
                    "allowed_ips": allowed_ips,
                    "expires_at": expires_at,
                    "environment": environment,
                    "signing": signing,
                },
            ),
        )

    async def keys_retrieve(self, *, id: str) -> ApiKey:
        """One key: read, changed, revoked."""
        return cast("ApiKey", await self._call("GET", f"/api/v1/keys/{quoted(id)}"))

    async def keys_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        projects: list[str] | Unset = UNSET,
        permissions: list[str] | Unset = UNSET,
        rate_limit_tier: Literal["admin", "developer", "viewer", "billing"] | Unset = UNSET,
        allowed_ips: list[str] | Unset = UNSET,
        expires_at: str | None | Unset = UNSET,
    ) -> ApiKey:
        """One key: read, changed, revoked."""
        return cast(
            "ApiKey",
            await self._call(
                "PATCH",
                f"/api/v1/keys/{quoted(id)}",
                body={
                    "name": name,
                    "projects": projects,
                    "permissions": permissions,
                    "rate_limit_tier": rate_limit_tier,
                    "allowed_ips": allowed_ips,
                    "expires_at": expires_at,
                },
            ),
        )

    async def keys_revoke(self, *, id: str) -> None:
        """One key: read, changed, revoked."""
        await self._call("DELETE", f"/api/v1/keys/{quoted(id)}")

    async def keys_rotate(self, *, id: str, overlap_seconds: int | Unset = UNSET) -> NewApiKey:
        """New secrets for a key; the old one works on for a while."""
        return cast(
            "NewApiKey",
            await self._call("POST", f"/api/v1/keys/{quoted(id)}/rotate", body={"overlap_seconds": overlap_seconds}),
        )

    async def me(self) -> Me:
        """The caller: organisation, role, projects, permissions, tier."""
        return cast("Me", await self._call("GET", "/api/v1/me"))

    async def members_list(self, *, limit: int | None = None, offset: int | None = None) -> MembersListReply:
        """Members of the organisation, in the order in which they came."""
        return cast(
            "MembersListReply", await self._call("GET", "/api/v1/members", query={"limit": limit, "offset": offset})
        )

    async def members_create(
        self,
        *,
        email: str,
        role: Literal["admin", "developer", "viewer", "billing"],
        projects: list[str] | Unset = UNSET,
    ) -> Member:
        """Members of the organisation, in the order in which they came."""
        return cast(
            "Member",
            await self._call("POST", "/api/v1/members", body={"email": email, "role": role, "projects": projects}),
        )

    async def members_retrieve(self, *, id: str) -> Member:
        """One member: read, changed, removed."""
        return cast("Member", await self._call("GET", f"/api/v1/members/{quoted(id)}"))

    async def members_update(
        self,
        *,
        id: str,
        role: Literal["admin", "developer", "viewer", "billing"] | Unset = UNSET,
        projects: list[str] | Unset = UNSET,
    ) -> Member:
        """One member: read, changed, removed."""
        return cast(
            "Member",
            await self._call("PATCH", f"/api/v1/members/{quoted(id)}", body={"role": role, "projects": projects}),
        )

    async def members_remove(self, *, id: str) -> None:
        """One member: read, changed, removed."""
        await self._call("DELETE", f"/api/v1/members/{quoted(id)}")

    async def metrics_list(
        self,
        *,
        aggregation: Literal[
            "avg", "sum", "min", "max", "count", "p50", "p90", "p95", "p99", "average", "total", "median"
        ]
        | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        fill: Literal["none", "zero", "previous"] | None = None,
        group_by: Text | None = None,
        include_percentiles: bool | None = None,
        interval: Literal[
            "1min",
            "1m",
            "1minute",
            "one_minute",
            "5min",
            "5m",
            "5minutes",
            "five_minutes",
            "1hour",
            "1h",
            "1hr",
            "one_hour",
            "1day",
            "1d",
            "one_day",
            "all",
        ]
        | None = None,
        metrics: Text,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsListReply:
        """Metrics by dimensions over time, newest bucket first."""
        return cast(
            "MetricsListReply",
            await self._call(
                "GET",
                "/api/v1/metrics",
                query={
                    "aggregation": aggregation,
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "fill": fill,
                    "group_by": group_by,
                    "include_percentiles": include_percentiles,
                    "interval": interval,
                    "metrics": metrics,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def metrics_labels(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsLabelsReply:
        """What figures can be grouped and narrowed by."""
        return cast(
            "MetricsLabelsReply",
            await self._call(
                "GET",
                "/api/v1/metrics/labels",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def metrics_label_values(
        self,
        *,
        name: str,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        prefix: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsLabelValuesReply:
        """The values of one label, most frequent first."""
        return cast(
            "MetricsLabelValuesReply",
            await self._call(
                "GET",
                f"/api/v1/metrics/labels/{quoted(name)}/values",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "limit": limit,
                    "model": model,
                    "operation_name": operation_name,
                    "prefix": prefix,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def metrics_performance(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsPerformanceReply:
        """Latency, errors and throughput of model calls, in total and over time."""
        return cast(
            "MetricsPerformanceReply",
            await self._call(
                "GET",
                "/api/v1/metrics/performance",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def metrics_quality(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        granularity: Literal["1min", "1hour", "1day", "raw"] | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsQualityReply:
        """How many requests succeed, and what goes wrong with the others."""
        return cast(
            "MetricsQualityReply",
            await self._call(
                "GET",
                "/api/v1/metrics/quality",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "granularity": granularity,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def metrics_query(
        self,
        *,
        metrics: list[MetricsQueryMetricsItem],
        interval: Literal[
            "1min",
            "1m",
            "1minute",
            "one_minute",
            "5min",
            "5m",
            "5minutes",
            "five_minutes",
            "1hour",
            "1h",
            "1hr",
            "one_hour",
            "1day",
            "1d",
            "one_day",
            "all",
        ]
        | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        group_by: list[str] | Unset = UNSET,
        filters: list[MetricsQueryFiltersItem] | Unset = UNSET,
        having: list[MetricsQueryHavingItem] | Unset = UNSET,
        sort_by: MetricsQuerySortBy | Unset = UNSET,
        limit: int | Unset = UNSET,
        other: bool | Unset = UNSET,
        explain: bool | Unset = UNSET,
    ) -> MetricsQueryReply:
        """Metrics by dimensions with conditions, order and a row for the rest."""
        return cast(
            "MetricsQueryReply",
            await self._call(
                "POST",
                "/api/v1/metrics/query",
                body={
                    "metrics": metrics,
                    "interval": interval,
                    "start_time": start_time,
                    "end_time": end_time,
                    "project_id": project_id,
                    "group_by": group_by,
                    "filters": filters,
                    "having": having,
                    "sort_by": sort_by,
                    "limit": limit,
                    "other": other,
                    "explain": explain,
                },
            ),
        )

    async def metrics_summary(
        self,
        *,
        compare_previous_period: bool | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> MetricsSummaryReply:
        """A period beside the one before it."""
        return cast(
            "MetricsSummaryReply",
            await self._call(
                "GET",
                "/api/v1/metrics/summary",
                query={
                    "compare_previous_period": compare_previous_period,
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def models_compare(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        metrics: Text | None = None,
        model: Text | None = None,
        models: Text,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> ModelsCompareReply:
        """Models beside each other, and which does best in what."""
        return cast(
            "ModelsCompareReply",
            await self._call(
                "GET",
                "/api/v1/models/compare",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "metrics": metrics,
                    "model": model,
                    "models": models,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def models_compare_post(
        self,
        *,
        models: list[str],
        metrics: list[Literal["latency", "cost", "quality", "throughput", "token_usage"]] | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
        provider: str | Unset = UNSET,
        model: str | Unset = UNSET,
        environment: str | Unset = UNSET,
        service_name: str | Unset = UNSET,
        operation_name: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        team_id: str | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
    ) -> ModelsComparePostReply:
        """Models beside each other, and which does best in what."""
        return cast(
            "ModelsComparePostReply",
            await self._call(
                "POST",
                "/api/v1/models/compare",
                body={
                    "models": models,
                    "metrics": metrics,
                    "start_time": start_time,
                    "end_time": end_time,
                    "project_id": project_id,
                    "provider": provider,
                    "model": model,
                    "environment": environment,
                    "service_name": service_name,
                    "operation_name": operation_name,
                    "user_id": user_id,
                    "team_id": team_id,
                    "fields": fields,
                },
            ),
        )

    async def optimization(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        explain: bool | None = None,
        fields: Text | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> OptimizationReply:
        """What could be better, with the numbers behind it."""
        return cast(
            "OptimizationReply",
            await self._call(
                "GET",
                "/api/v1/optimization",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "explain": explain,
                    "fields": fields,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def projects_list(self, *, limit: int | None = None, offset: int | None = None) -> ProjectsListReply:
        """Projects that the caller reaches, by slug."""
        return cast(
            "ProjectsListReply", await self._call("GET", "/api/v1/projects", query={"limit": limit, "offset": offset})
        )

    async def projects_create(
        self,
        *,
        name: str,
        slug: str,
        is_public: bool | Unset = UNSET,
        archived: bool | Unset = UNSET,
        content_capture: Literal["full", "none"] | Unset = UNSET,
        redaction: dict[str, Any] | Unset = UNSET,
        retention: ProjectsCreateRetention | Unset = UNSET,
        usage_exclusive_scopes: list[str] | Unset = UNSET,
    ) -> Project:
        """Projects that the caller reaches, by slug."""
        return cast(
            "Project",
            await self._call(
                "POST",
                "/api/v1/projects",
                body={
                    "name": name,
                    "slug": slug,
                    "is_public": is_public,
                    "archived": archived,
                    "content_capture": content_capture,
                    "redaction": redaction,
                    "retention": retention,
                    "usage_exclusive_scopes": usage_exclusive_scopes,
                },
            ),
        )

    async def projects_retrieve(self, *, id: str) -> Project:
        """One project: read, changed."""
        return cast("Project", await self._call("GET", f"/api/v1/projects/{quoted(id)}"))

    async def projects_update(
        self,
        *,
        id: str,
        name: str | Unset = UNSET,
        slug: str | Unset = UNSET,
        is_public: bool | Unset = UNSET,
        archived: bool | Unset = UNSET,
        content_capture: Literal["full", "none"] | Unset = UNSET,
        redaction: dict[str, Any] | Unset = UNSET,
        retention: ProjectsUpdateRetention | Unset = UNSET,
        usage_exclusive_scopes: list[str] | Unset = UNSET,
    ) -> Project:
        """One project: read, changed."""
        return cast(
            "Project",
            await self._call(
                "PATCH",
                f"/api/v1/projects/{quoted(id)}",
                body={
                    "name": name,
                    "slug": slug,
                    "is_public": is_public,
                    "archived": archived,
                    "content_capture": content_capture,
                    "redaction": redaction,
                    "retention": retention,
                    "usage_exclusive_scopes": usage_exclusive_scopes,
                },
            ),
        )

    async def sessions_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        sort_by: Literal["last_ts", "first_ts", "total_cost_usd", "request_count"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> SessionsListReply:
        """Sessions, a page at a time."""
        return cast(
            "SessionsListReply",
            await self._call(
                "GET",
                "/api/v1/sessions",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "sort_by": sort_by,
                    "sort_order": sort_order,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )

    async def sessions_retrieve(
        self,
        *,
        session_id: str,
        end_time: Text | None = None,
        fields: Text | None = None,
        project_id: Text | None = None,
        start_time: Text | None = None,
    ) -> SessionsRetrieveReply:
        """One session with its traces."""
        return cast(
            "SessionsRetrieveReply",
            await self._call(
                "GET",
                f"/api/v1/sessions/{quoted(session_id)}",
                query={"end_time": end_time, "fields": fields, "project_id": project_id, "start_time": start_time},
            ),
        )

    async def traces_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        max_cost: Decimal | float | None = None,
        max_duration: int | None = None,
        max_duration_ms: int | None = None,
        max_tokens: int | None = None,
        min_cost: Decimal | float | None = None,
        min_duration: int | None = None,
        min_duration_ms: int | None = None,
        min_tokens: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        q: Text | None = None,
        scope: Literal["all", "calls", "roots"] | None = None,
        search: Text | None = None,
        service_name: Text | None = None,
        session_id: Text | None = None,
        sort_by: Literal[
            "ts",
            "trace_id",
            "span_id",
            "provider",
            "model",
            "total_tokens",
            "total_cost_usd",
            "duration_ms",
            "ttft_ms",
            "status_code",
            "environment",
            "cost",
            "latency_ms",
            "time_to_first_token_ms",
            "status",
            "relevance",
        ]
        | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        start_time: Text | None = None,
        status: Literal["OK", "ERROR", "UNSET", "success", "error"] | None = None,
        tags: Text | None = None,
        team_id: Text | None = None,
        trace_id: Text | None = None,
        user_id: Text | None = None,
    ) -> TracesListReply:
        """Spans, newest first, a page at a time."""
        return cast(
            "TracesListReply",
            await self._call(
                "GET",
                "/api/v1/traces",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "max_cost": max_cost,
                    "max_duration": max_duration,
                    "max_duration_ms": max_duration_ms,
                    "max_tokens": max_tokens,
                    "min_cost": min_cost,
                    "min_duration": min_duration,
                    "min_duration_ms": min_duration_ms,
                    "min_tokens": min_tokens,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "q": q,
                    "scope": scope,
                    "search": search,
                    "service_name": service_name,
                    "session_id": session_id,
                    "sort_by": sort_by,
                    "sort_order": sort_order,
                    "start_time": start_time,
                    "status": status,
                    "tags": tags,
                    "team_id": team_id,
                    "trace_id": trace_id,
                    "user_id": user_id,
                },
            ),
        )

    async def traces_retrieve(
        self, *, trace_id: str, fields: Text | None = None, include: Text | None = None, project_id: Text | None = None
    ) -> TracesRetrieveReply:
        """One trace: its root span with the figures of the whole."""
        return cast(
            "TracesRetrieveReply",
            await self._call(
                "GET",
                f"/api/v1/traces/{quoted(trace_id)}",
                query={"fields": fields, "include": include, "project_id": project_id},
            ),
        )

    async def traces_evaluations(
        self,
        *,
        trace_id: str,
        evaluator_name: str,
        score: Number | Unset = UNSET,
        passed: bool | Unset = UNSET,
        label: str | Unset = UNSET,
        explanation: str | Unset = UNSET,
        span_id: str | Unset = UNSET,
    ) -> Evaluation:
        """Keeps what an evaluator found of a trace."""
        return cast(
            "Evaluation",
            await self._call(
                "POST",
                f"/api/v1/traces/{quoted(trace_id)}/evaluations",
                body={
                    "evaluator_name": evaluator_name,
                    "score": score,
                    "passed": passed,
                    "label": label,
                    "explanation": explanation,
                    "span_id": span_id,
                },
            ),
        )

    async def traces_feedback(
        self,
        *,
        trace_id: str,
        score: Number,
        span_id: str | Unset = UNSET,
        resolved: bool | Unset = UNSET,
        comment: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        labels: list[str] | Unset = UNSET,
    ) -> Feedback:
        """Keeps what a user said about a trace."""
        return cast(
            "Feedback",
            await self._call(
                "POST",
                f"/api/v1/traces/{quoted(trace_id)}/feedback",
                body={
                    "score": score,
                    "span_id": span_id,
                    "resolved": resolved,
                    "comment": comment,
                    "user_id": user_id,
                    "labels": labels,
                },
            ),
        )

    async def traces_spans(
        self,
        *,
        trace_id: str,
        cursor: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        project_id: Text | None = None,
    ) -> TracesSpansReply:
        """The spans of one trace, earliest first, each with its place in the tree."""
        return cast(
            "TracesSpansReply",
            await self._call(
                "GET",
                f"/api/v1/traces/{quoted(trace_id)}/spans",
                query={
                    "cursor": cursor,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "project_id": project_id,
                },
            ),
        )

    async def traces_search(
        self,
        *,
        filter: Filter | None | Unset = UNSET,
        start_time: str | Unset = UNSET,
        end_time: str | Unset = UNSET,
        scope: Literal["all", "calls", "roots"] | Unset = UNSET,
        sort_by: Literal[
            "ts",
            "trace_id",
            "span_id",
            "provider",
            "model",
            "total_tokens",
            "total_cost_usd",
            "duration_ms",
            "ttft_ms",
            "status_code",
            "environment",
            "cost",
            "latency_ms",
            "time_to_first_token_ms",
            "status",
            "relevance",
        ]
        | Unset = UNSET,
        sort_desc: bool | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | None | Unset = UNSET,
        fields: list[str] | Unset = UNSET,
        include: list[Literal["children", "evaluations", "feedback", "highlights", "total"]] | Unset = UNSET,
        project_id: list[str] | str | Unset = UNSET,
    ) -> TracesSearchReply:
        """Spans that an expression of the filter language finds, oldest first, a page at a time."""
        return cast(
            "TracesSearchReply",
            await self._call(
                "POST",
                "/api/v1/traces/search",
                body={
                    "filter": filter,
                    "start_time": start_time,
                    "end_time": end_time,
                    "scope": scope,
                    "sort_by": sort_by,
                    "sort_desc": sort_desc,
                    "limit": limit,
                    "cursor": cursor,
                    "fields": fields,
                    "include": include,
                    "project_id": project_id,
                },
            ),
        )

    async def traces_stats(
        self,
        *,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        max_cost: Decimal | float | None = None,
        max_duration: int | None = None,
        max_duration_ms: int | None = None,
        max_tokens: int | None = None,
        min_cost: Decimal | float | None = None,
        min_duration: int | None = None,
        min_duration_ms: int | None = None,
        min_tokens: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        q: Text | None = None,
        scope: Literal["all", "calls", "roots"] | None = None,
        search: Text | None = None,
        service_name: Text | None = None,
        session_id: Text | None = None,
        start_time: Text | None = None,
        status: Literal["OK", "ERROR", "UNSET", "success", "error"] | None = None,
        tags: Text | None = None,
        team_id: Text | None = None,
        trace_id: Text | None = None,
        user_id: Text | None = None,
    ) -> TracesStatsReply:
        """Figures over the spans of a list."""
        return cast(
            "TracesStatsReply",
            await self._call(
                "GET",
                "/api/v1/traces/stats",
                query={
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "max_cost": max_cost,
                    "max_duration": max_duration,
                    "max_duration_ms": max_duration_ms,
                    "max_tokens": max_tokens,
                    "min_cost": min_cost,
                    "min_duration": min_duration,
                    "min_duration_ms": min_duration_ms,
                    "min_tokens": min_tokens,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "q": q,
                    "scope": scope,
                    "search": search,
                    "service_name": service_name,
                    "session_id": session_id,
                    "start_time": start_time,
                    "status": status,
                    "tags": tags,
                    "team_id": team_id,
                    "trace_id": trace_id,
                    "user_id": user_id,
                },
            ),
        )

    async def users_list(
        self,
        *,
        cursor: Text | None = None,
        end_time: Text | None = None,
        environment: Text | None = None,
        fields: Text | None = None,
        include: Text | None = None,
        limit: int | None = None,
        model: Text | None = None,
        operation_name: Text | None = None,
        project_id: Text | None = None,
        provider: Text | None = None,
        service_name: Text | None = None,
        sort_by: Literal["last_ts", "first_ts", "total_cost_usd", "request_count", "error_rate"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        start_time: Text | None = None,
        team_id: Text | None = None,
        user_id: Text | None = None,
    ) -> UsersListReply:
        """End users, a page at a time."""
        return cast(
            "UsersListReply",
            await self._call(
                "GET",
                "/api/v1/users",
                query={
                    "cursor": cursor,
                    "end_time": end_time,
                    "environment": environment,
                    "fields": fields,
                    "include": include,
                    "limit": limit,
                    "model": model,
                    "operation_name": operation_name,
                    "project_id": project_id,
                    "provider": provider,
                    "service_name": service_name,
                    "sort_by": sort_by,
                    "sort_order": sort_order,
                    "start_time": start_time,
                    "team_id": team_id,
                    "user_id": user_id,
                },
            ),
        )
