"""What a span has: every member of the span object, with its type, where it is stored and how SQL reads it.

Field selection, filters, the default members, the OpenAPI schema and the reference page are derived from these rows.
`sql` is written by us alone and never holds a value from a request. `s` is the narrow span row, `c` its content.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldType(StrEnum):
    """The kinds of members; each knows how its SQL value becomes JSON."""

    ID = "id"
    LABEL = "label"
    CONTENT = "content"
    INTEGER = "int"
    NUMBER = "num"
    MONEY = "money"
    TIME = "time"
    LIST = "list"
    JSON = "json"
    KEY = "json key"
    BOOLEAN = "bool"


class Relation(StrEnum):
    """Where a member is stored: the narrow span row, or the wide content beside it."""

    SPAN = "s"
    CONTENT = "c"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanField:
    """One member of the span object.

    `sql` gives NULL when the span has no such value. `default` members are sent without `fields`; `equality` names
    the members that a list can be narrowed by with a query parameter of the same name; lists can be put in the order
    of `sortable` members. `octets` is the stored form of an id whose `sql` spells it in hex digits. `weights` are the
    classes of the search vector that hold the member's words.
    """

    key: str
    type: FieldType
    sql: str
    relation: Relation = Relation.SPAN
    default: bool = False
    equality: bool = False
    sortable: bool = False
    filterable: bool = True
    octets: str = ""
    weights: str = ""
    description: str

    def __post_init__(self) -> None:
        other = Relation.CONTENT if self.relation is Relation.SPAN else Relation.SPAN
        if f"{other.value}." in self.sql.replace("(", " ").split():
            raise ValueError(f"{self.key} reads the other relation")


PROMPT_TOKENS = (
    "(s.uncached_input_tokens + s.cache_read_tokens + s.cache_write_5m_tokens"
    " + s.cache_write_1h_tokens + s.audio_input_tokens)"
)
COMPLETION_TOKENS = "(s.visible_output_tokens + s.reasoning_tokens + s.audio_output_tokens)"
TOTAL_TOKENS = f"({PROMPT_TOKENS} + {COMPLETION_TOKENS})"

ID, LABEL, TEXT, INT, NUM = FieldType.ID, FieldType.LABEL, FieldType.CONTENT, FieldType.INTEGER, FieldType.NUMBER
MONEY, TIME, LIST, JSON, BOOL = FieldType.MONEY, FieldType.TIME, FieldType.LIST, FieldType.JSON, FieldType.BOOLEAN


def _label(
    key: str, description: str, *, default: bool = True, equality: bool = False, sortable: bool = False
) -> SpanField:
    return SpanField(
        key=key,
        type=LABEL,
        sql=f"s.{key}",
        default=default,
        equality=equality,
        sortable=sortable,
        description=description,
    )


def _tokens(key: str, description: str) -> SpanField:
    return SpanField(key=key, type=INT, sql=f"s.{key}", description=description)


def _content(
    key: str, kind: FieldType, description: str, *, default: bool = False, filterable: bool = True, weights: str = ""
) -> SpanField:
    return SpanField(
        key=key,
        type=kind,
        sql=f"c.{key}",
        relation=Relation.CONTENT,
        default=default,
        filterable=filterable,
        weights=weights,
        description=description,
    )


SPAN_FIELDS: tuple[SpanField, ...] = (
    SpanField(key="ts", type=TIME, sql="s.ts", default=True, sortable=True, description="Start of the span."),
    SpanField(key="project_id", type=ID, sql="s.project_id", default=True, description="Project of the span."),
    SpanField(
        key="trace_id",
        type=ID,
        sql="encode(s.trace_id, 'hex')",
        octets="s.trace_id",
        default=True,
        sortable=True,
        equality=True,
        description="Trace, 32 lowercase hex digits.",
    ),
    SpanField(
        key="span_id",
        type=ID,
        sql="encode(s.span_id, 'hex')",
        octets="s.span_id",
        default=True,
        sortable=True,
        description="Span, 16 lowercase hex digits.",
    ),
    SpanField(
        key="parent_span_id",
        type=ID,
        sql="encode(s.parent_span_id, 'hex')",
        octets="s.parent_span_id",
        default=True,
        description="Parent span; absent on roots.",
    ),
    _label("service_name", "Service that emitted the span, from its resource.", equality=True),
    _label("span_name", "Name the emitter gave the span."),
    _label("span_kind", "internal, client, server, producer or consumer."),
    _label(
        "operation_name",
        "chat, text_completion, embeddings, execute_tool, invoke_agent, retrieval and others as sent.",
        equality=True,
    ),
    _label("provider", "Normalised provider of the model.", equality=True, sortable=True),
    _label("model", "Model asked for.", equality=True, sortable=True),
    _label("response_model", "Model that answered.", default=False),
    _content("response_id", LABEL, "Id the provider gave the answer."),
    _content("input_type", LABEL, "text, chat or multimodal.", default=True),
    _content("input_text", TEXT, "Plain text of the input.", default=True, weights="A"),
    _content("output_text", TEXT, "Plain text of the output.", default=True, weights="B"),
    _content("input_messages", JSON, "Input as messages with role and content."),
    _content("output_messages", JSON, "Output as messages with role and content."),
    _label("finish_reason", "First reason to stop."),
    SpanField(
        key="prompt_tokens", type=INT, sql=PROMPT_TOKENS, default=True, description="Sum of the five input parts."
    ),
    SpanField(
        key="completion_tokens",
        type=INT,
        sql=COMPLETION_TOKENS,
        default=True,
        description="Sum of the three output parts.",
    ),
    SpanField(
        key="total_tokens",
        type=INT,
        sql=TOTAL_TOKENS,
        default=True,
        sortable=True,
        description="Prompt and completion tokens.",
    ),
    _tokens("uncached_input_tokens", "Input tokens that no cache held."),
    _tokens("cache_read_tokens", "Input tokens read from the provider's cache."),
    _tokens("cache_write_5m_tokens", "Input tokens written to a cache of five minutes."),
    _tokens("cache_write_1h_tokens", "Input tokens written to a cache of one hour."),
    _tokens("audio_input_tokens", "Audio tokens of the input."),
    _tokens("visible_output_tokens", "Output tokens that were shown."),
    _tokens("reasoning_tokens", "Output tokens spent on reasoning."),
    _tokens("audio_output_tokens", "Audio tokens of the output."),
    SpanField(
        key="usage_counted",
        type=BOOL,
        sql="s.usage_counted",
        description="Enters token and cost sums: the span has usage and no descendant has.",
    ),
    SpanField(
        key="call_counted",
        type=BOOL,
        sql="s.call_counted",
        description="Enters request and latency figures: a model call no descendant of which is one.",
    ),
    SpanField(
        key="prompt_cost_usd", type=MONEY, sql="s.prompt_cost_nanousd", default=True, description="Cost of the prompt."
    ),
    SpanField(
        key="completion_cost_usd",
        type=MONEY,
        sql="s.completion_cost_nanousd",
        default=True,
        description="Cost of the completion.",
    ),
    SpanField(
        key="total_cost_usd",
        type=MONEY,
        sql="s.total_cost_nanousd",
        default=True,
        sortable=True,
        description="Cost by the price book; absent when the span is unpriced.",
    ),
    _content(
        "cost_breakdown",
        JSON,
        "Cost of each token part in dollars; adds up to the total to the last digit.",
        filterable=False,
    ),
    SpanField(key="price_version", type=ID, sql="s.price_id::text", description="Price that made the cost."),
    SpanField(
        key="reported_cost_usd", type=MONEY, sql="s.reported_cost_nanousd", description="Cost the emitter reported."
    ),
    _label("unpriced_reason", "no_price, no_part_price or no_usage.", default=False),
    SpanField(
        key="duration_ms",
        type=INT,
        sql="s.duration_ms",
        default=True,
        sortable=True,
        description="End minus start in milliseconds.",
    ),
    SpanField(
        key="ttft_ms",
        type=INT,
        sql="s.ttft_ms",
        default=True,
        sortable=True,
        description="Time to the first token in milliseconds.",
    ),
    SpanField(
        key="tokens_per_second",
        type=NUM,
        sql=f"round({COMPLETION_TOKENS} * 1000::numeric / nullif(s.duration_ms, 0), 6)",
        default=True,
        description="Completion tokens over the duration.",
    ),
    SpanField(key="streamed", type=BOOL, sql="s.streamed", description="Whether the answer was streamed."),
    _label("status_code", "OK, ERROR or UNSET.", sortable=True),
    _label("error_type", "Class of the error."),
    _content("error_message", TEXT, "Text of the error.", default=True),
    _label("user_id", "End user.", equality=True),
    _label("session_id", "Conversation.", equality=True),
    _label("team_id", "Team.", equality=True),
    _label("prompt_name", "Prompt template."),
    _label("environment", "Deployment environment.", equality=True, sortable=True),
    _content("tags", LIST, "Tags.", default=True),
    _label("tool_name", "Tool called.", default=False),
    _label("agent_name", "Agent.", default=False),
    _label("workflow_name", "Workflow.", default=False),
    _content("request_parameters", JSON, "Temperature, top_p, max_tokens and the like."),
    _content("tools", JSON, "Tools offered to the model."),
    _content("retrieval", JSON, "Query and documents of a retrieval."),
    _content("attributes", JSON, "Every attribute that has no member of its own.", default=True),
    _content("resource_attributes", JSON, "Attributes of the resource."),
    _content("events", JSON, "Events of the span.", filterable=False),
    _content("links", JSON, "Links to other spans.", filterable=False),
    SpanField(
        key="scope",
        type=JSON,
        sql="c.instrumentation_scope",
        relation=Relation.CONTENT,
        filterable=False,
        description="Instrumentation scope that made the span.",
    ),
    _content("mapping_sources", JSON, "Attribute name each member was read from.", filterable=False),
    _label("service_tier", "Tier the call was billed in: batch, flex, priority, or as sent.", default=False),
    _content("usage_rule", LABEL, "inclusive, exclusive or exclusive_inferred."),
    _content("redactions", JSON, "How often each detector found something, by detector.", filterable=False),
    _content("notes", LIST, "What was changed on the way in: truncated, usage_clamped.", filterable=False),
    SpanField(key="ingested_at", type=TIME, sql="s.ingested_at", description="When the span arrived."),
)

BY_KEY: Mapping[str, SpanField] = {field.key: field for field in SPAN_FIELDS}
DEFAULT_KEYS: tuple[str, ...] = tuple(field.key for field in SPAN_FIELDS if field.default)
EQUALITY_KEYS: tuple[str, ...] = tuple(field.key for field in SPAN_FIELDS if field.equality)
SORT_KEYS: tuple[str, ...] = tuple(field.key for field in SPAN_FIELDS if field.sortable)

# Searched as one: not a member that can be sent.
BOTH_TEXTS = SpanField(
    key="content", type=TEXT, sql="NULL", weights="AB", relation=Relation.CONTENT, description="Input and output."
)
# Documents of which a single key can be asked for and compared: `attributes.<key>`.
KEYED: tuple[str, ...] = ("attributes", "resource_attributes", "request_parameters")

# Other names a member may be asked for; it is answered under the name asked.
ALIASES: Mapping[str, str] = {
    "cost": "total_cost_usd",
    "input_cost_usd": "prompt_cost_usd",
    "output_cost_usd": "completion_cost_usd",
    "latency_ms": "duration_ms",
    "time_to_first_token_ms": "ttft_ms",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "status": "status_code",
    "operation_type": "operation_name",
    "metadata": "attributes",
    "model_parameters": "request_parameters",
}
