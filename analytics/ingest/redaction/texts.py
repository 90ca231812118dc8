"""Redacting one text."""

import hmac
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from typing import Any

from analytics.ingest.redaction.detectors import Scanner, scanner
from analytics.registry.redaction import CUSTOM, DETECTORS, Redaction, compiled

_HEX_DIGITS = 12
# What is taken away bares what stood beside it, and removing brings together what stood apart. A text is looked at
# until nothing is found any more; what still turns up after so many passes is masked.
_PASSES = 8
_COMPARED_AS_DIGITS = frozenset({"card", "phone", "ssn"})
_DIGITS = frozenset(b"0123456789")
_OPENINGS = ("{", "[", '"')
_FEWEST_DIGITS = 13  # of a number that a detector finds without anything beside it
_MANY_DIGITS = re.compile(f"[0-9]{{{_FEWEST_DIGITS}}}")

Finding = tuple[str, int, int]


def redaction_key(secret: str, organisation_id: int) -> bytes:
    """Return the key of the hashes of one organisation: equal values have equal hashes there, and nowhere else."""
    return hmac.digest(secret.encode(), f"redaction:{organisation_id}".encode(), sha256)


class TextRedactor:
    """Redacts texts as `redaction` says, and counts by detector, patterns of the project by their names."""

    def __init__(self, redaction: Redaction, key: bytes) -> None:
        placeholders = tuple(one.name.upper() for one in DETECTORS if one.name != CUSTOM)
        own = tuple(one.name for one in redaction.patterns)
        self._mode, self._key = redaction.mode, key
        self._scanner: Scanner | None = scanner(redaction.detectors, (*placeholders, *own))
        self._own = tuple((one.name, compiled(one.pattern)) for one in redaction.patterns)
        self._placeholders = _placeholders((*placeholders, *own)) if own else None
        self.counts: Counter[str] = Counter()

    @property
    def has_own(self) -> bool:
        """Whether there are patterns of the project, about which nothing is known beforehand."""
        return bool(self._own)

    def alarmed(self, texts: Sequence[bytes]) -> set[int]:
        """Return which of `texts`, bare or as JSON, can hold anything that the detectors find."""
        if self._scanner is None:
            return set()
        alarm, whole = self._scanner.alarm, b"\n".join(texts)
        found, ends, place = set[int](), list(accumulate(len(text) + 1 for text in texts)), 0
        while place < len(whole) and (alarming := alarm.search(whole, place)) is not None:
            first, last = (bisect_right(ends, at) for at in (alarming.start(), alarming.end() - 1))
            found.update(range(first, last + 1))
            place = ends[last]
        return found

    def is_numerous(self, text: str) -> bool:
        """Whether a number as JSON writes it can be a finding in `text`."""
        return self.has_own or _MANY_DIGITS.search(text) is not None or "\\u00" in text

    def finds(self, number: str) -> bool:
        """Whether the detectors find anything in a number as JSON writes it; it is not counted."""
        if not self._own and len(number) < _FEWEST_DIGITS:
            return False
        octets = number.encode()
        if self._scanner is not None and next(self._scanner.findings(octets), None) is not None:
            return True
        return any(next(iter(self._own_findings(octets, name, own)), None) is not None for name, own in self._own)

    def redact(self, text: str) -> str:
        """Return `text` without what the detectors find."""
        text = _plain_escapes(text)
        for passed in range(_PASSES):
            mode = "mask" if self._mode == "remove" and passed == _PASSES - 1 else self._mode
            redacted = self._pass(text, mode)
            if redacted == text:
                break
            text = redacted
        return text

    def _pass(self, text: str, mode: str) -> str:
        octets = text.encode("utf-8", "surrogatepass")
        if self._scanner is not None:
            octets = self._replaced(octets, self._scanner.findings(octets), mode, upper=True)
        for name, pattern in self._own:
            octets = self._replaced(octets, self._own_findings(octets, name, pattern), mode, upper=False)
        return octets.decode("utf-8", "surrogatepass")

    def _own_findings(self, octets: bytes, name: str, pattern: Any) -> Iterable[Finding]:
        findings = [found.span() for found in pattern.finditer(octets)]
        if not findings:
            return []
        assert self._placeholders is not None
        done = [found.span() for found in self._placeholders.finditer(octets)]
        return [
            (name, start, end)
            for start, end in findings
            if start < end and not any(first <= start and end <= last for first, last in done)
        ]

    def _replaced(self, octets: bytes, findings: Iterable[Finding], mode: str, *, upper: bool) -> bytes:
        pieces, place = [], 0
        for name, start, end in findings:
            pieces.append(octets[place:start])
            pieces.append(self._instead(name.upper() if upper else name, name, octets[start:end], mode))
            self.counts[name] += 1
            place = end
        return b"".join((*pieces, octets[place:])) if pieces else octets

    def _instead(self, placeholder: str, name: str, found: bytes, mode: str) -> bytes:
        if mode == "remove":
            return b""
        if mode == "mask":
            return f"[{placeholder}]".encode()
        same = bytes(one for one in found if one in _DIGITS) if name in _COMPARED_AS_DIGITS else found
        said = same.lower() if name == "email" else same
        return f"[{placeholder}:{hmac.new(self._key, said, sha256).hexdigest()[:_HEX_DIGITS]}]".encode()


@lru_cache(maxsize=256)
def _placeholders(names: tuple[str, ...]) -> Any:
    return compiled(rf"\[(?:{'|'.join(names)})(?::[0-9a-f]{{12}})?\]")


def _plain_escapes(text: str) -> str:
    """Return JSON text with printable ASCII characters that it escapes without need written out: an `@`, digits."""
    if "\\u00" not in text or not text.startswith(_OPENINGS):
        return text
    pieces = text.split("\\")
    kept = [pieces[0]]
    escaped = False  # whether the backslash before this piece is itself escaped
    for piece in pieces[1:]:
        if not escaped and piece[:3] == "u00" and (character := _printable(piece[3:5])):
            kept[-1] += character + piece[5:]
            escaped = False
            continue
        escaped = not escaped and not piece
        kept.append(piece)
    return "\\".join(kept)


def _printable(hexadecimal: str) -> str:
    try:
        character = chr(int(hexadecimal, 16)) if len(hexadecimal) == 2 else ""  # noqa: PLR2004  two digits
    except ValueError:
        return ""
    return character if " " <= character < "\x7f" and character not in '"\\' else ""
