"""How each detector finds what it is for: a pattern of RE2, and a check of what the pattern found.

Patterns have no look-around; what stands beside a finding is the check's business. Texts are UTF-8 bytes.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

Spread = tuple[int, int]
# Text, begin and end of what was found, and the end of the finding before it: that one is gone, so it touches nothing.
Check = Callable[[bytes, int, int, int], Spread | None]

_CARD_DIGITS = range(13, 20)
# Of a number that is written in groups, with one separator: a space or a hyphen.
_GROUP_SIZES, _LONGEST_CARD = frozenset(range(3, 7)), 25
_ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_DIGITS = frozenset(b"0123456789")
_SHORT_ESCAPES, _HEX = frozenset(b"nrtbf"), frozenset(b"0123456789abcdefABCDEF")
_UNICODE_ESCAPE = 6
_LONGEST_WORD_TOKEN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """A detector at work. `alarm` is found in whatever holds a finding, even inside JSON with escapes, fast."""

    name: str
    pattern: str
    alarm: str
    check: Check


def _escape_before(text: bytes, start: int) -> int:
    """Return how many bytes before `start` are an escape of JSON, as in text that is JSON."""
    if start >= 2 and text[start - 1] in _SHORT_ESCAPES and _is_escaping(text, start - 2):  # noqa: PLR2004  backslash, letter
        return 2
    opening = start - _UNICODE_ESCAPE
    if opening >= 0 and text[opening + 1] == ord("u") and _is_escaping(text, opening):
        return _UNICODE_ESCAPE if _HEX.issuperset(text[opening + 2 : start]) else 0
    return 0


def _is_escaping(text: bytes, place: int) -> bool:
    """Whether the backslash at `place` begins an escape: of several in a row every second one does."""
    if text[place] != ord("\\"):
        return False
    before = place
    while before > 0 and text[before - 1] == ord("\\"):
        before -= 1
    return (place - before) % 2 == 0


def _touches(text: bytes, start: int, end: int, floor: int, what: frozenset[int]) -> bool:
    """Whether a character of `what` stands right before or after; the end of an escape does not count as one."""
    if end < len(text) and text[end] in what:
        return True
    return start > floor and text[start - 1] in what and not _escape_before(text, start)


def _email(text: bytes, start: int, end: int, _: int) -> Spread | None:
    # The letter of an escape looks like the beginning of an address: `\nbob@example.com`.
    for skipped, letters in ((1, _SHORT_ESCAPES), (_UNICODE_ESCAPE - 1, frozenset(b"u"))):
        if start and text[start] in letters and _is_escaping(text, start - 1):
            start += skipped
            break
    return (start, end) if text[start : start + 1] not in {b"@", b""} and b"@" in text[start:end] else None


def _apart(text: bytes, start: int, end: int, floor: int) -> Spread | None:
    return None if _touches(text, start, end, floor, _ALPHANUMERIC) else (start, end)


def _ssn(text: bytes, start: int, end: int, floor: int) -> Spread | None:
    area, group, serial = text[start:end].split(b"-")
    if area in {b"000", b"666"} or area >= b"900" or group == b"00" or serial == b"0000":
        return None
    return None if _touches(text, start, end, floor, _DIGITS) else (start, end)


def _card(text: bytes, start: int, end: int, floor: int) -> Spread | None:
    """Return the first digits of the run that are a card's number: in one piece, or in groups alike."""
    groups = [(start + found.start(), start + found.end()) for found in _GROUP.finditer(text[start:end])]
    for first in range(len(groups)):
        for begin, finish in _joined(text, groups, first):
            digits = bytes(one for one in text[begin:finish] if one in _DIGITS)
            if len(digits) in _CARD_DIGITS and _luhn(digits) and _stands_alone(text, begin, finish, floor):
                return begin, finish
    return None


def _joined(text: bytes, groups: Sequence[Spread], first: int) -> Iterator[Spread]:
    """Yield group `first`, then it with more and more of the following, as long as they can be one number."""
    begin, finish = groups[first]
    first_size = finish - begin
    yield begin, finish
    separators = set()
    for place in range(first + 1, len(groups)):
        start, end = groups[place]
        separators.add(text[finish])
        sizes = {first_size, end - start}
        if len(separators) > 1 or not sizes <= _GROUP_SIZES or end - begin > _LONGEST_CARD:
            return
        finish = end
        yield begin, finish


_GROUP = re.compile(rb"[0-9]+")


def _stands_alone(text: bytes, start: int, end: int, floor: int) -> bool:
    is_fraction = start - floor >= 2 and text[start - 1] == ord(".") and text[start - 2] in _DIGITS  # noqa: PLR2004
    return not is_fraction and not _touches(text, start, end, floor, _ALPHANUMERIC)


def _luhn(digits: bytes) -> bool:
    values = [digit - ord("0") for digit in reversed(digits)]
    return sum(values[::2]) % 10 == -sum(sum(divmod(2 * value, 10)) for value in values[1::2]) % 10


def _api_key(text: bytes, start: int, end: int, floor: int) -> Spread | None:
    word, _, token = text[start:end].partition(b" ")
    if word.lower() == b"bearer" and len(token) < _LONGEST_WORD_TOKEN and not _DIGITS & set(token):
        return None  # "bearer certificate" is prose
    is_inside = start > floor and text[start - 1] in _ALPHANUMERIC and not _escape_before(text, start)
    return None if is_inside else (start, end)


