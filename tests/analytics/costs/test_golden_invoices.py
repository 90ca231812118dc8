"""Bills worked out by hand: calls as instrumentors tell them go in through OTLP, and every nano-dollar comes out.

Prices are dollars per million tokens, so a price of 2.50 is 2,500 nano-dollars a token. All figures below are
nano-dollars; a bill is their sum.
"""

from decimal import Decimal

import pytest

from analytics.models import ModelPrice
from tests.analytics.api.payloads import now_ns, span
from tests.analytics.costs.books import add, row

BOOK = {
    "openai": (
        row(provider="openai", model_pattern="gpt-5*", input="1.25", output="10", cache_read="0.125"),
        row(
            provider="openai",
            model_pattern="gpt-5*",
            service_tier="batch",
            input="0.625",
            output="5",
            cache_read="0.0625",
        ),
        row(provider="openai", model_pattern="gpt-4o*", input="2.5", output="10", cache_read="1.25"),
        row(
            provider="openai",
            model_pattern="gpt-4o-audio-preview",
            input="2.5",
            output="10",
            audio_input="40",
            audio_output="80",
        ),
    ),
    "anthropic": (
        row(
            provider="anthropic",
            model_pattern="claude-sonnet-4-5*",
            input="3",
            output="15",
            cache_read="0.3",
            cache_write_5m="3.75",
            cache_write_1h="6",
        ),
        row(
            provider="anthropic",
            model_pattern="claude-sonnet-4-5*",
            min_prompt_tokens=200_000,
            input="6",
            output="22.5",
            cache_read="0.6",
            cache_write_5m="7.5",
            cache_write_1h="12",
        ),
    ),
    "google": (
        row(provider="google", model_pattern="gemini-2.5-pro", input="1.25", output="10", cache_read="0.125"),
        row(
            provider="google",
            model_pattern="gemini-2.5-pro",
            min_prompt_tokens=200_000,
            input="2.5",
            output="15",
            cache_read="0.25",
        ),
        row(
            provider="google",
            model_pattern="gemini-2.5-flash-lite",
            input="0.1",
            output="0.4",
            cache_read="0.025",
            audio_input="0.3",
        ),
    ),
    "aws.bedrock": (
        row(
            provider="aws.bedrock",
            model_pattern="*anthropic.claude-3-7-sonnet*",
            input="3",
            output="15",
            cache_read="0.3",
            cache_write_5m="3.75",
        ),
        row(
            provider="aws.bedrock",
            model_pattern="amazon.nova-micro*",
            input="0.035",
            output="0.14",
            cache_read="0.00875",
        ),
    ),
    "perplexity": (row(provider="perplexity", model_pattern="sonar-pro", input="3", output="15", per_request="0.014"),),
}


def otel(provider, model, **usage):
    """Attributes of a chat by OpenTelemetry's names; the short names of token counts are looked up."""
    names = {
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "read": "gen_ai.usage.cache_read.input_tokens",
        "write": "gen_ai.usage.cache_creation.input_tokens",
        "write_1h": "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        "reasoning": "gen_ai.usage.reasoning.output_tokens",
        "tier": "openai.response.service_tier",
        "answered": "gen_ai.response.model",
    }
    usage = {"output": None} | usage
    return {"gen_ai.provider.name": provider, "gen_ai.request.model": model} | {
        names[name]: value for name, value in usage.items()
    }


def openinference(provider, model, **usage):
    names = {
        "input": "prompt",
        "output": "completion",
        "read": "prompt_details.cache_read",
        "audio": "prompt_details.audio",
        "audio_output": "completion_details.audio",
        "reasoning": "completion_details.reasoning",
    }
    nothing = dict.fromkeys(("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"))
    nothing |= dict.fromkeys(("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"))
    return (
        nothing
        | {"openinference.span.kind": "LLM", "llm.provider": provider, "llm.model_name": model}
        | {f"llm.token_count.{names[name]}": value for name, value in usage.items()}
    )


