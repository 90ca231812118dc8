"""The suite begins with what takes longest, or the last file is waited for."""

from observatory.env import BASE_DIR
from tests.order import FIRST, SERVICE


def test_every_file_that_is_begun_first_is_there():
    assert [file for file in FIRST if file != SERVICE and not (BASE_DIR / file).is_file()] == []
