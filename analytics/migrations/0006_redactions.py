from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_engines")]
    operations = [sql_file("0005_redactions")]