def openllmetry(provider, model, **usage):
    names = {
        "input": "gen_ai.usage.prompt_tokens",
        "output": "gen_ai.usage.completion_tokens",
        "read": "gen_ai.usage.cache_read_input_tokens",
        "write": "gen_ai.usage.cache_creation_input_tokens",
        "reasoning": "gen_ai.usage.reasoning_tokens",
    }
    nothing = dict.fromkeys(("gen_ai.operation.name", "gen_ai.provider.name"))
    nothing |= dict.fromkeys(("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"))
    return (
        nothing
        | {"llm.request.type": "chat", "gen_ai.system": provider, "gen_ai.request.model": model}
        | {names[name]: value for name, value in usage.items()}
    )


BILLS = [
    pytest.param(
        "openai",
        [
            # 10,000 in, 8,192 of them from the cache; 3,000 out, 2,560 of them reasoning.
            # (10000 - 8192) x 1250 + 8192 x 125; (3000 - 2560) x 10000 + 2560 x 10000
            (
                otel(
                    "openai",
                    "gpt-5",
                    answered="gpt-5-2025-08-07",
                    input=10_000,
                    read=8_192,
                    output=3_000,
                    reasoning=2_560,
                ),
                {
                    "uncached_input": 2_260_000,
                    "cache_read": 1_024_000,
                    "visible_output": 4_400_000,
                    "reasoning": 25_600_000,
                },
            ),
            # The same in a batch, at half the price: 1808 x 625 + 8192 x 62.5; 440 x 5000 + 2560 x 5000
            (
                otel("openai", "gpt-5", input=10_000, read=8_192, output=3_000, reasoning=2_560, tier="batch"),
                {
                    "uncached_input": 1_130_000,
                    "cache_read": 512_000,
                    "visible_output": 2_200_000,
                    "reasoning": 12_800_000,
                },
            ),
            # The contract's own example: 1000 x 2500 + 500 x 10000
            (
                otel("openai", "gpt-4o", input=1_000, output=500),
                {"uncached_input": 2_500_000, "visible_output": 5_000_000},
            ),
            # 300 in, 250 of them audio; 120 out, 90 of them audio: 50 x 2500 + 250 x 40000; 30 x 10000 + 90 x 80000
            (
                openinference("openai", "gpt-4o-audio-preview", input=300, audio=250, output=120, audio_output=90),
                {
                    "uncached_input": 125_000,
                    "audio_input": 10_000_000,
                    "visible_output": 300_000,
                    "audio_output": 7_200_000,
                },
            ),
        ],
        # 33,284,000 + 16,642,000 + 7,500,000 + 17,625,000
        75_051_000,
        id="openai",
    ),
    pytest.param(
        "anthropic",
        [
            # Anthropic's input leaves the cache out. The first turn writes 4,000 tokens for five minutes and 1,000 for
            # an hour: 50 x 3000 + 4000 x 3750 + 1000 x 6000; 400 x 15000
            (
                otel("anthropic", "claude-sonnet-4-5-20250929", input=50, write=5_000, write_1h=1_000, output=400),
                {
                    "uncached_input": 150_000,
                    "cache_write_5m": 15_000_000,
                    "cache_write_1h": 6_000_000,
                    "visible_output": 6_000_000,
                },
            ),
            # The second reads them: 120 x 3000 + 5000 x 300; 350 x 15000
            (
                openllmetry("anthropic", "claude-sonnet-4-5-20250929", input=120, read=5_000, output=350),
                {"uncached_input": 360_000, "cache_read": 1_500_000, "visible_output": 5_250_000},
            ),
            # A prompt of 10 + 210,000 tokens is above the threshold: 10 x 6000 + 210000 x 600; 1000 x 22500
            (
                otel("anthropic", "claude-sonnet-4-5-20250929", input=10, read=210_000, output=1_000),
                {"uncached_input": 60_000, "cache_read": 126_000_000, "visible_output": 22_500_000},
            ),
            # Thinking is output, also where an emitter counts it apart: 1000 x 3000; (800 - 500) x 15000 + 500 x 15000
            (
                otel("anthropic", "anthropic/claude-sonnet-4-5", input=1_000, output=800, reasoning=500),
                {"uncached_input": 3_000_000, "visible_output": 4_500_000, "reasoning": 7_500_000},
            ),
        ],
        # 27,150,000 + 7,110,000 + 148,560,000 + 15,000,000
        197_820_000,
        id="anthropic",
    ),
    pytest.param(
        "google",
        [
            # Thoughts are output: 4,000 in, 3,000 of them cached; 1,000 out, 600 of them thought.
            # 1000 x 1250 + 3000 x 125; 400 x 10000 + 600 x 10000
            (
                openinference("google", "gemini-2.5-pro", input=4_000, read=3_000, output=1_000, reasoning=600),
                {
                    "uncached_input": 1_250_000,
                    "cache_read": 375_000,
                    "visible_output": 4_000_000,
                    "reasoning": 6_000_000,
                },
            ),
            # 200,000 tokens are not above 200,000: 200000 x 1250; 10 x 10000
            (
                otel("gcp.gemini", "gemini-2.5-pro", input=200_000, output=10),
                {"uncached_input": 250_000_000, "visible_output": 100_000},
            ),
            # One more is: 200001 x 2500; 10 x 15000
            (
                otel("gcp.gemini", "gemini-2.5-pro", input=200_001, output=10),
                {"uncached_input": 500_002_500, "visible_output": 150_000},
            ),
            # 1,333 in, 333 of them cached and 200 audio: 800 x 100 + 333 x 25 + 200 x 300; 7 x 400
            (
                openinference("google", "gemini-2.5-flash-lite", input=1_333, read=333, audio=200, output=7),
                {"uncached_input": 80_000, "cache_read": 8_325, "audio_input": 60_000, "visible_output": 2_800},
            ),
            # The API's own name of the model. 1000 x 1250 + 1000 x 125; 200 x 10000 + 300 x 10000
            (
                otel("gcp.gemini", "models/gemini-2.5-pro", input=2_000, read=1_000, output=500, reasoning=300),
                {
                    "uncached_input": 1_250_000,
                    "cache_read": 125_000,
                    "visible_output": 2_000_000,
                    "reasoning": 3_000_000,
                },
            ),
        ],
        # 11,625,000 + 250,100,000 + 500,152,500 + 151,125 + 6,375,000
        768_403_625,
        id="google",
    ),
    pytest.param(
        "aws.bedrock",
        [
            # A profile of a region; writes without a price of an hour are those of five minutes.
            # 10 x 3000 + 1000 x 300 + 500 x 3750; 300 x 15000
            (
                openllmetry(
                    "aws_bedrock",
                    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
                    input=10,
                    read=1_000,
                    write=500,
                    output=300,
                ),
                {
                    "uncached_input": 30_000,
                    "cache_read": 300_000,
                    "cache_write_5m": 1_875_000,
                    "visible_output": 4_500_000,
                },
            ),
            # Halves go to the even nano-dollar: 8.75 x 2 = 17.5 -> 18; (5 - 2) x 35 = 105; 3 x 140
            (
                otel("aws.bedrock", "amazon.nova-micro-v1:0", input=5, read=2, output=3),
                {"uncached_input": 105, "cache_read": 18, "visible_output": 420},
            ),
            # 8.75 x 6 = 52.5 -> 52; (7 - 6) x 35; 0
            (
                otel("aws.bedrock", "amazon.nova-micro-v1:0", input=7, read=6),
                {"uncached_input": 35, "cache_read": 52},
            ),
            # By its ARN, with reasoning: (100 - 40) x 35 + 40 x 8.75; (30 - 20) x 140 + 20 x 140
            (
                otel(
                    "aws.bedrock",
                    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0",
                    input=100,
                    read=40,
                    output=30,
                    reasoning=20,
                ),
                {"uncached_input": 2_100, "cache_read": 350, "visible_output": 1_400, "reasoning": 2_800},
            ),
        ],
        # 6,705,000 + 543 + 87 + 6,650
        6_712_280,
        id="bedrock",
    ),
    pytest.param(
        "perplexity",
        [
            # 14,000,000 for the request, whatever its tokens: 200 x 3000; 100 x 15000
            (
                otel("perplexity", "sonar-pro", input=200, output=100),
                {"uncached_input": 600_000, "visible_output": 1_500_000, "request": 14_000_000},
            ),
        ],
        16_100_000,
        id="by_the_request",
    ),
]
FIELDS = "span_id,total_cost_usd,prompt_cost_usd,completion_cost_usd,cost_breakdown,price_version,unpriced_reason"


