from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analytics.storage.ddl import sql_file

_NO_DECOMPRESSION = """
    SELECT set_config('timescaledb.enable_transparent_decompression', 'off', true),
        set_config('timescaledb.enable_dml_decompression', 'off', true)
"""
# A part whose case changes beside another part: MyClass.method, app/fooBar; and texts with more words than a vector has
# positions for. Other texts have the same words as before.
FORGET = r"""
    UPDATE llm_contents SET search_vector = NULL
    WHERE search_vector IS NOT NULL AND (length(concat(input_text, output_text)) > CASE
            WHEN octet_length(concat(input_text, output_text)) > length(concat(input_text, output_text)) THEN 4000
            ELSE 16000 END
        OR concat(input_text, ' ', output_text) ~ concat(
        '([[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]])[[:alnum:]]*[!#-&*-+./:=?@\\^_|~-]+[[:alnum:]]|',
        '[[:alnum:]][!#-&*-+./:=?@\\^_|~-]+[[:alnum:]]*([[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]])'
    ))
"""


def forget_vectors(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Vectors that lack words are made anew, behind, like those of new rows; until then their rows are scanned.

    Days in the columnstore keep theirs: unpacking them all takes more room than there may be. They are found by the
    words that they had.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('timescaledb_information.chunks') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(_NO_DECOMPRESSION)
        cursor.execute(FORGET)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0021_few_rows")]
    operations = [sql_file("0031_identifiers"), migrations.RunPython(forget_vectors, migrations.RunPython.noop)]
