"""DDL of the storage as frozen files: `sql/<name>.up.sql` with its reverse `sql/<name>.down.sql`."""

from pathlib import Path

from django.db.migrations.operations import RunSQL

_FOLDER = Path(__file__).parent / "sql"


def sql_file(name: str) -> RunSQL:
    """Return the migration operation that runs file `name` up or down."""
    return RunSQL((_FOLDER / f"{name}.up.sql").read_text(), (_FOLDER / f"{name}.down.sql").read_text())
