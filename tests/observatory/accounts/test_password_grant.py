import pytest
from django.conf import settings

from observatory.accounts.models import Project, User
from observatory.accounts.roles import ROLES, permissions_of
from observatory.accounts.services import member_create
from tests.observatory.accounts.credentials import PASSWORD, bearer, content_of, error, post, sign_in, token_of


@pytest.mark.parametrize("as_form", [False, True], ids=["json", "form"])
def test_a_member_gets_access_and_refresh_token(tenant, member, as_form):
    member("developer")

    reply = sign_in("developer", as_form=as_form)

    body = reply.json()
    assert (reply.status_code, body.pop("access_token").count("."), body.pop("refresh_token")[:8]) == (
        200,
        2,
        "llmo_rt_",
    )
    assert body == {
        "token_type": "Bearer",
        "expires_in": settings.JWT_EXPIRATION,
        "scope": " ".join(permissions_of("developer")),
        "org_id": str(tenant.organisation.public_id),
        "refresh_expires_in": settings.JWT_REFRESH_EXPIRATION,
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_token_carries_the_column_of_its_role(tenant, member, role):
    membership = member(role)

    claims = content_of(token_of(role))

    times = claims.pop("exp") - claims.pop("iat")
    del claims["jti"]
    assert (times, claims) == (
        3600,
        {
            "sub": str(membership.user_id),
            "org_id": str(tenant.organisation.public_id),
            "projects": [str(tenant.projects[0].public_id)],
            "role": role,
            "permissions": permissions_of(role),
            "iss": "llm-observatory",
            "aud": "llm-observatory-api",
        },
    )


@pytest.mark.parametrize(
    "given",
    [{"password": "not that one"}, {"username": "nobody"}],
    ids=["wrong password", "unknown user"],
)
def test_wrong_credentials_do_not_say_what_is_wrong(member, given):
    member("viewer")

    assert error(sign_in("viewer", **given)) == (401, 1009, "invalid_grant")


def test_a_disabled_user_cannot_sign_in(member):
    member("viewer")
    User.objects.update(is_active=False)

    assert error(sign_in("viewer")) == (401, 1009, "invalid_grant")


@pytest.fixture
def in_two_organisations(make_tenant, member):
    user = member("viewer").user
    other = make_tenant("umbrella").organisation
    user.memberships.create(organisation=other, role="billing")
    return other


def test_a_member_of_several_organisations_must_name_one(in_two_organisations):
    assert error(sign_in("viewer")) == (400, 1201, "organisation")


def test_a_member_of_several_organisations_gets_the_role_it_has_in_the_one_named(in_two_organisations):
    claims = content_of(token_of("viewer", organisation="umbrella"))

    assert (claims["org_id"], claims["role"]) == (str(in_two_organisations.public_id), "billing")


def test_an_organisation_the_user_is_not_in_is_refused(make_tenant, member):
    make_tenant("umbrella")
    member("viewer")

    assert [error(sign_in("viewer", organisation=name)) for name in ("umbrella", "no-such")] == [
        (403, 1104, "organisation")
    ] * 2


def test_a_user_of_no_organisation_is_told_so(db):
    User.objects.create_user("alone", password=PASSWORD)

    reply = sign_in("alone")

    assert error(reply) == (403, 1104, "organisation")
    assert reply.json()["error"]["message"].startswith("You are not a member of any organisation")


@pytest.fixture
def two_projects(make_tenant):
    tenant = make_tenant(projects=("shop", "search"))
    for role in ("admin", "viewer"):
        member_create(
            organisation=tenant.organisation, username=role, password=PASSWORD, role=role, projects=tenant.projects
        )
    return tenant


@pytest.mark.parametrize("role", ["admin", "viewer"])
@pytest.mark.parametrize("form", [str, lambda name: [name]], ids=["text", "list"])
def test_a_token_can_be_narrowed_to_projects(two_projects, role, form):
    shop = two_projects.projects[0]

    token = token_of(role, projects=form("shop"))

    assert content_of(token)["projects"] == [str(shop.public_id)]
    assert bearer(token).get("/api/v1/traces?project_id=shop").status_code == 200
    assert error(bearer(token).get("/api/v1/traces?project_id=search")) == (403, 1101, "project_id")


def test_a_project_beyond_the_member_is_refused(two_projects):
    Project.objects.create(organisation=two_projects.organisation, slug="secret", name="secret")

    assert error(sign_in("viewer", projects="shop,secret")) == (403, 1101, "projects")


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_a_token_can_be_narrowed_to_permissions(two_projects, role):
    reply = sign_in(role, scope="read:traces costs:*")

    assert reply.json()["scope"] == "costs:read traces:read"
    client = bearer(reply.json()["access_token"])
    assert (client.get("/api/v1/traces").status_code, client.get("/api/v1/metrics/performance").status_code) == (
        200,
        403,
    )


@pytest.mark.parametrize("scope", ["nonsense", "ingest:write"], ids=["unknown", "beyond the role"])
def test_a_scope_of_nothing_the_member_holds_grants_nothing(two_projects, scope):
    reply = sign_in("viewer", scope=scope)

    assert (reply.json()["scope"], content_of(reply.json()["access_token"])["permissions"]) == ("", [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, 1201, "grant_type")),
        ({"grant_type": "implicit"}, (400, 1202, "grant_type", "Allowed: client_credentials, password")),
        ({"grant_type": "password", "password": "x"}, (400, 1201, "username")),
        ({"grant_type": "password", "username": "x"}, (400, 1201, "password")),
        ({"grant_type": "password", "username": "", "password": "x"}, (400, 1203, "username")),
        ({"grant_type": "password", "username": 5, "password": "x"}, (400, 1203, "username")),
        ({"grant_type": "password", "username": "a\0b", "password": "x"}, (400, 1203, "username")),
        ({"grant_type": "password", "username": "x" * 10_001, "password": "x"}, (400, 1203, "username")),
        ({"client_id": "x"}, (400, 1201, "client_secret")),
        ({"client_id": "x", "client_secret": "y", "projects": [1]}, (400, 1203, "projects")),
        ({"client_id": "x", "client_secret": "y", "scope": ["a"] * 1001}, (400, 1205, "scope")),
        (
            {"client_id": "x", "client_secret": "y", "username": "z"},
            (400, 1202, "username", "Allowed: grant_type, client_id, client_secret, projects, scope"),
        ),
    ],
)
def test_a_wrong_body_is_told_by_its_member(db, body, expected):
    assert error(post("/auth/token", body)) == expected


def test_a_form_is_as_limited_in_size_as_json_is(db, settings):
    settings.MAX_BODY_BYTES = 1024

    replies = [
        post("/auth/token", {"grant_type": "password", "username": "x" * 2000}, as_form=as_form)
        for as_form in (False, True)
    ]

    assert [error(reply) for reply in replies] == [(413, 1209)] * 2
