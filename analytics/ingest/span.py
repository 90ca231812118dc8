"""One span after normalisation: the same whichever vocabulary told it. The writer adds whose it is."""

from dataclasses import dataclass, field
from typing import Any

from analytics.pricing.usage import Usage
from analytics.registry.operations import is_model_call

# A clock that is wrong at the end of spans would else make sums that no column holds.
_MOST_DURATION_MS = 100_000_000_000


@dataclass(kw_only=True)  # without slots: what is not said is told by the class, and costs a span nothing
class NormalSpan:
    """Facts of one span. `None` means that the emitter did not say; text is redacted and cut before it gets here."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    start_ns: int
    end_ns: int
    span_name: str
    span_kind: str
    status_code: str
    service_name: str | None = None
    operation_name: str | None = None
    provider: str | None = None
    model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    service_tier: str | None = None
    environment: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    team_id: str | None = None
    prompt_name: str | None = None
    tool_name: str | None = None
    agent_name: str | None = None
    workflow_name: str | None = None
    finish_reason: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    ttft_ms: int | None = None
    streamed: bool | None = None
    usage: Usage | None = None
    usage_rule: str | None = None
    reported_cost_nanousd: int | None = None
    input_type: str | None = None
    input_text: str | None = None
    output_text: str | None = None
    input_messages: list[dict[str, Any]] | None = None
    output_messages: list[dict[str, Any]] | None = None
    request_parameters: dict[str, Any] | None = None
    tools: list[Any] | None = None
    retrieval: dict[str, Any] | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    resource_attributes: dict[str, Any] = field(default_factory=dict)
    instrumentation_scope: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    mapping_sources: dict[str, str] = field(default_factory=dict)
    # Of events that judge: `evaluator_name`, `score`, `label`, `explanation`, `ts`; what is not said is absent.
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    redactions: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, members: dict[str, Any]) -> "NormalSpan":
        """Return the span of these members, which holds `members` itself; other keys in it are not looked at."""
        span = cls.__new__(cls)
        span.__dict__ = members
        return span

    @property
    def duration_ms(self) -> int:
        """End minus start in whole milliseconds, rounded to the nearest; three years at most, so that sums fit."""
        return min((self.end_ns - self.start_ns + 500_000) // 1_000_000, _MOST_DURATION_MS)

    @property
    def is_call(self) -> bool:
        """Whether this is a model call by its own account, whatever its descendants are."""
        return is_model_call(self.operation_name, has_usage=self.usage is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A span that was set aside, with the reason's name and a sentence for the sender."""

    reason: str
    message: str
    trace_id: bytes | None = None
    span_id: bytes | None = None
    span_name: str | None = None
    service_name: str | None = None
    scope_name: str | None = None
