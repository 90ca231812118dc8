"""A rendered reply as it is kept in Redis: the version it was made of, when, its headers, its compressed body."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

_FASTEST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A body without anything that belongs to one request; it counts only while `version` is the one in force."""

    version: str
    made_at: float
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_bytes(self) -> bytes:
        """Return the entry in the form that `read` takes."""
        head = orjson.dumps([self.version, self.made_at, dict(self.headers)])
        return head + b"\n" + zlib.compress(self.body, _FASTEST)

    @classmethod
    def read(cls, stored: bytes | None, *, version: str) -> "Entry | None":
        """Return the entry behind `stored` if it is of `version`; nothing else of it is unpacked."""
        if stored is None:
            return None
        head, _, packed = stored.partition(b"\n")
        known, made_at, headers = orjson.loads(head)
        if known != version:
            return None
        return cls(version=known, made_at=made_at, body=zlib.decompress(packed), headers=headers)
