import gzip
import zlib

import pytest

from analytics.ingest.unpacking import gather, unpack
from analytics.ingest.wire import MalformedOtlpError
from errors.exceptions import ApiError

LIMIT = 1_000_000


def pieces(packed, size):
    return (packed[start : start + size] for start in range(0, len(packed), size))


@pytest.mark.parametrize("size", [1, 7, 65_536])
@pytest.mark.parametrize("members", [1, 3])
def test_a_stream_is_unpacked_however_it_arrives(size, members):
    parts = [bytes([number]) * 1000 + b"end" for number in range(members)]
    packed = b"".join(map(gzip.compress, parts))

    assert unpack(pieces(packed, size), limit=LIMIT) == b"".join(parts)


def test_nothing_is_the_body_of_nothing():
    assert (unpack([], limit=LIMIT), gather([])) == (b"", b"")


def test_a_body_of_exactly_the_limit_passes():
    assert len(unpack([gzip.compress(bytes(LIMIT))], limit=LIMIT)) == LIMIT


@pytest.mark.parametrize("parts", [[LIMIT + 1], [LIMIT, 1], [LIMIT // 2] * 3])
def test_more_than_the_limit_is_refused_over_all_members(parts):
    packed = b"".join(gzip.compress(bytes(size)) for size in parts)
    with pytest.raises(ApiError, match="1209"):
        unpack([packed], limit=LIMIT)


def test_no_more_of_a_bomb_is_read_than_it_takes_to_see_that_it_is_one():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    read = []

    def arriving():
        for piece in pieces(bomb, 1000):
            read.append(piece)
            yield piece

    with pytest.raises(ApiError, match="1209"):
        unpack(arriving(), limit=LIMIT)
    assert len(read) < 5


@pytest.mark.parametrize(
    "packed",
    [
        b"not gzip",
        gzip.compress(b"body")[:-1],
        gzip.compress(b"body") + b"junk",
        gzip.compress(b"body") + b"\x1f\x8b",
        b"\x1f",
    ],
    ids=["no gzip", "cut short", "junk behind", "second member cut short", "one byte"],
)
@pytest.mark.parametrize("size", [1, 65_536])
def test_a_damaged_stream_is_malformed(packed, size):
    with pytest.raises(MalformedOtlpError):
        unpack(pieces(packed, size), limit=LIMIT)


def test_a_stream_of_very_many_empty_members_is_malformed():
    with pytest.raises(MalformedOtlpError, match="members"):
        unpack(pieces(gzip.compress(b"") * 5000, 65_536), limit=LIMIT)
