"""What personal data can be found in texts and what becomes of them, as data; how one project wants it, as a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import re2

MODES = ("mask", "hash", "remove", "off")
CONTENT_CAPTURES = ("full", "none")
MOST_PATTERNS, LONGEST_PATTERN = 20, 256
CUSTOM = "custom"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A kind of personal data; its placeholder is the name in capitals. `default` detectors are on in new projects."""

    name: str
    default: bool
    description: str


DETECTORS: tuple[Detector, ...] = (
    Detector(name="email", default=True, description="E-mail address with a dotted domain."),
    Detector(
        name="phone", default=True, description="E.164 number with `+`, or the North American form with separators."
    ),
    Detector(name="ssn", default=True, description="`NNN-NN-NNNN` outside the blocks that were never issued."),
    Detector(name="card", default=True, description="13 to 19 digits, also in groups, that pass Luhn's check."),
    Detector(
        name="api_key",
        default=True,
        description="`sk-…`, `llmo_sk_…`, `AKIA…`, `ghp_…` and the like, and bearer tokens.",
    ),
    Detector(name="ip", default=False, description="IPv4 and IPv6 address."),
    Detector(name=CUSTOM, default=False, description="A pattern of the project's own; they need not be switched on."),
)
DETECTOR_NAMES = tuple(one.name for one in DETECTORS)
DEFAULT_DETECTORS = tuple(one.name for one in DETECTORS if one.default)


def compiled(pattern: str) -> Any:
    """Return `pattern` compiled by RE2, whose time is linear in the text; raise ValueError when it is none of RE2's."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as problem:
        told = problem.args[0] if problem.args else b""
        reason = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise ValueError(f"a pattern in RE2's syntax, without look-around and backreferences ({reason})") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPattern:
    """A pattern of a project: what it finds is told as `[<name>]`. Raises ValueError that says what is expected."""

    name: str
    pattern: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name.lower() in DETECTOR_NAMES:
            raise ValueError("a name of letters, digits and '_', at most 32, that is no detector's")
        if not 0 < len(self.pattern) <= LONGEST_PATTERN or _UNSTORABLE.search(self.pattern):
            raise ValueError(f"a pattern of 1 to {LONGEST_PATTERN} characters, without NUL and surrogates")
        if compiled(self.pattern).search("") is not None:
            raise ValueError("a pattern that does not match the empty text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """How a project's texts are redacted; patterns of its own apply whenever there are any and the mode is not off."""

    mode: str = MODES[0]
    detectors: tuple[str, ...] = DEFAULT_DETECTORS
    patterns: tuple[CustomPattern, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES or not set(self.detectors) <= set(DETECTOR_NAMES):
            raise ValueError("an unknown mode or detector")
        if len(self.patterns) > MOST_PATTERNS or len({one.name for one in self.patterns}) < len(self.patterns):
            raise ValueError(f"more than {MOST_PATTERNS} patterns, or two of one name")

    @classmethod
    def stored(cls, value: Mapping[str, Any]) -> "Redaction":
        """Return what was stored as `{mode, detectors, custom_patterns: [{name, pattern}]}`."""
        return cls(
            mode=value["mode"],
            detectors=tuple(value["detectors"]),
            patterns=tuple(CustomPattern(**one) for one in value["custom_patterns"]),
        )
