"""The only reader of the environment; the variables are in `observatory.env_table`.

A value that cannot be used raises `SettingError` whose sentence names the variable and the cure.
`up` leaves what it made (server addresses, secrets) in `OBSERVATORY_HOME/service.json`; a variable that is
not set is looked up there, so that `python manage.py <command>` finds a service that `up` started.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from observatory.env_table import SETTINGS, Setting

BASE_DIR = Path(__file__).resolve().parent.parent
SERVICE_FILE = "service.json"
CREDENTIALS_FILE = "credentials.json"
DRAINING_FILE = "draining"


class SettingError(Exception):
    """A variable is missing or unusable; the text is one sentence for the operator."""


_BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}


def home() -> Path:
    """Return the data folder of `up`, absolute."""
    return Path(os.environ.get("OBSERVATORY_HOME") or BASE_DIR / ".observatory").resolve()


def draining_mark() -> Path:
    """Return the file that exists while `up` is about to stop the service."""
    return home() / "run" / DRAINING_FILE


@cache
def _left_by_up() -> Mapping[str, str]:
    path = home() / SERVICE_FILE
    try:
        found: Mapping[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise SettingError(f"{path} cannot be read: delete it and run `make run` again.") from None
    return found


def check_token_keys() -> None:
    """Raise `SettingError` unless there is what the chosen algorithm verifies tokens with."""
    needed = ("JWT_SECRET",) if read("JWT_ALGORITHM") == "HS256" else ("JWT_PUBLIC_KEY", "JWT_JWKS_URL")
    if not any(map(read, needed)):
        raise SettingError(f"{needed[0]} is not set: set it, or run `make run`, which makes everything.")


def read(name: str) -> Any:
    """Return the value of variable `name`: from the environment, from `up`'s file, else its default."""
    setting = _BY_NAME[name]
    value = os.environ.get(name)
    # Parts of two databases must never mix: with DATABASE_URL set, nothing about a database comes from the file.
    if not value and not (name.startswith("DATABASE_") and os.environ.get("DATABASE_URL")):
        value = _left_by_up().get(name)
    if not value:
        if setting.required:
            raise SettingError(f"{name} is not set: set it, or run `make run`, which makes everything.")
        return setting.default
    try:
        return setting.read(value)
    except ValueError as problem:
        raise SettingError(f"{name} cannot be used: {problem}.") from None
