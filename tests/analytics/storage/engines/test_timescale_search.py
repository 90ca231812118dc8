"""Days in the columnstore are searched with vectors that were made before."""

import pytest

from analytics.storage import searches
from analytics.storage.engines import engine
from analytics.storage.engines.compression import compress_due
from tests.analytics.storage.conftest import DAY, ONE_DAY
from tests.analytics.storage.test_searches import ROWS, found, stored, with_vectors

__all__ = ["stored"]
pytestmark = pytest.mark.usefixtures("drop_day")


def test_a_day_has_its_vectors_before_it_is_compressed(stored, committed):
    compress_due(today=DAY + 30 * ONE_DAY, prepare=searches.make_vectors_of)
    assert (len(with_vectors(stored)), found(committed, "word3")) == (ROWS, (1, False))


def test_a_day_that_was_compressed_without_vectors_is_scanned_until_they_are_made(stored, committed, owner):
    engine().compress_day("llm_contents", DAY)
    owner.execute("INSERT INTO search_backlog VALUES (%s)", [DAY])
    before = found(committed, "word3")
    assert searches.make_vectors_of_backlog() == ROWS
    assert (before, found(committed, "word3"), searches.backlog()) == ((1, True), (1, False), [])
