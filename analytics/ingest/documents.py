"""Documents: JSON objects from which several members are read, each by a reader that tells which keys it takes.

What no reader takes is kept, so that nothing of a document is lost with the attribute that held it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from analytics.ingest.readers import Reader, json_object, says_nothing, tokens

Path = tuple[str, ...]
Document = Mapping[str, Any]


class DocumentReader(ABC):
    """A reader of a part of a document."""

    @abstractmethod
    def __call__(self, value: Any) -> Any:
        """Return the fact that `value` tells, or `None` when it tells none."""

    @abstractmethod
    def takes(self, document: Document) -> Iterable[Path]:
        """Return where the fact stands in `document`; nothing when none is read from it."""

    def is_unusable(self, _: Document) -> bool:
        """Whether the document tells a count that is none."""
        return False


class Inside(DocumentReader):
    """Reads one key along a path; `otherwise` is what an object without it tells."""

    __slots__ = ("_holders", "_key", "_otherwise", "_path", "_read")

    def __init__(self, path: str, read: Reader, otherwise: Any) -> None:
        self._path = tuple(path.split("."))
        *self._holders, self._key = self._path
        self._read, self._otherwise = read, otherwise

    def __call__(self, value: Any) -> Any:
        found = self._holder(value)
        if found is None:
            return None
        return self._read(found[self._key]) if found.get(self._key) is not None else self._otherwise

    def _holder(self, value: Any) -> dict[str, Any] | None:
        found = json_object(value)
        for holder in self._holders:
            found = json_object(found.get(holder)) if found else None
        return found

    def _said(self, document: Document) -> Any:
        found = self._holder(document)
        return None if found is None else found.get(self._key)

    def takes(self, document: Document) -> Iterable[Path]:
        said = self._said(document)
        return () if said is None or self._read(said) is None else (self._path,)

    def is_unusable(self, document: Document) -> bool:
        return self._read is tokens and (said := self._said(document)) is not None and tokens(said) is None


class FirstOf(DocumentReader):
    """Tries others in order."""

    __slots__ = ("_readers",)

    def __init__(self, readers: tuple[DocumentReader, ...]) -> None:
        self._readers = readers

    def __call__(self, value: Any) -> Any:
        return next((found for one in self._readers if (found := one(value)) is not None), None)

    def takes(self, document: Document) -> Iterable[Path]:
        return [path for one in self._readers for path in one.takes(document)]

    def is_unusable(self, document: Document) -> bool:
        return any(one.is_unusable(document) for one in self._readers)


def inside(path: str, read: Reader, *, otherwise: Any = None) -> DocumentReader:
    """Return a reader of one key of an object, or of one along dots; `otherwise` is what an object without it tells."""
    return Inside(path, read, otherwise)


def first_of(*readers: DocumentReader) -> DocumentReader:
    """Return a reader that tries others in order."""
    return FirstOf(readers)


def left_of(document: Document, taken: Iterable[Path]) -> dict[str, Any]:
    """Return what is left of `document` without the paths in `taken`; what says nothing is not."""
    deeper: dict[str, list[Path]] = {}
    for key, *rest in taken:
        deeper.setdefault(key, []).append(tuple(rest))
    left: dict[str, Any] = {}
    for key, value in document.items():
        if says_nothing(value):
            continue
        paths = deeper.get(key)
        if paths is None:
            left[key] = value
        elif () not in paths and (inner := left_of(json_object(value) or {}, paths)):
            left[key] = inner
    return left
