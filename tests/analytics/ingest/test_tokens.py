import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.ingest.tokens import BOTH, MOST_TOKENS, NEITHER, Counts, split
from analytics.pricing.usage import Usage

CLAMPED = ("usage_clamped",)


@pytest.mark.parametrize(
    ("counts", "exclusive", "expected"),
    [
        (
            Counts(input=1000, output=500),
            False,
            (Usage(uncached_input=1000, visible_output=500), "inclusive", ()),
        ),
        (
            Counts(input=1000, output=500, total=1500, cache_read=300, cache_write=200, reasoning=100),
            False,
            (
                Usage(uncached_input=500, cache_read=300, cache_write_5m=200, visible_output=400, reasoning=100),
                "inclusive",
                (),
            ),
        ),
        (
            Counts(input=1000, output=500, audio_input=50, audio_output=60),
            False,
            (
                Usage(uncached_input=950, audio_input=50, visible_output=440, audio_output=60),
                "inclusive",
                (),
            ),
        ),
        (
            Counts(input=1000, output=500, cache_read=300, cache_write=200, reasoning=100),
            True,
            (
                Usage(uncached_input=1000, cache_read=300, cache_write_5m=200, visible_output=500, reasoning=100),
                "exclusive",
                (),
            ),
        ),
        (
            Counts(input=10, output=500, cache_read=300, cache_write=200),
            False,
            (
                Usage(uncached_input=10, cache_read=300, cache_write_5m=200, visible_output=500),
                "exclusive_inferred",
                (),
            ),
        ),
        (
            Counts(input=10, output=5, reasoning=100),
            False,
            (Usage(uncached_input=10, visible_output=5, reasoning=100), "exclusive_inferred", ()),
        ),
        (
            Counts(input=100, output=0, cache_read=80, audio_input=50),
            False,
            (Usage(cache_read=80, audio_input=20), "inclusive", CLAMPED),
        ),
        (
            Counts(input=0, output=100, reasoning=80, audio_output=50),
            False,
            (Usage(reasoning=80, audio_output=20), "inclusive", CLAMPED),
        ),
        (
            Counts(input=10, output=10, audio_input=20, audio_output=20),
            True,
            (Usage(audio_input=10, audio_output=10), "exclusive", CLAMPED),
        ),
        (
            Counts(input=1000, cache_write=300, cache_write_1h=100),
            False,
            (Usage(uncached_input=700, cache_write_5m=200, cache_write_1h=100), "inclusive", ()),
        ),
        (
            Counts(input=1000, cache_write_1h=100),
            False,
            (Usage(uncached_input=900, cache_write_1h=100), "inclusive", ()),
        ),
        (
            Counts(input=1000, cache_write=50, cache_write_1h=100),
            False,
            (Usage(uncached_input=950, cache_write_1h=50), "inclusive", CLAMPED),
        ),
        (Counts(total=70), False, (Usage(uncached_input=70), "inclusive", ())),
        (Counts(input=60, total=70), False, (Usage(uncached_input=60), "inclusive", ())),
        (Counts(output=60, total=70), False, (Usage(visible_output=60), "inclusive", ())),
        (
            Counts(input=MOST_TOKENS + 5, output=10),
            False,
            (Usage(uncached_input=MOST_TOKENS - 10, visible_output=10), "inclusive", CLAMPED),
        ),
    ],
)
def test_counts_are_split_into_disjoint_parts(counts, exclusive, expected):
    assert split(counts, exclusive=BOTH if exclusive else NEITHER) == expected


def test_no_count_says_nothing():
    assert (Counts().said, Counts(reasoning=0).said) == (False, True)


count = st.none() | st.integers(0, 5000) | st.integers(0, 2**40)
counts_of_any_kind = st.builds(
    Counts,
    input=count,
    output=count,
    total=count,
    cache_read=count,
    cache_write=count,
    cache_write_1h=count,
    audio_input=count,
    audio_output=count,
    reasoning=count,
)
small = st.integers(0, 1000)


@given(counts=counts_of_any_kind, exclusive=st.booleans())
@settings(max_examples=500)
def test_parts_always_add_up_and_fit_their_columns(counts, exclusive):
    usage, _, _ = split(counts, exclusive=BOTH if exclusive else NEITHER)

    assert (
        usage.prompt
        == usage.uncached_input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h + usage.audio_input
    )
    assert usage.completion == usage.visible_output + usage.reasoning + usage.audio_output
    assert usage.prompt + usage.completion <= MOST_TOKENS


some = dict.fromkeys(("input", "output", "cache_read", "cache_write", "audio_input", "reasoning"), small)


@given(counts=st.builds(Counts, **some))
def test_sums_of_parts_are_the_totals_that_the_rule_promises(counts):
    usage, _, _ = split(counts)

    outside = counts.cache_read + counts.cache_write
    assert usage.prompt == (counts.input if outside <= counts.input else counts.input + outside)
    assert usage.completion == (
        counts.output if counts.reasoning <= counts.output else counts.output + counts.reasoning
    )


@given(counts=st.builds(Counts, **some | {"audio_input": st.none()}))
def test_exclusive_totals_leave_out_their_parts(counts):
    usage, rule, notes = split(counts, exclusive=BOTH)

    assert (usage.prompt, usage.completion, rule, notes) == (
        counts.input + counts.cache_read + counts.cache_write,
        counts.output + counts.reasoning,
        "exclusive",
        (),
    )
