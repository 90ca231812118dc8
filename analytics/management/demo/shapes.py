"""What the demo organisation runs: its projects, services and the shapes of their traces, as data."""

from dataclasses import dataclass
from enum import Enum, auto

SUPPORT = "support-assistant"
RESEARCH = "research-agent"
PROJECTS = (SUPPORT, RESEARCH)


class Kind(Enum):
    """What a step does; it decides which facts its span has."""

    AGENT = auto()
    WORKFLOW = auto()
    CHAT = auto()
    TOOL = auto()
    RETRIEVAL = auto()
    EMBEDDINGS = auto()


class Vocabulary(Enum):
    """Whose attribute names a service tells its spans in."""

    OTEL = auto()
    OPENINFERENCE = auto()


Mix = tuple[tuple[str, float], ...]
QUALITY: Mix = (("claude-sonnet-4-5", 42), ("gpt-4o", 40), ("mistral-medium-latest", 18))
QUICK: Mix = (("gpt-4o-mini", 46), ("claude-haiku-4-5", 30), ("gemini-2.5-flash", 24))
LONG: Mix = (("claude-sonnet-4-5", 36), ("gemini-2.5-flash", 34), ("gpt-4o", 18), ("mistral-medium-latest", 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One span of a shape; the steps inside it run one after another.

    `times` is how often it is repeated. A model call has its `models`, usual token counts, whether it `streams`, and
    `says` that text, or calls one of `tools`, or else gives the answer of the topic. A tool step runs one of `tools`.
    """

    kind: Kind
    name: str
    inside: tuple["Step", ...] = ()
    times: tuple[int, int] = (1, 1)
    models: Mix = ()
    prompt_tokens: int = 0
    output_tokens: int = 0
    tools: tuple[str, ...] = ()
    says: str = ""
    streams: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of trace of a service, with how often it happens among the traces of its project."""

    project: str
    service: str
    vocabulary: Vocabulary
    team: str
    weight: float
    tags: tuple[str, ...]
    root: Step


ORDER_TOOLS = ("lookup_order", "create_return", "search_help_center")
WEB_TOOLS = ("web_search", "fetch_page", "run_python")
ANSWER = Step(
    kind=Kind.CHAT, name="support-answer", models=QUALITY, prompt_tokens=1900, output_tokens=180, streams=True
)
SUPPORT_TURN = (
    Step(kind=Kind.CHAT, name="support-plan", models=QUICK, prompt_tokens=1300, output_tokens=45, tools=ORDER_TOOLS),
    Step(kind=Kind.TOOL, name="tool", tools=ORDER_TOOLS, times=(1, 2)),
    ANSWER,
)
FIND = (
    Step(kind=Kind.EMBEDDINGS, name="embed-query", prompt_tokens=18),
    Step(kind=Kind.RETRIEVAL, name="help-center"),
)
RESEARCH_TURN = (
    Step(kind=Kind.CHAT, name="research-plan", models=LONG, prompt_tokens=2400, output_tokens=160, tools=WEB_TOOLS),
    Step(kind=Kind.TOOL, name="tool", tools=WEB_TOOLS, times=(2, 4)),
    Step(kind=Kind.RETRIEVAL, name="paper-index"),
    Step(kind=Kind.CHAT, name="research-report", models=LONG, prompt_tokens=6500, output_tokens=620, streams=True),
)

SHAPES = (
    Shape(
        project=SUPPORT,
        service="support-chat",
        vocabulary=Vocabulary.OTEL,
        team="support",
        weight=52,
        tags=("customer-facing",),
        root=Step(kind=Kind.AGENT, name="support-agent", inside=SUPPORT_TURN),
    ),
    Shape(
        project=SUPPORT,
        service="support-search",
        vocabulary=Vocabulary.OTEL,
        team="support",
        weight=30,
        tags=("customer-facing", "rag"),
        root=Step(kind=Kind.WORKFLOW, name="answer-from-help-center", inside=(*FIND, ANSWER)),
    ),
    Shape(
        project=SUPPORT,
        service="ticket-triage",
        vocabulary=Vocabulary.OTEL,
        team="operations",
        weight=18,
        tags=("batch",),
        root=Step(
            kind=Kind.CHAT,
            name="classify-ticket",
            models=QUICK,
            prompt_tokens=650,
            output_tokens=24,
            says="$subject, urgency $urgency",
        ),
    ),
    Shape(
        project=RESEARCH,
        service="research-worker",
        vocabulary=Vocabulary.OPENINFERENCE,
        team="research",
        weight=66,
        tags=("agentic",),
        root=Step(kind=Kind.AGENT, name="research-agent", inside=RESEARCH_TURN),
    ),
    Shape(
        project=RESEARCH,
        service="research-api",
        vocabulary=Vocabulary.OTEL,
        team="research",
        weight=34,
        tags=("summary",),
        root=Step(
            kind=Kind.WORKFLOW,
            name="summarise-document",
            inside=(
                Step(kind=Kind.EMBEDDINGS, name="embed-document", prompt_tokens=900),
                Step(kind=Kind.CHAT, name="summarise", models=QUICK, prompt_tokens=5200, output_tokens=260),
            ),
        ),
    ),
)

ENVIRONMENTS = (("production", 90.0), ("staging", 10.0))
CHANNELS = (("web", 60.0), ("mobile", 25.0), ("email", 15.0))
INSTRUCTIONS = {
    "support-plan": "Decide which tool answers the customer. Call exactly one tool.",
    "support-answer": "You are the assistant of a shop for electronics. Answer briefly, in the customer's language.",
    "classify-ticket": "Name the topic of the ticket in one word, then its urgency from 1 to 3.",
    "research-plan": "Plan the next step of the research. Prefer primary sources.",
    "research-report": "Write a short report from the sources. State what is uncertain.",
    "summarise": "Summarise the document in at most five sentences.",
}
