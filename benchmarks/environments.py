"""Python environments of programs that the service itself never needs: made once, used by every later run."""

import os
import shutil
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

DEFAULT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llm-observatory-benchmarks"
_WHOLE = ".installed"  # written last: an installation that was cut off is begun again


def environment(folder: Path, packages: Sequence[str]) -> Path:
    """Return the programs' folder of an environment with `packages`, made where it is missing.

    Nothing is asked of the network when it is there. Ends the program with what to do when it cannot be made.
    """
    programs = folder / "bin"
    if (folder / _WHOLE).exists():
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    done = subprocess.run(  # noqa: S603  names of ours
        [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        problem = next(reversed(done.stderr.strip().splitlines()), "pip failed")
        raise SystemExit(
            f"{', '.join(packages)} could not be installed ({problem}): run this once where PyPI is reached,"
            f" or bring {folder} from a machine where it was, and leave the part out until then."
        )
    (folder / _WHOLE).touch()
    return programs