@pytest.fixture
def book(db):
    ModelPrice.objects.all().delete()
    for rows in BOOK.values():
        add(*rows)


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(("provider", "calls", "total"), BILLS)
def test_a_bill_is_what_was_worked_out_by_hand(api, send, provider, calls, total):
    sent = [span(attributes=attributes, start_ns=now_ns() - 60 * 10**9) for attributes, _ in calls]
    send(*sent)

    told = api.get("/api/v1/traces", {"fields": FIELDS}).json(parse_float=Decimal)["data"]
    by_id = {one["span_id"]: one for one in told}
    found = [by_id[one["spanId"]] for one in sent]

    assert [{part: Decimal(dollars) * 10**9 for part, dollars in one["cost_breakdown"].items()} for one in found] == [
        expected for _, expected in calls
    ]
    assert [one["total_cost_usd"] * 10**9 for one in found] == [sum(expected.values()) for _, expected in calls]
    assert sum(one["total_cost_usd"] for one in found) * 10**9 == total
    versions = ModelPrice.objects.filter(id__in=[one["price_version"] for one in found])
    assert {price.provider for price in versions} == {provider}


def test_the_dearest_call_that_can_be_is_exact_from_the_wire_to_the_answer(db, api, send):
    # 200 M tokens at 999,999.999999999 dollars a million are 18 digits of nano-dollars; a double holds 15 to 17.
    ModelPrice.objects.all().delete()
    add(row(input="999999.999999999", per_request="0.000000001"))
    attributes = {"gen_ai.provider.name": "acme", "gen_ai.request.model": "one", "gen_ai.usage.output_tokens": None}
    send(span(attributes=attributes | {"gen_ai.usage.input_tokens": 200_000_000}))

    (told,) = api.get("/api/v1/traces", {"fields": FIELDS}).json(parse_float=Decimal)["data"]

    # 200000000 x 999999999.999999 = 199999999999999800, and one nano-dollar for the request
    assert (told["total_cost_usd"], Decimal(told["cost_breakdown"]["uncached_input"])) == (
        Decimal("199999999.999999801"),
        Decimal("199999999.9999998"),
    )


