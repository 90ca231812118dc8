"""What a body can make of its bytes is bounded: a request of 64 MiB adds less than 400 MB, whatever is in it."""

import subprocess
import sys

import pytest

from observatory.env import BASE_DIR
from tests.analytics.ingest.bodies import JSON, PROTOBUF
from tests.servers import unmeasured

MOST_MB = 400


@pytest.fixture(scope="module")
def lifted():
    """By how many MB each body lifts the most that a process ever held."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.analytics.ingest.bodies"],
        cwd=BASE_DIR,
        env=unmeasured() | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.partition(" MB: ") for line in told.stdout.splitlines()]
    return {name: int(megabytes) for megabytes, _, name in rows}


def test_every_body_was_measured(lifted):
    assert list(lifted) == [*(f"protobuf, {name}" for name in PROTOBUF), *(f"json, {name}" for name in JSON)]


def test_no_body_takes_more_memory_than_a_request_may(lifted):
    assert {name: megabytes for name, megabytes in lifted.items() if megabytes >= MOST_MB} == {}
