"""How much a request may hold, whatever it is written in: what bounds memory and time that decoding it takes."""

from errors.catalog import TOO_MANY_ITEMS
from errors.exceptions import ApiError

# Objects take up to three hundred times their bytes on the wire, so bytes alone bound nothing.
MOST_ITEMS = 100_000
MOST_PARTS = 100_000
# Of all spans together. An empty event is two bytes, and costs as much as a hundred of text until it can be stored.
MOST_EVENTS = 100_000
# 64 MiB hold fewer of the smallest that say anything, which are numbers in a list, but 33 million that say nothing.
MOST_VALUES = 6_400_000
MOST_SHARED_BYTES = 1_048_576
# A span of fewer bytes holds no more parts than can be afforded, and they are not counted.
COUNTED_BYTES = 65_536
SPAN_BYTES = 4_194_304
UNBOUNDED = 2**62  # the size of a span that is larger than any limit


class Allowance:
    """What the spans of a request may still hold together: events and links, and values of all attributes.

    It is counted before anything is made of them. What is beyond is 413/1209.
    """

    __slots__ = ("_events", "_values")

    def __init__(self) -> None:
        self._events, self._values = MOST_EVENTS, MOST_VALUES

    def take_events(self, number: int) -> None:
        """Take `number` events and links."""
        self._events -= number
        if self._events < 0:
            raise ApiError(TOO_MANY_ITEMS, limit=MOST_EVENTS)

    def take_values(self, number: int) -> None:
        """Take `number` values of attributes, or of a list among them."""
        self._values -= number
        if self._values < 0:
            raise ApiError(TOO_MANY_ITEMS, limit=MOST_VALUES)
