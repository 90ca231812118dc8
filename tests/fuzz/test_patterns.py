"""No pattern of ours can be made to try a hostile text in ever more ways: its steps have a bound."""

import re
import sys
from importlib import import_module
from itertools import product
from pkgutil import walk_packages

import pytest

import analytics
import errors
import observatory
import ratelimit
from tests.fuzz.steps import Matcher, TooManyStepsError, example_of, letters_of, parsed

PUMPED, MOST_STEPS = 16, 30_000
SKIPPED = ("migrations", "management", "wsgi", ".settings", ".demo", "admin")


def patterns():
    """Return every pattern that a module of ours compiled, by where it stands."""
    found = {}
    for package in (analytics, errors, observatory, ratelimit):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part in module.name for part in SKIPPED):
                import_module(module.name)
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in {"analytics", "errors", "observatory", "ratelimit"}:
            for said, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    found.setdefault((value.pattern, value.flags), (f"{name}.{said}", value))
    return dict(found.values())


PATTERNS = patterns()


def hostile(tree):
    """Yield texts that begin as the pattern wants, go on with the same again and again, and end as nobody wants."""
    letters = [*letters_of(tree)[:5], "a"]
    pumps = {"".join(pair) for size in (1, 2) for pair in product(letters, repeat=size)}
    pumps.add(example_of(tree)[:6])
    for begun in {example_of(tree), example_of(tree, times=2)}:
        for place in sorted({0, 1, 2, 3, len(begun) // 2, len(begun)}):
            for pump in pumps:
                if pump:
                    yield begun[:place] + pump * PUMPED + "\x01"


def steps(pattern):
    tree, most = parsed(pattern), 0
    for text in hostile(tree):
        matcher = Matcher(text, ignore_case=bool(pattern.flags & re.IGNORECASE), most=MOST_STEPS)
        try:
            matcher.fullmatch(tree)
        except TooManyStepsError:
            return text
        most = max(most, matcher.steps)
    return most


def test_there_are_patterns():
    assert len(PATTERNS) > 30


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_gives_up_a_hostile_text_within_a_bound(name):
    assert isinstance(steps(PATTERNS[name]), int)


@pytest.mark.parametrize("slow", [r"(a+)+", r"(a|a)*b", r'"a"(?:[ ]*,[ ]*(?:"a")?)*[ ]*', r"(?:[a-z]*-?)*x"])
def test_a_pattern_that_does_not_give_up_is_found(slow):
    assert isinstance(steps(re.compile(slow)), str)


@pytest.mark.parametrize("text", ["", "a", "ab", "aab", "b", "a1b", "xx,x"])
@pytest.mark.parametrize("pattern", [r"a*b", r"(?:a|ab)+", r"[^b]{1,2}b?", r"(.)\1,\1", r"(?!a)\w+", r"a??[a-z\d]*"])
def test_the_matcher_agrees_with_pythons(pattern, text):
    compiled = re.compile(pattern)
    matcher = Matcher(text, ignore_case=False, most=1000)

    assert matcher.fullmatch(parsed(compiled)) == (compiled.fullmatch(text) is not None)
