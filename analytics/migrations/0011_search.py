from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analytics.storage.ddl import sql_file

_PACKED = """
    INSERT INTO search_backlog
    SELECT DISTINCT (range_start AT TIME ZONE 'UTC')::date FROM timescaledb_information.chunks
    WHERE hypertable_schema = 'public' AND hypertable_name = 'llm_contents' AND is_compressed
"""


def note_what_is_packed(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Days that are in the columnstore already have no vectors; the worker makes them one by one."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('timescaledb_information.chunks') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(_PACKED)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_idempotency")]
    operations = [sql_file("0009_search"), migrations.RunPython(note_what_is_packed, migrations.RunPython.noop)]
