"""What a client accepts (RFC 9110 §12.5.1), as far as choosing between a few media types needs it."""

from dataclasses import dataclass
from enum import IntEnum


class Closeness(IntEnum):
    """How closely a range names a media type; the closest one decides."""

    NONE = 0
    ANYTHING = 1
    TYPE = 2
    EXACT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRange:
    """One element of an Accept header; `type` and `subtype` are lower case, `weight` is from 0 to 1."""

    type: str
    subtype: str
    weight: float

    def closeness(self, media_type: str) -> Closeness:
        kind, _, subtype = media_type.partition("/")
        return {
            (kind, subtype): Closeness.EXACT,
            (kind, "*"): Closeness.TYPE,
            ("*", "*"): Closeness.ANYTHING,
        }.get((self.type, self.subtype), Closeness.NONE)


class Accept:
    """The ranges of an Accept header. Elements that cannot be read are passed over; no header accepts everything."""

    def __init__(self, header: str | None) -> None:
        elements = [element for element in (header or "").split(",") if element.strip()] or ["*/*"]
        self.ranges = [found for found in map(_media_range, elements) if found]

    def weight(self, media_type: str) -> float:
        """Return the weight of the range that names `media_type` most closely, 0 when none does."""
        matches = [found for found in self.ranges if found.closeness(media_type)]
        return max(matches, key=lambda found: found.closeness(media_type)).weight if matches else 0.0

    def names(self, media_type: str) -> bool:
        """Return whether `media_type` itself is listed with a weight above 0."""
        return any(found.closeness(media_type) is Closeness.EXACT and found.weight > 0 for found in self.ranges)


def _media_range(element: str) -> MediaRange | None:
    name, *parameters = (part.strip().lower() for part in element.split(";"))
    kind, slash, subtype = name.partition("/")
    weights = [value for key, _, value in (part.partition("=") for part in parameters) if key == "q"]
    try:
        weight = float(weights[0]) if weights else 1.0
    except ValueError:
        return None
    if not (slash and kind and subtype and 0 <= weight <= 1):
        return None
    return MediaRange(type=kind, subtype=subtype, weight=weight)
