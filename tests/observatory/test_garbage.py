"""The search for circles of objects does not get in the way of requests, and still finds them."""

import gc
import weakref

import pytest

from observatory.garbage import look_rarely_for_circles


class Held:
    """Something that can be in a circle."""


@pytest.fixture
def rarely():
    before = gc.get_threshold()
    look_rarely_for_circles()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def searches():
    return sum(generation["collections"] for generation in gc.get_stats())


@pytest.mark.usefixtures("rarely")
def test_as_many_objects_as_a_request_makes_are_made_without_a_search():
    before = searches()
    made = [{"number": [number]} for number in range(4000)]

    assert (len(made), searches() - before) == (4000, 0)


@pytest.mark.usefixtures("rarely")
def test_a_circle_is_found_once_many_more_objects_were_made():
    held = Held()
    held.itself = held
    seen = weakref.ref(held)
    del held

    made = [[number] for number in range(20_000)]

    assert (len(made), seen()) == (20_000, None)


@pytest.mark.usefixtures("rarely")
def test_what_was_loaded_before_is_left_out_of_every_search():
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 10_000
