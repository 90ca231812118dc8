"""The cost of a call: tokens times price and the price of the request, exact, in whole nano-dollars."""

from typing import Literal, NamedTuple

from analytics.pricing.book import PriceRow
from analytics.pricing.tariffs import INPUT_PARTS, rounded
from analytics.pricing.usage import Usage, parts_of

NO_PART_PRICE: Literal["no_part_price"] = "no_part_price"
# The part of a breakdown that is not tokens.
REQUEST = "request"


class Cost(NamedTuple):
    """Nano-dollars of a call; `breakdown` holds the parts that there were and adds up to the total."""

    prompt: int
    completion: int
    breakdown: dict[str, int]

    @property
    def total(self) -> int:
        """Prompt, completion and request together."""
        return self.prompt + self.completion + self.breakdown.get(REQUEST, 0)


def cost(usage: Usage, price: PriceRow) -> Cost | Literal["no_part_price"]:
    """Return the cost of `usage`, or why there is none.

    Each part is tokens x price / 1,000,000, rounded half-even to whole nano-dollars; sums are of rounded parts. Cache
    reads and writes without a price take the input's, reasoning takes the output's. A price of the request is added
    once, whatever its tokens.
    """
    tariff = price.tariff
    breakdown: dict[str, int] = {}
    prompt = both = 0
    for place, tokens in enumerate(parts_of(usage)):
        if not tokens:
            continue
        part, rate = tariff.parts[place]
        if rate is None:
            return NO_PART_PRICE
        numerator, denominator = rate
        nanousd = tokens * numerator if denominator == 1 else rounded(tokens * numerator, denominator)
        breakdown[part] = nanousd
        both += nanousd
        if place < INPUT_PARTS:
            prompt = both
    if tariff.request is not None:
        breakdown[REQUEST] = tariff.request
    return Cost(prompt, both - prompt, breakdown)
