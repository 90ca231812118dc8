from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0008_rejected_spans")]
    operations = [sql_file("0008_redactions")]
