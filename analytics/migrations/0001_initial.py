from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [sql_file("0001_spans")]
