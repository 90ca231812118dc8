from django.db import migrations, models

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0007_usage")]
    operations = [
        sql_file("0007_rejected_spans"),
        migrations.CreateModel(
            name="RejectedSpan",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organisation_id", models.IntegerField()),
                ("project_id", models.IntegerField()),
                ("received_at", models.DateTimeField()),
                ("trace_id", models.BinaryField(null=True)),
                ("span_id", models.BinaryField(null=True)),
                ("span_name", models.TextField(null=True)),
                ("service_name", models.TextField(null=True)),
                ("scope_name", models.TextField(null=True)),
                ("reason", models.TextField()),
                ("message", models.TextField()),
                ("key_prefix", models.TextField(null=True)),
                ("request_id", models.TextField()),
            ],
            options={"db_table": "rejected_spans", "managed": False},
        ),
    ]
