import pytest

from observatory.accounts.models import ApiKey
from observatory.accounts.services import api_key_create
from tests.observatory.accounts.credentials import bearer, content_of, error, post


@pytest.fixture
def key(make_tenant):
    """Return the id and the secret of a key of two projects with two permissions."""
    tenant = make_tenant(projects=("shop", "search"), permissions=["traces:read", "write:ingest"], tier="billing")
    return str(ApiKey.objects.get().id), tenant.key


def ask(key, *, as_form=False, **given):
    return post("/auth/token", {"client_id": key[0], "client_secret": key[1]} | given, as_form=as_form)


@pytest.mark.parametrize("grant", [{}, {"grant_type": "client_credentials"}], ids=["implied", "named"])
@pytest.mark.parametrize("as_form", [False, True], ids=["json", "form"])
def test_a_key_gives_a_token_with_its_projects_permissions_and_tier(key, grant, as_form):
    body = ask(key, as_form=as_form, **grant).json()

    claims = content_of(body.pop("access_token"))
    assert (claims["sub"], claims["role"], claims["permissions"], len(claims["projects"])) == (
        f"key:{key[0]}",
        "billing",
        ["ingest:write", "traces:read"],
        2,
    )
    assert body == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "ingest:write traces:read",
        "org_id": claims["org_id"],
    }


def test_a_token_of_a_key_is_narrowed_as_asked(key):
    body = ask(key, projects=["shop"], scope="traces:read keys:manage").json()

    assert body["scope"] == "traces:read"
    client = bearer(body["access_token"])
    assert client.get("/api/v1/traces?project_id=shop").status_code == 200
    assert error(client.get("/api/v1/traces?project_id=search")) == (403, 1101, "project_id")


@pytest.mark.parametrize(
    "given",
    [
        {"client_secret": "llmo_sk_live_" + "a" * 40},
        {"client_id": "6f1c1a52-0000-4000-8000-000000000000"},
        {"client_id": "é"},
    ],
    ids=["wrong secret", "another key's id", "no id"],
)
def test_a_wrong_client_is_refused(key, given):
    assert error(ask(key, **given)) == (401, 1009, "invalid_client")


def test_a_revoked_key_gives_no_token(key, db):
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")

    assert error(ask(key)) == (401, 1009, "invalid_client")


def test_a_project_beyond_the_key_is_refused(key):
    assert error(ask(key, projects="shop,secret")) == (403, 1101, "projects")


def test_the_tier_admin_of_a_key_is_no_administrator(make_tenant):
    tenant = make_tenant(projects=("shop",), permissions=["traces:read"], tier="admin")
    tenant.organisation.projects.create(slug="search", name="search")

    client = bearer(ask((str(ApiKey.objects.get().id), tenant.key)).json()["access_token"])

    assert client.get("/api/v1/traces").status_code == 200
    assert error(client.get("/api/v1/traces?project_id=search")) == (403, 1101, "project_id")
    assert client.get("/api/v1/metrics/performance").status_code == 403


def test_a_token_of_a_key_pays_from_the_bucket_of_the_key(key, settings):
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"billing": 10}
    client = bearer(ask(key).json()["access_token"])

    left = [one.get("/api/v1/traces")["X-RateLimit-Remaining"] for one in (client, bearer(key[1]), client)]

    assert left == ["11", "10", "9"]


def test_projects_of_another_organisation_are_out_of_reach_even_when_a_key_lists_them(make_tenant):
    ours, theirs = make_tenant("acme"), make_tenant("umbrella", projects=("secret",))
    made = api_key_create(
        organisation=ours.organisation,
        name="mixed",
        projects=[*ours.projects, *theirs.projects],
        permissions=["traces:read"],
    )

    assert error(bearer(made.secret).get("/api/v1/traces?project_id=secret")) == (403, 1101, "project_id")
