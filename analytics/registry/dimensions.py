"""What figures can be narrowed and grouped by."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A label of spans; `personal` ones tell about end users and are kept from anonymous callers."""

    key: str
    sql: str
    personal: bool = False
    description: str


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension(key="provider", sql="s.provider", description="Provider of the model."),
    Dimension(key="model", sql="s.model", description="Model asked for."),
    Dimension(key="environment", sql="s.environment", description="Deployment environment."),
    Dimension(key="service_name", sql="s.service_name", description="Service that emitted the span."),
    Dimension(key="operation_name", sql="s.operation_name", description="Kind of operation."),
    Dimension(key="user_id", sql="s.user_id", personal=True, description="End user."),
    Dimension(key="team_id", sql="s.team_id", personal=True, description="Team."),
)
BY_KEY: Mapping[str, Dimension] = {dimension.key: dimension for dimension in DIMENSIONS}
