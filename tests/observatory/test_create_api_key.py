import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from observatory.accounts.authentication import principal_of_key
from observatory.accounts.models import ApiKey


def create(tenant, **given):
    out = StringIO()
    options = {
        "organisation": tenant.organisation.slug,
        "project": ["main"],
        "name": "checkout",
        "permission": ["ingest:write"],
    }
    call_command("create_api_key", stdout=out, **options | given)
    return out.getvalue()


def test_the_key_it_prints_opens_what_was_asked_for(tenant):
    printed = json.loads(create(tenant, json=True))
    principal = principal_of_key(printed["key"])
    assert (principal.id, principal.permissions, [one.slug for one in principal.projects]) == (
        printed["id"],
        frozenset({"ingest:write"}),
        ["main"],
    )


def test_a_dry_run_makes_nothing(tenant):
    assert create(tenant, dry_run=True).startswith("would make key checkout of main")
    assert not ApiKey.objects.filter(name="checkout").exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"organisation": "nobody"}, "There is no organisation nobody"),
        ({"project": ["main", "attic"]}, "acme has no project attic"),
        ({"permission": ["fly"]}, "No such permission: fly"),
    ],
)
def test_what_does_not_exist_is_named(tenant, given, sentence):
    with pytest.raises(CommandError, match=sentence):
        create(tenant, **given)
