from io import StringIO

import pytest
from django.core.management import call_command

from observatory import reference
from observatory.env import BASE_DIR
from observatory.env_table import SETTINGS

NAMES = [
    "attribute-names.md", "caching.md", "detectors.md", "dimensions.md", "errors.md", "events.md", "filters.md",
    "measures.md", "permissions.md", "rejected-spans.md", "series.md", "settings.md", "span-fields.md",
]  # fmt: skip


def test_the_pages_in_the_repository_are_current():
    call_command("export_reference", check=True)


def test_every_page_is_written(tmp_path):
    call_command("export_reference", folder=tmp_path / "new")

    written = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    assert (sorted(written), written) == (NAMES, reference.pages())


@pytest.mark.parametrize("change", [lambda page: page.unlink(), lambda page: page.write_text("old")])
def test_a_page_out_of_date_is_named_and_nothing_is_written(tmp_path, change):
    call_command("export_reference", folder=tmp_path)
    change(tmp_path / "errors.md")
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    told = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("export_reference", folder=tmp_path, check=True, stderr=told)

    assert (end.value.code, told.getvalue()) == (
        4,
        "errors.md out of date: run `python manage.py export_reference`.\n",
    )
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_every_row_has_as_many_cells_as_its_table():
    for name, page in reference.pages().items():
        tables = [block for block in page.split("\n\n") if block.startswith("| ")]
        for table in tables:
            widths = {line.replace("\\|", "").count("|") for line in table.strip().splitlines()}
            assert (name, len(widths)) == (name, 1)


def test_no_page_tells_a_secret():
    page = reference.pages()["settings.md"]

    assert [one.name for one in SETTINGS if f"`{one.name}`" not in page] == []
    assert str(BASE_DIR) not in page
