"""Write the reference pages, or tell which are out of date."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from observatory.env import BASE_DIR
from observatory.reference import pages

DIFFERENT = 4


class Command(BaseCommand):
    help = "Write docs/reference from the tables. Example: python manage.py export_reference --check"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=BASE_DIR / "docs" / "reference", help="where the pages are")
        parser.add_argument("--check", action="store_true", help="change nothing; exit 4 when a page is out of date")

    def handle(self, *_args: Any, folder: Path, check: bool, **_options: Any) -> None:
        made = pages()
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in made.items():
                (folder / name).write_text(text)
            return
        stale = [name for name, text in made.items() if not _is_current(folder / name, text)]
        if stale:
            self.stderr.write(f"{', '.join(stale)} out of date: run `python manage.py export_reference`.")
            raise SystemExit(DIFFERENT)


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
