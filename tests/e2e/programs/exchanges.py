"""What is said between the instrumented programs and the model server, with the usage the server bills: the one truth."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call: what the program asks of `model` and what the server answers. Token totals include their details."""

    name: str
    model: str
    answered_by: str = ""
    messages: tuple[tuple[str, str], ...]
    answer: str = ""
    streamed: bool = False
    usage_in_stream: bool = True
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.03
    status: int = 200
    error: str = ""
    error_code: str = ""

    @property
    def question(self) -> str:
        """The text of all messages in order, one a line."""
        return "\n".join(text for _, text in self.messages)

    @property
    def usage(self) -> dict[str, Any]:
        """Usage as the chat completions API words it."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens, "audio_tokens": 0},
        }


CHATS = (
    Exchange(
        name="plain",
        model="gpt-4o",
        answered_by="gpt-4o-2024-08-06",
        messages=(("user", "Which river flows through Dresden?"),),
        answer="The Elbe flows through Dresden.",
        prompt_tokens=1000,
        completion_tokens=500,
        seconds=0.12,
    ),
    Exchange(
        name="cached",
        model="gpt-4o",
        answered_by="gpt-4o-2024-08-06",
        messages=(
            ("system", "You answer questions about the handbook in one sentence."),
            ("user", "Wie viele Urlaubstage habe ich?"),
        ),
        answer="Laut Handbuch sind es dreißig Tage im Jahr.",
        prompt_tokens=2048,
        cached_tokens=1536,
        completion_tokens=77,
        reasoning_tokens=32,
    ),
    Exchange(
        name="streamed",
        model="gpt-4o-mini",
        answered_by="gpt-4o-mini-2024-07-18",
        messages=(("user", "Name three prime numbers above one hundred."),),
        answer="101, 103 and 107 are prime.",
        streamed=True,
        prompt_tokens=310,
        cached_tokens=128,
        completion_tokens=221,
        reasoning_tokens=64,
        seconds=0.15,
    ),
    Exchange(
        name="streamed_without_usage",
        model="gpt-4o-mini",
        answered_by="gpt-4o-mini-2024-07-18",
        messages=(("user", "日本の首都はどこですか。"),),
        answer="日本の首都は東京です。",
        streamed=True,
        usage_in_stream=False,
        prompt_tokens=18,
        completion_tokens=9,
    ),
    Exchange(
        name="limited",
        model="gpt-4o",
        messages=(("user", "Summarise the annual report."),),
        status=429,
        error="Rate limit reached for gpt-4o: 30000 tokens per minute.",
        error_code="rate_limit_exceeded",
    ),
    Exchange(
        name="broken",
        model="gpt-broken",
        messages=(("user", "Are you there?"),),
        status=500,
        error="The server had an error while processing your request.",
        error_code="server_error",
    ),
)
EMBEDDING = Exchange(
    name="embedding",
    model="text-embedding-3-small",
    answered_by="text-embedding-3-small",
    messages=(("user", "The Elbe flows through Dresden."),),
    prompt_tokens=12,
)
EXCHANGES = (*CHATS, EMBEDDING)
