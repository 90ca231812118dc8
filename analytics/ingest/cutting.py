"""Cutting text to a length, wherever it is."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Cutter:
    """Cuts texts to `limit` characters and remembers whether it had to."""

    limit: int
    has_cut: bool = False

    def cut(self, value: Any) -> Any:
        """Return a JSON value with every text in it at most `limit` long; keys are left alone."""
        if isinstance(value, str):
            if len(value) <= self.limit:
                return value
            self.has_cut = True
            return value[: self.limit]
        if isinstance(value, dict):
            return {key: self.cut(item) for key, item in value.items()}
        return [self.cut(item) for item in value] if isinstance(value, list) else value
