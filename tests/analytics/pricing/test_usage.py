import pytest

from analytics.pricing.usage import PARTS, Usage


@pytest.mark.parametrize("part", PARTS)
def test_no_part_can_be_negative(part):
    with pytest.raises(ValueError, match=f"{part}=-1"):
        Usage(**{part: -1})


def test_prompt_and_completion_are_the_sums_of_their_parts():
    usage = Usage(**{part: 10**place for place, part in enumerate(PARTS)})

    assert (usage.prompt, usage.completion) == (11_111, 11_100_000)
