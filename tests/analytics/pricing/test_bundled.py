from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data import providers
from genai_prices.types import Tier, TieredPrices

from analytics.pricing.arithmetic import cost
from analytics.pricing.book import Price, PriceBook
from analytics.pricing.bundled import bundle, bundled_prices
from analytics.pricing.clauses import patterns_of
from analytics.pricing.usage import Usage

JUNE_2025 = datetime(2025, 6, 1, tzinfo=UTC)
NOVEMBER_2026 = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def book():
    return PriceBook(Price(id=number, **asdict(row)) for number, row in enumerate(bundled_prices()))


def rates(book, provider, model, *, at=JUNE_2025, tier="default", prompt_tokens=1000):
    price = book.find(provider=provider, models=(model,), tier=tier, at=at, prompt_tokens=prompt_tokens)
    return price and tuple(rate and str(rate.normalize()) for rate in (price.input, price.output, price.cache_read))


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o", ("2.5", "1E+1", "1.25")),
        ("openai", "gpt-4o-2024-08-06", ("2.5", "1E+1", "1.25")),
        ("openai", "gpt-4o-mini", ("0.15", "0.6", "0.075")),
        ("anthropic", "claude-3-5-sonnet-20241022", ("3", "15", "0.3")),
        ("azure.ai.openai", "gpt-4o", ("2.5", "1E+1", "1.25")),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", ("3", "15", "0.3")),
        ("aws.bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", ("3", "15", "0.3")),
        ("google", "gemini-2.5-pro", ("1.25", "1E+1", "0.125")),
        ("gcp.vertex_ai", "gemini-2.5-pro", ("1.25", "1E+1", "0.125")),
        ("gcp.vertex_ai", "claude-3-5-sonnet-v2@20241022", ("3", "15", "0.3")),
        ("mistral", "mistral-large-latest", ("2", "6", None)),
        ("openai", "no-such-model", None),
        ("nobody", "gpt-4o", None),
    ],
)
def test_the_book_knows_what_calls_cost_in_june_2025(book, provider, model, expected):
    assert rates(book, provider, model) == expected


