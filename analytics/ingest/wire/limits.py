"""How much a request may hold, whatever it is written in: what bounds the memory that decoding it takes."""

# Objects take up to three hundred times their bytes on the wire, so bytes alone bound nothing.
MOST_ITEMS = 100_000
MOST_PARTS = 100_000
MOST_SHARED_BYTES = 1_048_576
# A span of fewer bytes holds no more parts than can be afforded, and they are not counted.
COUNTED_BYTES = 65_536
SPAN_BYTES = 4_194_304
UNBOUNDED = 2**62  # the size of a span that is larger than any limit
