"""Rows become a file that grows by steps, and that can be gone on with after the last of them.

What a step writes depends on the rows alone, so that a file that was interrupted has the octets of one that was not.
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from analytics.exports.reading import Row

GZIP_LEVEL = 6
_GZIP_FORM = 31  # zlib's window of 15 bits in a gzip frame, whose time it leaves 0
_BLOCK_BYTES = 1_048_576
Write = Callable[[bytes], None]


class LostError(Exception):
    """What earlier steps wrote is not there any more."""


class WorkFile:
    """The file of a running export: what it holds is known by its length and digest, and on disk after `sync`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._digest = hashlib.sha256()
        self.size = 0
        # Not truncated: `resume` decides how much of it counts.
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")

    def resume(self, *, size: int, sha256: str) -> None:
        """Take up the file behind `size` octets with the digest `sha256`; raise `LostError` when it has others."""
        digest, left = hashlib.sha256(), size
        self._file.seek(0)
        while left and (block := self._file.read(min(left, _BLOCK_BYTES))):
            digest.update(block)
            left -= len(block)
        if size and (left or digest.hexdigest() != sha256):
            raise LostError(f"{self.path} does not have the {size} octets that were written")
        self.size, self._digest = size, digest
        self._file.truncate(size)
        self._file.seek(size)

    def write(self, octets: bytes) -> None:
        """Append."""
        self._file.write(octets)
        self._digest.update(octets)
        self.size += len(octets)

    def sync(self) -> None:
        """Return when everything written is on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def sha256(self) -> str:
        """The digest of what was written, in hex digits."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file; what was not synced may be lost."""
        self._file.close()


class Writer(Protocol):
    """Turns the rows of an export into its file. A writer is made for each run, `before` rows into the file."""

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows in the form in which its format reads them."""

    def end_step(self) -> None:
        """Let everything that the rows so far make reach the file: it can end here and be gone on with."""

    def finish(self) -> None:
        """Write what stands behind the last row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around rows of text: before and behind all of them, before, behind and between them.

    Of each row the last `cut` octets are left out.
    """

    head: bytes = b""
    opening: bytes = b""
    closing: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    cut: int = 0


class TextWriter:
    """Rows as text in a frame; with `gzip` every step is a member of its own, which readers take for one file."""

    def __init__(self, write: Write, frame: Frame, *, gzip: bool, before: int) -> None:
        self._file_write, self._frame, self._gzip = write, frame, gzip
        self._member: zlib._Compress | None = None
        self._begun = before > 0
        if not before:
            self._write(frame.head)

    def _write(self, octets: bytes) -> None:
        if not octets:
            return
        if not self._gzip:
            self._file_write(octets)
            return
        if self._member is None:
            self._member = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORM)
        self._file_write(self._member.compress(octets))

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        frame = self._frame
        if frame.cut:
            rows = [row[: -frame.cut] for row in rows]
        told = (frame.closing + frame.between + frame.opening).join(rows)
        self._write((frame.between if self._begun else b"") + frame.opening + told + frame.closing)
        self._begun = True

    def end_step(self) -> None:
        """End the gzip member, if there is one."""
        if self._member is not None:
            self._file_write(self._member.flush())
            self._member = None

    def finish(self) -> None:
        """Write the tail."""
        self._write(self._frame.tail)
        self.end_step()