MARCH_2026 = datetime(2026, 3, 1, tzinfo=UTC)
SONNET, SONNET_ABROAD = "anthropic.claude-sonnet-4-5-20250929-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("provider", "written", "listed"),
    [
        # Google's APIs
        ("google", "models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("google", "publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gcp.vertex_ai", "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gcp.vertex_ai", "google/gemini-2.5-pro", "gemini-2.5-pro"),
        # Bedrock
        ("aws.bedrock", f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", SONNET),
        ("aws.bedrock", f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{SONNET_ABROAD}", SONNET_ABROAD),
        ("aws.bedrock", f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{SONNET}", SONNET),
        ("aws.bedrock", f"bedrock/{SONNET}", SONNET),
        ("aws.bedrock", f"bedrock/converse/{SONNET}", SONNET),
        # LiteLLM and other routers
        ("openai", "openai/gpt-4o", "gpt-4o"),
        ("openai", "openai/ft:gpt-4o-2024-08-06:acme::1", "ft:gpt-4o-2024-08-06:acme::1"),
        ("anthropic", "anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("azure.ai.openai", "azure/gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("google", "gemini/gemini-2.5-flash", "gemini-2.5-flash"),
        ("google", "googleai/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gcp.vertex_ai", "vertex_ai/gemini-2.5-pro", "gemini-2.5-pro"),
        ("mistral", "mistral/mistral-large-latest", "mistral-large-latest"),
        ("cohere", "cohere_chat/command-r-plus", "command-r-plus"),
        ("deepseek", "deepseek/deepseek-chat", "deepseek-chat"),
        ("groq", "groq/llama-3.3-70b-versatile", "llama-3.3-70b-versatile"),
        ("x_ai", "xai/grok-4", "grok-4"),
        ("moonshotai", "moonshot/kimi-k2-0905-preview", "kimi-k2-0905-preview"),
        ("together_ai", "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("fireworks", "fireworks_ai/accounts/fireworks/models/kimi-k3", "accounts/fireworks/models/kimi-k3"),
        ("perplexity", "perplexity/sonar-pro", "sonar-pro"),
        ("cerebras", "cerebras/llama3.1-8b", "llama3.1-8b"),
        ("voyageai", "voyage/voyage-3", "voyage-3"),
        ("openrouter", "openrouter/openai/gpt-4o", "openai/gpt-4o"),
    ],
)  # fmt: skip
def test_a_model_costs_the_same_however_its_name_is_written(book, provider, written, listed):
    price = rates(book, provider, written, at=MARCH_2026)

    assert price == rates(book, provider, listed, at=MARCH_2026) is not None


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openrouter", "openai/gpt-4o:free"),
        ("openrouter", "openai/gpt-4o:nitro"),
        ("openrouter", "openai/gpt-4o:online"),
        ("openai", "openai/gpt-4o:free"),
        ("openai", "anthropic/claude-sonnet-4-5"),
        ("openai", "ft:gpt-4o:acme::1"),
        ("openai", "azure/gpt-4o"),
        ("google", "models/no-such-model"),
        ("google", "tunedModels/gemini-2.5-flash"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdef"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef"),
        ("aws.bedrock", f"bedrock/eu-central-1/{SONNET}"),
        ("azure.ai.openai", "azure/our-deployment"),
        ("azure.ai.openai", "gpt-4o-deployment"),
    ],
)
def test_a_name_that_says_more_than_the_model_has_no_price(book, provider, model):
    assert rates(book, provider, model, at=MARCH_2026) is None


def test_a_price_for_the_name_as_it_is_written_comes_first():
    said = {"provider": "google", "valid_from": MARCH_2026, "output": Decimal(0)}
    listed = Price(id=1, model_pattern="gemini-2.5-pro", input=Decimal(1), **said)
    written = Price(id=2, model_pattern="models/*", input=Decimal(9), **said)

    assert rates(PriceBook([listed, written]), "google", "models/gemini-2.5-pro", at=MARCH_2026)[0] == "9"


def test_a_price_change_is_dated(book):
    before, after = datetime(2025, 6, 9, 23, 59, tzinfo=UTC), datetime(2025, 6, 10, tzinfo=UTC)

    assert rates(book, "openai", "o3", at=before)[:2] == ("1E+1", "4E+1")
    assert rates(book, "openai", "o3", at=after)[:2] == ("2", "8")


def test_long_prompts_have_their_own_price(book):
    assert rates(book, "google", "gemini-2.5-pro", prompt_tokens=200_000)[0] == "1.25"
    assert rates(book, "google", "gemini-2.5-pro", prompt_tokens=200_001)[0] == "2.5"


def test_tiers_have_their_own_price_and_others_the_usual_one(book):
    asked = {"at": NOVEMBER_2026, "model": "gpt-5", "provider": "openai"}

    assert [rates(book, **asked, tier=tier)[0] for tier in ("default", "batch", "flex", "priority", "scale")] == [
        "1.25",
        "0.625",
        "0.625",
        "2.5",
        "1.25",
    ]


def test_a_price_that_depends_on_the_hour_is_that_of_most_of_the_day(book):
    # 0.27 from 00:30 to 16:30 UTC, 0.135 else.
    assert rates(book, "deepseek", "deepseek-chat")[0] == "0.27"


def test_every_row_is_a_version_of_its_own_in_the_same_order_every_time():
    rows = bundled_prices()
    keys = [(row.provider, row.model_pattern, row.service_tier, row.min_prompt_tokens, row.valid_from) for row in rows]

    bundle.cache_clear()
    assert (keys, bundled_prices()) == (sorted(set(keys)), rows)


def test_rows_fit_their_columns():
    for row in bundled_prices():
        for rate in (row.input, row.output, row.cache_read, row.cache_write_5m, row.cache_write_1h, row.reasoning):
            assert rate is None or (rate == round(rate, 9) and 0 <= rate < 10**9)
    assert {row.service_tier for row in bundled_prices()} == {"default", "batch", "flex", "priority"}


def test_prices_without_a_form_are_counted():
    made = bundle()

    assert (len(made.rows) > 5000, 0 < made.skipped < 300) == (True, True)


def _names(provider):
    """Return names that the provider's models have: those that clauses spell out, and what could follow a prefix."""
    patterns = {pattern for model in provider.models for pattern in patterns_of(model.match)}
    plain = {pattern.removesuffix("*").removeprefix("*") for pattern in patterns if "[" not in pattern}
    return sorted(plain | {f"{name}-20260101" for name in plain})


def _rate_there(price, prompt_tokens):
    if isinstance(price, TieredPrices):
        above = [tier.price for tier in price.tiers if prompt_tokens > tier.start]
        price = above[-1] if above else price.base
    return None if price is None else round(price, 9)


@pytest.mark.parametrize("prompt_tokens", [1000, 300_000])
@pytest.mark.parametrize("at", [JUNE_2025, NOVEMBER_2026])
@pytest.mark.parametrize("name", ["openai", "anthropic", "google", "aws", "azure", "mistral", "cohere", "x-ai", "groq"])
def test_the_book_agrees_with_its_source_on_every_name(book, name, at, prompt_tokens):
    ours = {"aws": "aws.bedrock", "azure": "azure.ai.openai", "x-ai": "x_ai"}.get(name, name)
    provider = next(provider for provider in providers if provider.id == name)
    different = []
    for model in _names(provider):
        there = provider.find_model(model, all_providers=providers)
        # The source also knows names with dates that routers have rewritten; the book does not.
        if there is None or not there.is_match(model):
            continue
        given = there.get_prices(at)
        if given.input_mtok is None or given.output_mtok is None:
            continue
        expected = (_rate_there(given.input_mtok, prompt_tokens), _rate_there(given.output_mtok, prompt_tokens))
        price = book.find(provider=ours, models=(model,), tier="default", at=at, prompt_tokens=prompt_tokens)
        if price is None or (price.input, price.output) != expected:
            different.append((model, price, expected))

    assert different == []


def test_tiers_of_a_price_there_start_above_their_threshold():
    tiered = TieredPrices(base=Decimal(1), tiers=[Tier(start=100, price=Decimal(2))])

    assert Counter(_rate_there(tiered, tokens) for tokens in (99, 100, 101)) == {Decimal(1): 2, Decimal(2): 1}


# Calls with cached and reasoning tokens, worked out by hand in nano-dollars (dollars per million x 1000 per token).
GOLDEN = [
    pytest.param(
        ("openai", "gpt-4o"),
        Usage(uncached_input=512, cache_read=1536, visible_output=45, reasoning=32),
        # 512 x 2500 + 1536 x 1250; 45 x 10000 + 32 x 10000
        {"uncached_input": 1_280_000, "cache_read": 1_920_000, "visible_output": 450_000, "reasoning": 320_000},
        id="openai",
    ),
    pytest.param(
        ("anthropic", "claude-3-5-sonnet-20241022"),
        Usage(uncached_input=100, cache_read=2000, cache_write_5m=300, cache_write_1h=50, visible_output=200),
        # 100 x 3000 + 2000 x 300 + 300 x 3750 + 50 x 6000; 200 x 15000
        {
            "uncached_input": 300_000,
            "cache_read": 600_000,
            "cache_write_5m": 1_125_000,
            "cache_write_1h": 300_000,
            "visible_output": 3_000_000,
        },
        id="anthropic",
    ),
    pytest.param(
        ("google", "gemini-2.5-pro"),
        Usage(uncached_input=1000, cache_read=3000, visible_output=400, reasoning=600),
        # 1000 x 1250 + 3000 x 125; 400 x 10000 + 600 x 10000
        {"uncached_input": 1_250_000, "cache_read": 375_000, "visible_output": 4_000_000, "reasoning": 6_000_000},
        id="google",
    ),
    pytest.param(
        ("google", "gemini-2.5-pro"),
        Usage(uncached_input=200_000, cache_read=100_000, visible_output=100),
        # above 200,000 prompt tokens: 200000 x 2500 + 100000 x 250; 100 x 15000
        {"uncached_input": 500_000_000, "cache_read": 25_000_000, "visible_output": 1_500_000},
        id="google_long",
    ),
    pytest.param(
        ("aws.bedrock", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
        Usage(uncached_input=10, cache_read=1000, cache_write_5m=500, visible_output=300),
        # 10 x 3000 + 1000 x 300 + 500 x 3750; 300 x 15000
        {
            "uncached_input": 30_000,
            "cache_read": 300_000,
            "cache_write_5m": 1_875_000,
            "visible_output": 4_500_000,
        },
        id="bedrock",
    ),
]


@pytest.mark.parametrize(("call", "usage", "nano_dollars"), GOLDEN)
def test_calls_cost_what_was_worked_out_by_hand(book, call, usage, nano_dollars):
    provider, model = call
    price = book.find(provider=provider, models=(model,), tier="default", at=JUNE_2025, prompt_tokens=usage.prompt)

    assert cost(usage, price).breakdown == nano_dollars
