#!/usr/bin/env python3
"""Entry point of every management command: `python manage.py <command> --help`."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11) or sys.version_info >= (3, 14):
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"LLM Observatory runs on Python 3.11 to 3.13 and this is {version}: run `make run PYTHON=python3.12`."
        )
    # `up` starts the servers that the other settings need, so it must load without them.
    module = "observatory.settings.launcher" if sys.argv[1:2] == ["up"] else "observatory.settings.service"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)
    from django.core.management import execute_from_command_line  # noqa: PLC0415  a Python too old cannot import it

    from observatory.env import SettingError  # noqa: PLC0415  as above

    try:
        execute_from_command_line(sys.argv)
    except SettingError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