def test_an_emitters_own_cost_stands_beside_ours_and_enters_no_sum(book, api, send):
    mine = otel("openai", "gpt-4o", input=1_000, output=500) | {"gen_ai.usage.cost": 9.99}
    unknown = otel("openai", "no-such-model", input=1_000) | {"gen_ai.usage.cost": 1.5}
    send(span(attributes=mine), span(attributes=unknown))

    told = api.get("/api/v1/traces", {"fields": f"{FIELDS},reported_cost_usd"}).json(parse_float=Decimal)["data"]

    pairs = {(one.get("total_cost_usd"), one["reported_cost_usd"], one.get("unpriced_reason")) for one in told}
    assert pairs == {(Decimal("0.0075"), Decimal("9.99"), None), (None, Decimal("1.5"), "no_price")}


def test_each_reason_for_having_no_cost_is_told(book, api, send):
    reasons = {
        "no_price": otel("openai", "no-such-model", input=10),
        "no_part_price": openinference("openai", "gpt-4o", input=10, audio=5),
        "no_usage": otel("openai", "gpt-4o", input=None),
    }
    sent = {reason: span(attributes=attributes) for reason, attributes in reasons.items()}
    send(*sent.values())

    told = api.get("/api/v1/traces", {"fields": FIELDS}).json()["data"]
    by_id = {one["span_id"]: one for one in told}
    found = {reason: by_id[one["spanId"]] for reason, one in sent.items()}
    assert {reason: (one["unpriced_reason"], one["total_cost_usd"]) for reason, one in found.items()} == {
        reason: (reason, None) for reason in reasons
    }


def test_the_tier_is_told_with_the_span(book, api, send):
    send(span(attributes=otel("openai", "gpt-5", input=1, tier="batch")))

    (told,) = api.get("/api/v1/traces", {"fields": "service_tier"}).json()["data"]
    assert told == {"service_tier": "batch"}
