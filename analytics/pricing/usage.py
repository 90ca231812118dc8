"""Token usage as eight disjoint parts, the only form in which usage is stored, priced and summed."""

from dataclasses import dataclass, fields
from operator import attrgetter


@dataclass(slots=True)  # neither frozen nor by name only, which costs four times as much to make: one for every span
class Usage:
    """Disjoint token counts: the first five add up to the prompt's tokens, the last three to the completion's."""

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    visible_output: int = 0
    reasoning: int = 0
    audio_output: int = 0

    def __post_init__(self) -> None:
        if min(parts_of(self)) < 0:
            raise ValueError(f"a token count is negative: {self}")

    @property
    def prompt(self) -> int:
        """Tokens of the prompt: the sum of the five input parts."""
        return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.audio_input

    @property
    def completion(self) -> int:
        """Tokens of the completion: the sum of the three output parts."""
        return self.visible_output + self.reasoning + self.audio_output


PARTS: tuple[str, ...] = tuple(field.name for field in fields(Usage))
# The counts of a usage, in the order of `PARTS`.
parts_of = attrgetter(*PARTS)
