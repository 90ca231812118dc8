"""Token counts as emitters tell them, split into disjoint parts."""

from typing import NamedTuple

from analytics.pricing.usage import PARTS, Usage

USAGE_CLAMPED = "usage_clamped"
INCLUSIVE, EXCLUSIVE, EXCLUSIVE_INFERRED = "inclusive", "exclusive", "exclusive_inferred"
# The totals that can leave out their parts.
INPUT, OUTPUT = "input", "output"
BOTH, NEITHER = frozenset({INPUT, OUTPUT}), frozenset[str]()
# Columns are four bytes wide, and the sum of all parts must fit too.
MOST_TOKENS = 2**31 - 1
# Where tokens are taken from when a span claims more than can be stored: the parts that were told least directly first.
_GIVING_ORDER = (
    "uncached_input",
    "visible_output",
    *(part for part in PARTS if part not in {"uncached_input", "visible_output"}),
)


class Counts(NamedTuple):
    """Token counts as sent, none negative; `None` means not said. `cache_write` holds writes of either lifetime."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    reasoning: int | None = None

    @property
    def said(self) -> bool:
        """Whether there is any count."""
        return any(count is not None for count in self)


def split(counts: Counts, *, exclusive: frozenset[str] = NEITHER) -> tuple[Usage, str, tuple[str, ...]]:
    """Return the disjoint parts of `counts`, the rule they were split by, and notes.

    Totals include their parts, unless the emitter is known to leave them out of the totals in `exclusive`, or cannot
    have included them: cached parts above the input, reasoning above the output, or a grand total that is larger by
    just these parts (exclusive_inferred). A part that would be negative becomes 0 and the audio part gives way; with a
    grand total alone, all of it is uncached input; one that contradicts the totals changes nothing, but is noted.
    """
    whole_input, whole_output = counts.input or 0, counts.output or 0
    if counts.input is None and counts.output is None:
        whole_input = counts.total or 0
    read, reasoning = counts.cache_read or 0, counts.reasoning or 0
    write_5m, write_1h, writes_clamped = _writes(counts)

    cached = read + write_5m + write_1h
    inferred = NEITHER if counts.total is None else _beside_the_totals(counts, cached, reasoning)
    outside_input = INPUT in exclusive or INPUT in inferred or cached > whole_input
    outside_output = OUTPUT in exclusive or OUTPUT in inferred or reasoning > whole_output
    text_and_audio_in = whole_input if outside_input else whole_input - cached
    text_and_audio_out = whole_output if outside_output else whole_output - reasoning
    audio_in = min(counts.audio_input or 0, text_and_audio_in)
    audio_out = min(counts.audio_output or 0, text_and_audio_out)
    usage = Usage(
        text_and_audio_in - audio_in, read, write_5m, write_1h, audio_in,
        text_and_audio_out - audio_out, reasoning, audio_out,
    )  # fmt: skip
    clamped = writes_clamped or audio_in < (counts.audio_input or 0) or audio_out < (counts.audio_output or 0)
    if counts.total is not None:
        clamped |= _is_contradicted(counts, counts.total, usage.prompt + usage.completion)
    if whole_input + whole_output + cached + reasoning > MOST_TOKENS:
        clamped |= _fit(usage)
    rule = EXCLUSIVE if exclusive else EXCLUSIVE_INFERRED if outside_input or outside_output else INCLUSIVE
    return usage, rule, (USAGE_CLAMPED,) if clamped else ()


def _beside_the_totals(counts: Counts, cached: int, reasoning: int) -> frozenset[str]:
    """Return the totals that leave out their parts by the emitter's own sum of everything."""
    if counts.input is None or counts.output is None or counts.total is None:
        return NEITHER
    more = counts.total - counts.input - counts.output
    if more <= 0:
        return NEITHER
    sums = ((cached, frozenset({INPUT})), (reasoning, frozenset({OUTPUT})), (cached + reasoning, BOTH))
    return next((totals for parts, totals in sums if parts == more), NEITHER)


def _is_contradicted(counts: Counts, total: int, whole: int) -> bool:
    """Whether the emitter's own `total` is neither that of its totals nor the `whole` that they were read as.

    Of a total that was not said nothing is known but that it is not negative.
    """
    if counts.input is None and counts.output is None:
        return False
    if counts.input is None or counts.output is None:
        return total < (counts.input or counts.output or 0)
    return total not in {counts.input + counts.output, whole}


def _writes(counts: Counts) -> tuple[int, int, bool]:
    """Return 5-minute writes, 1-hour writes and whether the latter were reduced to their total."""
    one_hour = counts.cache_write_1h or 0
    if counts.cache_write is None:
        return 0, one_hour, False
    kept = min(one_hour, counts.cache_write)
    return counts.cache_write - kept, kept, kept < one_hour


def _fit(usage: Usage) -> bool:
    excess = usage.prompt + usage.completion - MOST_TOKENS
    if excess <= 0:
        return False
    for part in _GIVING_ORDER:
        given = min(getattr(usage, part), excess)
        setattr(usage, part, getattr(usage, part) - given)
        excess -= given
    return True
