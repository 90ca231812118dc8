"""Where files are: the ones that are being written in a folder, finished ones there too or in a bucket."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages

_BLOCK_BYTES = 262_144
_WORK, _FINISHED = "work", "files"


class StoreError(Exception):
    """The store of finished files does not answer, or does not do what it is asked."""


class Store(Protocol):
    """Finished files by name."""

    def put(self, path: Path, name: str) -> None:
        """Take the file at `path`, which is gone afterwards; one of that name is replaced at once."""

    def size(self, name: str) -> int | None:
        """Return the octets of a file, `None` where there is none."""

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the octets from `start` up to `end` (exclusive)."""

    def delete(self, name: str) -> None:
        """Delete a file if it is there."""


class FolderStore:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: Path, name: str) -> None:
        """Move the file; once this returns it is there even if the machine loses its power."""
        target = self.folder / name
        with _told_as_store_error():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def size(self, name: str) -> int | None:
        """Return the octets of a file, `None` where there is none."""
        with _told_as_store_error():
            try:
                return (self.folder / name).stat().st_size
            except FileNotFoundError:
                return None

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the octets; a file that is opened once is read to its end whatever becomes of its name."""
        with _told_as_store_error():
            file = (self.folder / name).open("rb")
        return _told_while_read(_blocks(file, start, end))

    def delete(self, name: str) -> None:
        """Delete a file if it is there."""
        with _told_as_store_error():
            (self.folder / name).unlink(missing_ok=True)


def _blocks(file: Any, start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = end - start
        while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
            left -= len(block)
            yield block


class BucketStore:
    """Files in a bucket of S3 or a store that speaks like it, through django-storages."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage

    def put(self, path: Path, name: str) -> None:
        """Send the file in parts; the bucket shows it once it is whole."""
        with _told_as_store_error(), path.open("rb") as file:
            self.storage.save(name, File(file))
        path.unlink()

    def size(self, name: str) -> int | None:
        """Return the octets of a file, `None` where there is none."""
        with _told_as_store_error():
            return int(self.storage.size(name)) if self.storage.exists(name) else None

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the octets as the bucket sends them."""
        if start >= end:
            return iter(())
        with _told_as_store_error():
            found = self.storage.bucket.Object(self.storage._normalize_name(name))  # noqa: SLF001  no public way to a part
            body = found.get(Range=f"bytes={start}-{end - 1}")["Body"]
        return _told_while_read(body.iter_chunks(_BLOCK_BYTES))

    def delete(self, name: str) -> None:
        """Delete a file if it is there."""
        with _told_as_store_error():
            self.storage.delete(name)


def store() -> Store:
    """Return the store of finished files that the settings name."""
    if settings.EXPORT_S3_BUCKET:
        return BucketStore(storages["exports"])
    return FolderStore(Path(settings.EXPORT_DIR) / _FINISHED)


def work_path(job_id: UUID) -> Path:
    """Return where the file of a running export is."""
    return Path(settings.EXPORT_DIR) / _WORK / f"{job_id}.part"


def notes_path(job_id: UUID) -> Path:
    """Return where a format keeps what it needs to finish its file."""
    return Path(settings.EXPORT_DIR) / _WORK / f"{job_id}.notes"


def forget_work(job_id: UUID) -> None:
    """Delete what there is of an unfinished file."""
    work_path(job_id).unlink(missing_ok=True)
    notes_path(job_id).unlink(missing_ok=True)


def work_ids() -> list[UUID]:
    """Return the exports of which there are unfinished files."""
    folder = Path(settings.EXPORT_DIR) / _WORK
    found = {path.stem for path in folder.glob("*") if path.suffix in {".part", ".notes"}}
    return sorted(UUID(stem) for stem in found if _is_uuid(stem))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


@contextmanager
def _told_as_store_error() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise StoreError(problem.strerror or type(problem).__name__) from problem
    except Exception as problem:
        if type(problem).__module__.partition(".")[0] not in {"botocore", "boto3", "s3transfer"}:
            raise
        raise StoreError(type(problem).__name__) from problem


def _told_while_read(blocks: Iterator[bytes]) -> Iterator[bytes]:
    with _told_as_store_error():
        yield from blocks
