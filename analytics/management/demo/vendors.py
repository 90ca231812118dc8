"""Models of the demo, how their calls fail, and the one incident of a provider, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model: what it is called when asked and when it answers, and how fast it usually is.

    `reasons` is the share of its calls that think first; `caches_from` the prompt tokens from which it caches.
    """

    name: str
    answered_by: str
    provider: str
    provider_in_otel: str
    first_token_s: float
    tokens_per_s: float
    reasons: float = 0.0
    caches_from: int = 1024
    says_cache_writes: bool = False


MODELS = {
    model.name: model
    for model in (
        Model(
            name="gpt-4o",
            answered_by="gpt-4o-2024-08-06",
            provider="openai",
            provider_in_otel="openai",
            first_token_s=0.45,
            tokens_per_s=78,
        ),
        Model(
            name="gpt-4o-mini",
            answered_by="gpt-4o-mini-2024-07-18",
            provider="openai",
            provider_in_otel="openai",
            first_token_s=0.34,
            tokens_per_s=96,
        ),
        Model(
            name="claude-sonnet-4-5",
            answered_by="claude-sonnet-4-5-20250929",
            provider="anthropic",
            provider_in_otel="anthropic",
            first_token_s=0.9,
            tokens_per_s=64,
            says_cache_writes=True,
        ),
        Model(
            name="claude-haiku-4-5",
            answered_by="claude-haiku-4-5-20251001",
            provider="anthropic",
            provider_in_otel="anthropic",
            first_token_s=0.5,
            tokens_per_s=135,
            caches_from=2048,
            says_cache_writes=True,
        ),
        Model(
            name="gemini-2.5-flash",
            answered_by="gemini-2.5-flash",
            provider="google",
            provider_in_otel="gcp.gemini",
            first_token_s=0.4,
            tokens_per_s=180,
            reasons=0.6,
        ),
        Model(
            name="mistral-medium-latest",
            answered_by="mistral-medium-latest",
            provider="mistral",
            provider_in_otel="mistral_ai",
            first_token_s=0.42,
            tokens_per_s=72,
            caches_from=1_000_000,
        ),
    )
}
EMBEDDING_MODEL = Model(
    name="text-embedding-3-small",
    answered_by="text-embedding-3-small",
    provider="openai",
    provider_in_otel="openai",
    first_token_s=0.09,
    tokens_per_s=0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One way a model call goes wrong; `$model` and `$provider` stand in its message.

    `retried`: the caller tries once more. `answered`: tokens were spent and text came back.
    """

    error_type: str
    message: str
    weight: float
    seconds: tuple[float, float]
    http_status: int
    retried: bool = False
    answered: bool = False


FAILURE_RATE = 0.015
FAILURES = (
    Failure(
        error_type="rate_limit_error",
        message="Rate limit reached for $model: 400000 tokens per minute. Please try again in 4.2s.",
        weight=45,
        seconds=(0.06, 0.3),
        http_status=429,
        retried=True,
    ),
    Failure(
        error_type="timeout",
        message="Request to $provider timed out after 30 s.",
        weight=25,
        seconds=(30.0, 30.05),
        http_status=504,
        retried=True,
    ),
    Failure(
        error_type="context_length_exceeded",
        message="The messages are longer than the context window of $model. Please shorten them.",
        weight=18,
        seconds=(0.1, 0.4),
        http_status=400,
    ),
    Failure(
        error_type="content_filter",
        message="The response of $model was stopped by the content filter.",
        weight=12,
        seconds=(0.8, 2.5),
        http_status=200,
        answered=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One provider in trouble: every call is `slowdown` times slower and `failure_rate` of them fail.

    `hours` are UTC hours `[first, last)` of the day that is `days_before_end` days before the end of the data.
    """

    provider: str
    days_before_end: int
    hours: tuple[int, int]
    slowdown: float
    failure_rate: float
    failures: tuple[Failure, ...]


INCIDENT = Incident(
    provider="anthropic",
    days_before_end=3,
    hours=(14, 16),
    slowdown=8.0,
    failure_rate=0.35,
    failures=(
        Failure(
            error_type="overloaded_error",
            message="Overloaded: elevated errors and latency at $provider, see its status page.",
            weight=70,
            seconds=(0.8, 2.5),
            http_status=529,
        ),
        Failure(
            error_type="timeout",
            message="Request to $provider timed out after 60 s during an incident of the provider.",
            weight=30,
            seconds=(7.5, 7.51),  # times the slowdown
            http_status=504,
        ),
    ),
)
