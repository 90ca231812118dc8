from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analytics.storage.ddl import sql_file

_NO_DECOMPRESSION = """
    SELECT set_config('timescaledb.enable_transparent_decompression', 'off', true),
        set_config('timescaledb.enable_dml_decompression', 'off', true)
"""
# Vectors made of pieces of a text, and those that may not have kept all places of a word. Few characters have less
# words than that.
FORGET = """
    UPDATE llm_contents SET search_vector = NULL
    WHERE search_vector IS NOT NULL AND length(concat(input_text, output_text)) > 120 AND (
        length(concat(input_text, output_text)) > CASE
            WHEN octet_length(concat(input_text, output_text)) > length(concat(input_text, output_text)) THEN 4000
            ELSE 10000 END
        OR EXISTS (SELECT FROM unnest(search_vector) AS word WHERE cardinality(word.positions) >= 255)
    )
"""


def forget_vectors(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Vectors that do not say what they lack are made anew, behind, like those of new rows; until then they are scanned.

    Days in the columnstore keep theirs: unpacking them all takes more room than there may be.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('timescaledb_information.chunks') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(_NO_DECOMPRESSION)
        cursor.execute(FORGET)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0032_leaner_alerts")]
    operations = [sql_file("0033_phrases"), migrations.RunPython(forget_vectors, migrations.RunPython.noop)]
