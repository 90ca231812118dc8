"""A file on its way to disk: written beside its name, resumed where it broke off, and proved by its digest."""

import base64
import hashlib
from pathlib import Path

import httpx

from llm_observatory.errors import DigestError, RefusedError


class Download:
    """The file `path`, which appears only when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._part.unlink(missing_ok=True)
        self._tag = ""
        self._expected = ""

    def headers(self) -> dict[str, str]:
        """Return what the next request asks for: the rest, if the file is still the same."""
        if not self._tag or not self._part.exists():
            return {}
        return {"Range": f"bytes={self._part.stat().st_size}-", "If-Range": self._tag}

    def begin(self, reply: httpx.Response) -> None:
        """Note what the reply says of the file; begin anew when it is whole. Raises `RefusedError` for a refusal."""
        if reply.is_error:
            raise RefusedError(reply)
        if reply.status_code != httpx.codes.PARTIAL_CONTENT:
            self._part.unlink(missing_ok=True)
        self._tag = reply.headers.get("ETag", "")
        self._expected = reply.headers.get("Repr-Digest", self._expected)

    def write(self, octets: bytes) -> None:
        with self._part.open("ab") as file:
            file.write(octets)

    def give_up(self) -> None:
        """Leave nothing behind."""
        self._part.unlink(missing_ok=True)

    def end(self) -> Path:
        """Give the file its name. Raises `DigestError` when its digest is not the one that was told."""
        with self._part.open("ab"):  # an empty file is one too
            pass
        with self._part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        if self._expected and self._expected != f"sha-256=:{base64.b64encode(digest).decode()}:":
            self._part.unlink()
            raise DigestError(f"{self.path.name}: the digest differs from the one that the service told")
        self._part.replace(self.path)
        return self.path
