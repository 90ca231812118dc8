"""The system user that runs PostgreSQL, which refuses to run as root."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

from observatory.supervisor.failure import CannotStart

SYSTEM_USER = "embedded_postgres"


def server_user(data: Path) -> tuple[int, int] | None:
    """Return (uid, gid) of the user that runs the server on folder `data`; `None` when that is the caller.

    As root it is the owner of data that are there already, else a system user that is made when it is missing.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _make_system_user()
    return entry.pw_uid, entry.pw_gid


def _make_system_user() -> pwd.struct_passwd:
    try:
        subprocess.run(  # noqa: S603  a fixed command
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER],  # noqa: S607  where it is depends on the distribution
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise CannotStart(
            f"PostgreSQL does not run as root and the system user {SYSTEM_USER} cannot be made: "
            f"run `useradd {SYSTEM_USER}`, or start as an ordinary user."
        ) from None
    return pwd.getpwnam(SYSTEM_USER)


def let_through(paths: Iterable[Path]) -> list[Path]:
    """Let every user pass through (not list) the folders above `paths`; return the folders whose mode was changed."""
    folders = sorted({parent for path in paths for parent in (*path.parents, *path.resolve().parents)})
    return [folder for folder in folders if _add_mode(folder, stat.S_IXOTH)]


def let_run(folder: Path) -> None:
    """Let every user read and run what is below `folder`, which a strict umask may have closed."""
    if folder.stat().st_mode & stat.S_IROTH and (folder / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (folder, *folder.rglob("*")):
        runnable = path.stat().st_mode & stat.S_IXUSR
        _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if runnable else 0))


def _add_mode(path: Path, wanted: int) -> bool:
    mode = path.stat().st_mode
    if mode & wanted == wanted:
        return False
    try:
        path.chmod(stat.S_IMODE(mode) | wanted)
    except OSError as problem:
        raise CannotStart(
            f"PostgreSQL does not run as root and its own user cannot reach {path} ({problem.strerror}): "
            "start as an ordinary user, or move the project."
        ) from None
    return True
