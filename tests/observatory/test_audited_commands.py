"""What operators' commands change stands in the audit log; what they only look at does not."""

from io import StringIO

from django.core.management import call_command

from observatory.accounts.models import ApiKey, AuditEntry

KEY = ("--organisation", "acme", "--project", "main", "--name", "made", "--permission", "traces:read")


def run(*command):
    call_command(*command, stdout=StringIO(), stderr=StringIO())


def entries():
    names = ("action", "resource_type", "resource_id", "organisation_id", "user_agent", "success")
    return list(AuditEntry.objects.filter(user_agent__startswith="manage.py").values_list(*names))


def test_a_key_that_a_command_makes(tenant):
    run("create_api_key", *KEY)
    made = str(ApiKey.objects.get(name="made").id)

    assert entries() == [("create", "key", made, tenant.organisation.id, "manage.py create_api_key", True)]


def test_a_dry_run_leaves_no_entry(tenant):
    run("create_api_key", *KEY, "--dry-run")

    assert entries() == []
