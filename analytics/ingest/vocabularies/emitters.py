"""Emitters whose token totals leave out their parts: the default is that they include them.

A row is written from the emitter's source. `provider` narrows it to what the emitter passes on as that provider says
it; `unless` names an attribute that only its versions with complete totals send.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics.ingest.tokens import BOTH, INPUT, NEITHER, OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitter:
    """An instrumentation scope, and the totals that leave out cached parts (input) or reasoning (output)."""

    scope: str
    leaves_out: frozenset[str]
    why: str
    providers: frozenset[str] = frozenset()
    unless: str = ""


_INPUT, _OUTPUT = frozenset({INPUT}), frozenset({OUTPUT})

EMITTERS: tuple[Emitter, ...] = (
    Emitter(
        scope="ai",
        leaves_out=_INPUT,
        providers=frozenset({"anthropic", "aws.bedrock"}),
        unless="ai.usage.inputTokenDetails.noCacheTokens",
        why="The AI SDK before version 6 hands on Anthropic's and Bedrock's count of uncached tokens as the input.",
    ),
    Emitter(
        scope="opentelemetry.instrumentation.bedrock",
        leaves_out=_INPUT,
        why="OpenLLMetry hands on `inputTokens` of Converse, which excludes what the cache read and wrote.",
    ),
    Emitter(
        scope="gcp.vertex.agent",
        leaves_out=_OUTPUT,
        why="ADK's output is `candidates_token_count`; thoughts are counted beside it.",
    ),
    Emitter(
        scope="opentelemetry.instrumentation.google_genai",
        leaves_out=_OUTPUT,
        why="The output is `candidates_token_count`; thoughts are counted beside it.",
    ),
    Emitter(
        scope="genkit-tracer",
        leaves_out=_OUTPUT,
        providers=frozenset({"google", "gcp.vertex_ai"}),
        why="Genkit's `outputTokens` of Gemini are the candidates' tokens; thoughts are counted beside them.",
    ),
    Emitter(
        scope="langfuse-sdk",
        leaves_out=BOTH,
        why="Keys of Langfuse's `usage_details` add up: `input` is what no other key counts.",
    ),
)
_BY_SCOPE: Mapping[str, Emitter] = {one.scope: one for one in EMITTERS}


def left_out(scope: str, provider: str | None, attributes: Mapping[str, Any]) -> frozenset[str]:
    """Return the totals that leave out their parts in a span of `scope`."""
    emitter = _BY_SCOPE.get(scope)
    if emitter is None or (emitter.unless and emitter.unless in attributes):
        return NEITHER
    return emitter.leaves_out if not emitter.providers or provider in emitter.providers else NEITHER
