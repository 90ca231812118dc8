"""Python's search for circles of objects, as rare as a process that answers requests needs it."""

import gc

_OBJECTS_BETWEEN = 10_000


def look_rarely_for_circles() -> None:
    """Leave what is loaded by now out of every search, and search after as many new objects as a request makes.

    Nothing of a request is in a circle but what Django leaves behind; Python's own 700 made the search, mostly through
    what never goes, a sixth of the processor time of taking in spans.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN, *gc.get_threshold()[1:])
