"""Python's search for circles of objects, as rare as a process that answers requests needs it."""

import gc

_OBJECTS_BETWEEN = 10_000


def look_rarely_for_circles() -> None:
    """Leave what is loaded by now out of every search, and search after as many new objects as a request makes.

    Hardly anything of a request is in a circle. Python searches after 700 new objects, and a request of 200 spans makes
    some ten thousand: an eighth of the processor time of taking in spans was spent on searches that found nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN, *gc.get_threshold()[1:])
