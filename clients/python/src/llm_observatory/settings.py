"""What a client is made with."""

import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How patient a client is: seconds for an answer, tries of a call, and replies kept with their tags."""

    timeout: float = 60.0
    tries: int = 4
    kept_replies: int = 128
    transport: Any = None

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError("tries must be at least 1")


def base_url(given: str | None) -> str:
    url = given or os.environ.get("OBSERVATORY_URL") or "http://localhost:8080"
    return url.rstrip("/")


def headers_of(key: str | None) -> dict[str, str]:
    held = key or os.environ.get("OBSERVATORY_KEY")
    agent = {"User-Agent": "llm-observatory-client/1.0"}
    return agent | ({"Authorization": f"Bearer {held}"} if held else {})
