from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analytics.storage.ddl import sql_file
from analytics.storage.engines.detection import has_hypertables, with_timescale
from analytics.storage.engines.moving import move, run_file


def to_timescale(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Move what is there into hypertables where the server offers TimescaleDB's community functions."""
    connection = schema_editor.connection
    if with_timescale(connection).lacks is None and not has_hypertables(connection):
        move(connection)


def to_partitions(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if has_hypertables(schema_editor.connection):
        run_file(schema_editor.connection, "0004_engines.down.sql")


class Migration(migrations.Migration):
    atomic = False  # days are copied one by one, and an interrupted move goes on where it was
    dependencies = [("analytics", "0004_lifecycle")]
    operations = [
        migrations.RunPython(to_timescale, to_partitions, atomic=False),
        sql_file("0004_engines"),
    ]
