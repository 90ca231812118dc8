from uuid import uuid4

import pytest

from observatory.accounts.services import member_create
from tests.observatory.accounts.credentials import PASSWORD, bearer, claims, client, error, signed, token_of

TRACES, FIGURES = "/api/v1/traces", "/api/v1/metrics/performance"


@pytest.fixture
def three_projects(make_tenant):
    """An organisation whose key and members have the first two of its three projects."""
    tenant = make_tenant(projects=("shop", "search"))
    tenant.organisation.projects.create(slug="secret", name="secret")
    for role in ("admin", "viewer"):
        member_create(
            organisation=tenant.organisation, username=role, password=PASSWORD, role=role, projects=tenant.projects
        )
    return tenant


def reach(client, *names):
    return [client.get(f"{TRACES}?project_id={name}").status_code for name in names]


def test_an_administrator_reaches_every_project(three_projects):
    assert reach(bearer(token_of("admin")), "shop", "search", "secret", "shop,secret") == [200] * 4


def test_other_members_reach_their_own_projects(three_projects):
    assert reach(bearer(token_of("viewer")), "shop", "shop,search", "secret", "shop,secret") == [200, 200, 403, 403]


def test_a_key_reaches_its_own_projects(three_projects):
    assert reach(bearer(three_projects.key), "shop", "shop,search", "secret") == [200, 200, 403]


def test_a_token_reaches_the_projects_it_names(three_projects):
    token = signed(claims(three_projects, projects=[str(three_projects.projects[0].public_id)]))

    assert reach(bearer(token), "shop", "search") == [200, 403]


@pytest.mark.parametrize("spell", [str, lambda id_: str(id_).upper()], ids=["lower", "upper"])
def test_a_project_may_be_named_by_its_id(three_projects, spell):
    assert reach(bearer(three_projects.key), spell(three_projects.projects[0].public_id)) == [200]


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_foreign_and_unknown_projects_are_refused_alike(three_projects, make_tenant, role):
    foreign = make_tenant("umbrella", projects=("theirs",)).projects[0]
    client = bearer(token_of(role))

    refusals = [
        error(client.get(f"{TRACES}?project_id={name}")) for name in ("theirs", foreign.public_id, uuid4(), "no-such")
    ]

    assert refusals == [(403, 1101, "project_id")] * 4


@pytest.mark.parametrize("path", [TRACES, FIGURES])
def test_a_token_of_foreign_projects_reaches_none(make_tenant, path):
    ours, theirs = make_tenant(), make_tenant("umbrella")
    token = signed(
        claims(ours, projects=[str(theirs.projects[0].public_id)], permissions=["traces:read", "metrics:read"])
    )

    assert error(bearer(token).get(path)) == (400, 1206, "project_id")


def test_a_credential_without_projects_is_told_so(make_tenant):
    key = make_tenant(projects=()).key

    replies = [bearer(key).get(path) for path in (TRACES, f"{TRACES}?project_id=shop")]

    assert [error(reply) for reply in replies] == [(400, 1206, "project_id"), (403, 1101, "project_id")]


@pytest.mark.parametrize("path", [FIGURES, "/api/v1/analytics/performance"])
def test_an_anonymous_caller_sees_public_projects(three_projects, path):
    before = error(client().get(path))
    three_projects.organisation.projects.filter(slug="shop").update(is_public=True)

    assert (before, client().get(path).status_code) == ((401, 1000), 200)
    assert client().get(f"{path}?project_id=shop").status_code == 200
    assert error(client().get(f"{path}?project_id=search")) == (401, 1000)
    assert error(client().get(f"{path}?project_id=shop,search")) == (401, 1000)


@pytest.mark.parametrize("parameter", ["user_id", "team_id"])
def test_an_anonymous_caller_cannot_ask_about_people(three_projects, parameter):
    three_projects.organisation.projects.update(is_public=True)

    assert error(client().get(f"{FIGURES}?{parameter}=x")) == (401, 1000)


def test_public_projects_make_no_other_route_public(three_projects):
    three_projects.organisation.projects.update(is_public=True)

    assert error(client().get(TRACES)) == (401, 1000)


def test_a_credential_without_the_permission_does_not_fall_back_to_public(make_tenant):
    tenant = make_tenant(permissions=["traces:read"])
    tenant.organisation.projects.update(is_public=True)

    assert error(bearer(tenant.key).get(FIGURES)) == (403, 1100, "metrics:read")


def test_staff_have_no_reach_beyond_their_memberships(django_user_model, tenant):
    staff = django_user_model.objects.create_superuser("root", password=PASSWORD)

    reply = client().post(
        "/auth/token", {"grant_type": "password", "username": staff.username, "password": PASSWORD}, "application/json"
    )

    assert error(reply) == (403, 1104, "organisation")
