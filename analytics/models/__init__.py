"""Models of analytics. SQL files make the partitioned span tables, and `analytics.queries` reads them."""

from analytics.models.anomalies import Anomaly, AnomalyProgress, AnomalyStatus
from analytics.models.budgets import (
    AlertSeverity,
    Budget,
    BudgetAlert,
    BudgetPeriod,
    BudgetPeriodKind,
    BudgetState,
    ThresholdType,
)
from analytics.models.channels import Channel, ChannelType, Delivery, DeliveryStatus
from analytics.models.costs import CostRun, ModelPrice
from analytics.models.exports import Cadence, ExportJob, ExportSchedule, ExportStatus, Selected
from analytics.models.idempotency import IdempotencyRecord
from analytics.models.rejections import RejectedSpan

__all__ = [
    "AlertSeverity",
    "Anomaly",
    "AnomalyProgress",
    "AnomalyStatus",
    "Budget",
    "BudgetAlert",
    "BudgetPeriod",
    "BudgetPeriodKind",
    "BudgetState",
    "Cadence",
    "Channel",
    "ChannelType",
    "CostRun",
    "Delivery",
    "DeliveryStatus",
    "ExportJob",
    "ExportSchedule",
    "ExportStatus",
    "IdempotencyRecord",
    "ModelPrice",
    "RejectedSpan",
    "Selected",
    "ThresholdType",
]