def _ip(text: bytes, start: int, end: int, floor: int) -> Spread | None:
    found = text[start:end].rstrip(b".")
    if found.endswith(b":") and not found.endswith(b"::"):
        found = found[:-1]
    end = start + len(found)
    try:
        ipaddress.ip_address(found.decode())
    except ValueError:
        return None
    return _apart(text, start, end, floor)


_GROUPED = r"[ .\-()]{0,2}"
FINDERS: Sequence[Finder] = (
    Finder(
        name="email",
        pattern=(
            r"[\p{Latin}\p{Cyrillic}\p{Greek}0-9.!#$%&'*+/=?^_`{|}~\-]+@(?:[\p{L}\p{N}\-]+\.)+"
            r"(?:xn--[A-Za-z0-9\-]+|[\p{Latin}\p{Cyrillic}\p{Greek}\p{Arabic}]{2,})"
        ),
        # Letters beyond ASCII may be written as escapes.
        alarm=r"@[A-Za-z0-9\x80-\xff.\-\\]*\.[A-Za-z\x80-\xff\\][A-Za-z\x80-\xff\-]",
        check=_email,
    ),
    Finder(
        name="api_key",
        pattern=(
            r"llmo_s[ks]_[A-Za-z0-9_]{8,}|sk-[A-Za-z0-9_\-]{10,}|[rsp]k_(?:live|test)_[A-Za-z0-9]{8,}"
            r"|(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}"
            r"|xox[abeoprs]-[A-Za-z0-9\-]{10,}|AIza[A-Za-z0-9_\-]{35}|hf_[A-Za-z0-9]{20,}"
            r"|(?i:bearer) [A-Za-z0-9._~+/\-]{8,}=*"
        ),
        alarm=(
            r"llmo_s[ks]_|sk-[A-Za-z0-9_\-]{10}|[rsp]k_(?:live|test)_|A[KS]IA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{16}"
            r"|github_pat_|glpat-|xox[abeoprs]-|AIza[A-Za-z0-9_\-]{35}|hf_[A-Za-z0-9]{20}|(?i:bearer) [A-Za-z0-9]"
        ),
        check=_api_key,
    ),
    Finder(
        name="card",
        pattern=r"[0-9](?:[ \-]?[0-9]){12,}",
        # A number with a point and many digits is a number.
        alarm=r"(?:^|[^0-9.]|[^0-9]\.)[0-9](?:[ \-]?[0-9]){12}",
        check=_card,
    ),
    Finder(
        name="ssn",
        pattern=r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        alarm=r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        check=_ssn,
    ),
    Finder(
        name="phone",
        pattern=(
            rf"\+[1-9](?:{_GROUPED}[0-9]){{6,14}}"
            r"|(?:1[ .\-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}"
        ),
        alarm=rf"\+[1-9](?:{_GROUPED}[0-9]){{6}}|[2-9][0-9]{{2}}(?:\) ?|[ .\-])[2-9][0-9]{{2}}[ .\-][0-9]{{4}}",
        check=_apart,
    ),
    Finder(
        name="ip",
        pattern=(
            r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[0-9A-Fa-f]{1,4}:|::)(?:[0-9A-Fa-f]{0,4}:){0,6}"
            r"(?:[0-9A-Fa-f]{1,4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|:)?"
        ),
        alarm=r"(?:[0-9]{1,3}\.){3}[0-9]|:[0-9A-Fa-f]{0,4}:",
        check=_ip,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """Some detectors as one pattern each for raising the alarm and for finding."""

    alarm: Any
    pattern: Any
    checks: dict[str, Check]

    def findings(self, text: bytes) -> Iterator[tuple[str, int, int]]:
        """Yield detector, begin and end of every finding from left to right; what was put in place before is none."""
        place = floor = 0
        while (found := self.pattern.search(text, place)) is not None:
            name = found.lastgroup
            start, end = found.span()
            if name == PLACEHOLDER:
                place = floor = end
                continue
            spread = self.checks[name](text, start, end, floor)
            if spread is None:
                # Nothing else begins inside a run of digits that is none; other findings are short.
                place = end if name == "card" else start + 1
                continue
            yield name, *spread
            place = floor = spread[1]


PLACEHOLDER = "placeholder"
# Printable characters that an emitter escaped without need hide what they are part of.
_ESCAPED_ASCII = r"\\u00[2-7][0-9A-Fa-f]"


@lru_cache(maxsize=256)
def scanner(names: tuple[str, ...], placeholders: tuple[str, ...]) -> Scanner | None:
    """Return the scanner of the detectors called `names`, which passes over `[<placeholder>]`; `None` without any."""
    finders = [one for one in FINDERS if one.name in names]
    if not finders:
        return None
    known = "|".join(map(re.escape, placeholders))
    groups = [
        rf"(?P<{PLACEHOLDER}>\[(?:{known})(?::[0-9a-f]{{12}})?\])",
        *(f"(?P<{one.name}>{one.pattern})" for one in finders),
    ]
    alarms = re2.Options()
    alarms.encoding = re2.Options.Encoding.LATIN1  # bytes are the alphabet: no automaton is smaller
    alarms.never_capture = True
    finding = re2.Options()
    alarms.log_errors = finding.log_errors = False
    return Scanner(
        alarm=re2.compile("|".join((_ESCAPED_ASCII, *(one.alarm for one in finders))).encode("latin-1"), alarms),
        pattern=re2.compile("|".join(groups), finding),
        checks={one.name: one.check for one in finders},
    )
