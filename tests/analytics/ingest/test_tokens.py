import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest.tokens import BOTH, INPUT, MOST_TOKENS, NEITHER, OUTPUT, Counts, split
from analytics.ingest.vocabularies.emitters import left_out
from analytics.pricing.usage import PARTS, Usage

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
        (Counts(input=60, total=50), False, (Usage(uncached_input=60), "inclusive", CLAMPED)),
        (Counts(output=60, total=50), False, (Usage(visible_output=60), "inclusive", CLAMPED)),
        (
            Counts(input=60, output=20, total=90),
            False,
            (Usage(uncached_input=60, visible_output=20), "inclusive", CLAMPED),
        ),
        (
            Counts(input=60, output=20, total=70),
            False,
            (Usage(uncached_input=60, visible_output=20), "inclusive", CLAMPED),
        ),
        (
            Counts(input=60, output=20, total=0),
            False,
            (Usage(uncached_input=60, visible_output=20), "inclusive", CLAMPED),
        ),
        (
            Counts(input=60, output=20, total=80, cache_read=50),
            True,
            (Usage(uncached_input=60, cache_read=50, visible_output=20), "exclusive", ()),
        ),
        (
            Counts(input=60, output=20, total=130, cache_read=50),
            True,
            (Usage(uncached_input=60, cache_read=50, visible_output=20), "exclusive", ()),
        ),
        (
            Counts(input=60, output=20, total=100, cache_read=50),
            True,
            (Usage(uncached_input=60, cache_read=50, visible_output=20), "exclusive", CLAMPED),
        ),
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
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_parts_always_add_up_and_fit_their_columns(counts, exclusive):
    usage, _, _ = split(counts, exclusive=BOTH if exclusive else NEITHER)

    assert (
        usage.prompt
        == usage.uncached_input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h + usage.audio_input
    )
    assert usage.completion == usage.visible_output + usage.reasoning + usage.audio_output
    assert usage.prompt + usage.completion <= MOST_TOKENS


some = {
    **dict.fromkeys(("input", "output", "cache_read", "cache_write", "audio_input", "reasoning"), small),
    **dict.fromkeys(("total", "cache_write_1h", "audio_output"), st.none()),
}


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


@pytest.mark.parametrize(
    ("counts", "prompt", "completion", "rule"),
    [
        # Bedrock's Converse: the total counts what the cache read and wrote, the input does not.
        (Counts(input=100, output=20, total=470, cache_read=300, cache_write=50), 450, 20, "exclusive_inferred"),
        # Gemini: thoughts are beside the answer.
        (Counts(input=1000, output=400, total=1500, cache_read=300, reasoning=100), 1000, 500, "exclusive_inferred"),
        (Counts(input=700, output=400, total=1500, cache_read=300, reasoning=100), 1000, 500, "exclusive_inferred"),
        (Counts(input=1000, output=500, total=1500, cache_read=300, reasoning=100), 1000, 500, "inclusive"),
        (Counts(input=1000, total=1300, cache_read=300), 1000, 0, "inclusive"),
    ],
)
def test_an_emitters_own_sum_tells_what_its_totals_leave_out(counts, prompt, completion, rule):
    usage, told, notes = split(counts)

    assert (usage.prompt, usage.completion, told, notes) == (prompt, completion, rule, ())


def test_one_total_can_leave_out_its_parts_and_the_other_include_them():
    counts = Counts(input=1000, output=400, cache_read=300, reasoning=100)

    usage, rule, _ = split(counts, exclusive=frozenset({OUTPUT}))

    assert (usage, rule) == (
        Usage(uncached_input=700, cache_read=300, visible_output=400, reasoning=100),
        "exclusive",
    )


@pytest.mark.parametrize(
    ("scope", "provider", "attributes", "expected"),
    [
        ("ai", "anthropic", {}, {INPUT}),
        ("ai", "anthropic", {"ai.usage.inputTokenDetails.noCacheTokens": 1}, set()),
        ("ai", "openai", {}, set()),
        ("ai", None, {}, set()),
        ("gcp.vertex.agent", None, {}, {OUTPUT}),
        ("opentelemetry.instrumentation.bedrock", "aws.bedrock", {}, {INPUT}),
        ("langfuse-sdk", "openai", {}, {INPUT, OUTPUT}),
        ("", "anthropic", {}, set()),
    ],
)
def test_emitters_are_known_by_their_scope(scope, provider, attributes, expected):
    assert left_out(scope, provider, attributes) == expected


@given(counts=counts_of_any_kind, exclusive=st.sampled_from([NEITHER, frozenset({INPUT}), frozenset({OUTPUT}), BOTH]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_no_part_is_negative_under_any_rule(counts, exclusive):
    usage, rule, _ = split(counts, exclusive=exclusive)

    assert min(getattr(usage, part) for part in PARTS) >= 0
    assert (rule == "exclusive") is bool(exclusive)


def test_tokens_that_no_part_explains_prove_nothing_and_are_noted():
    usage, told, notes = split(Counts(input=1000, output=500, total=1700, cache_read=300, reasoning=100))

    assert (usage.prompt, usage.completion, told, notes) == (1000, 500, "inclusive", CLAMPED)
