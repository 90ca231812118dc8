"""The data folder of `up`: where everything is kept, who may read it, and the lock that keeps a second `up` out."""

import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from observatory.env import CREDENTIALS_FILE, SERVICE_FILE
from observatory.supervisor.failure import CannotStart

# sun_path holds 108 bytes on Linux and 104 on macOS, with the final NUL.
LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Paths inside one data folder; `path` is absolute."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def postgres_secret(self) -> Path:
        return self.path / "postgres.secret"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def prometheus(self) -> Path:
        return self.run / "prometheus"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def service_file(self) -> Path:
        return self.path / SERVICE_FILE

    @property
    def credentials(self) -> Path:
        return self.path / CREDENTIALS_FILE

    def record(self, program: str) -> Path:
        """Return the file in which the process group of `program` is recorded."""
        return self.run / f"{program}.pid"

    def create(self) -> None:
        """Make the folders that are missing, closed to other users; raise `CannotStart` if one cannot be written."""
        # Root's PostgreSQL runs as another user, who must pass through to the folders that are its own.
        passed = 0o711 if os.geteuid() == 0 else 0o700
        try:
            for folder, mode in ((self.path, passed), (self.run, passed), (self.logs, 0o700), (self.valkey, 0o700)):
                if not folder.is_dir():
                    folder.mkdir(parents=True)
                    folder.chmod(mode)
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as problem:
            raise CannotStart(self.unwritable(problem)) from None

    def check_creatable(self) -> None:
        """Raise `CannotStart` if the folder can be neither made nor written; change nothing."""
        nearest = next(folder for folder in (self.path, *self.path.parents) if folder.exists())
        if not nearest.is_dir():
            raise CannotStart(self.unwritable(NotADirectoryError(20, f"{nearest} is not a folder")))
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise CannotStart(self.unwritable(PermissionError(13, f"no right to write in {nearest}")))

    def unwritable(self, problem: OSError) -> str:
        return (
            f"The data folder {self.path} cannot be written ({problem.strerror}): "
            "choose another one with --data-dir or OBSERVATORY_HOME."
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other `up` off this folder; raise `CannotStart` if one runs."""
        lock = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = os.pread(lock, 20, 0).decode() or "unknown"
                raise CannotStart(
                    f"Another `up` (process {other}) runs on {self.path}: "
                    "stop it first, or choose another folder with --data-dir."
                ) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(lock)

    def service(self) -> dict[str, str]:
        """Return the variables that an earlier `up` left, none before the first start."""
        try:
            found: dict[str, str] = json.loads(self.service_file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise CannotStart(f"{self.service_file} cannot be read: delete it and start again.") from None
        return found

    def write_service(self, variables: Mapping[str, str]) -> None:
        write_private(self.service_file, json.dumps(dict(variables), indent=2) + "\n")


def write_private(path: Path, content: str) -> None:
    """Replace `path` at once by a file that only its owner may read."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:  # mkstemp makes it with mode 0600
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def socket_folder(wanted: Path, socket_name: str, *, owner: int) -> Path:
    """Return a folder of mode 0700 that user `owner` holds and in which `socket_name` is a usable socket path.

    That is `wanted`; where its path is too long for a UNIX socket, a short one in the folder for temporary files.
    """
    digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    short = (Path(base) / f"observatory-{digest}" for base in (tempfile.gettempdir(), "/tmp"))  # noqa: S108  owner and mode are verified below
    for folder in (wanted, *short):
        if len(os.fsencode(folder / socket_name)) <= LONGEST_SOCKET_PATH:
            _hold(folder, owner)
            return folder
    raise CannotStart(f"The path of {wanted} is too long for a socket: choose a shorter folder with --data-dir.")


def _hold(folder: Path, owner: int) -> None:
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700)
        if owner != os.geteuid():
            os.chown(folder, owner, -1)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:  # noqa: PLR2004  a mode
        raise CannotStart(f"{folder} is not a folder of mode 0700 that user {owner} owns: remove it and start again.")
