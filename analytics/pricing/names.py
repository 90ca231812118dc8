"""Other ways to write a model's name than the one its provider's price list has.

Each says the very same model of the very same provider; a name that says more (a region, a route, a variant) is none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """A way in which `by` writes models of `providers`: the group of `pattern` is the name in the price list."""

    providers: frozenset[str]
    pattern: re.Pattern[str]
    by: str


# What routers write before the name of a provider's model: LiteLLM, OpenRouter's clients, Genkit, Mastra, the AI SDK.
_PREFIXES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("openai",): ("openai", "text-completion-openai"),
    ("anthropic",): ("anthropic",),
    ("azure.ai.openai", "azure.ai.inference"): ("azure", "azure_ai", "openai"),
    ("google",): ("google", "gemini", "googleai", "google_genai"),
    ("gcp.vertex_ai",): ("google", "vertex_ai", "vertex_ai_beta", "vertexai", "gemini"),
    ("mistral",): ("mistral", "mistralai"),
    ("cohere",): ("cohere", "cohere_chat"),
    ("deepseek",): ("deepseek",),
    ("groq",): ("groq",),
    ("perplexity",): ("perplexity",),
    ("cerebras",): ("cerebras",),
    ("moonshot", "moonshotai"): ("moonshot", "moonshotai"),
    ("together", "together_ai"): ("together", "together_ai", "togetherai"),
    ("fireworks",): ("fireworks_ai", "fireworks"),
    ("x_ai", "xai", "x-ai"): ("xai", "x-ai"),
    ("voyageai",): ("voyage", "voyageai"),
    ("openrouter",): ("openrouter",),
}
# A colon begins a variant, which can have another price; fine-tunes have theirs in the list.
_BARE = r"(ft:.+|[^:]+)"

SPELLINGS: Sequence[Spelling] = (
    *(
        Spelling(
            providers=frozenset(providers),
            pattern=re.compile(rf"(?:{'|'.join(map(re.escape, prefixes))})/{_BARE}"),
            by="routers, which write who answers before the name",
        )
        for providers, prefixes in _PREFIXES.items()
    ),
    Spelling(
        providers=frozenset({"google", "gcp.vertex_ai"}),
        pattern=re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/google/)?models/([^/:]+)"),
        by="Google's APIs, in which models are resources",
    ),
    Spelling(
        providers=frozenset({"aws.bedrock", "aws"}),
        pattern=re.compile(r"arn:aws[a-z\-]*:bedrock:[a-z0-9\-]*:[0-9]*:(?:foundation-model|inference-profile)/(.+)"),
        by="Bedrock: the ARN of a model or of a profile across regions; what others stand for is not in their names",
    ),
    Spelling(
        providers=frozenset({"aws.bedrock", "aws"}),
        pattern=re.compile(r"bedrock/(?:converse/|invoke/)?([^/]+)"),
        by="LiteLLM; with a region in between the price may be another",
    ),
)


def other_names(provider: str, model: str) -> Iterator[str]:
    """Yield how a provider's price list may write a model that a span calls `model`."""
    for spelling in SPELLINGS:
        if provider in spelling.providers and (found := spelling.pattern.fullmatch(model)):
            yield found[1]
