import jwt
import pytest

from observatory.accounts.models import ApiKey, User
from tests.observatory.accounts.credentials import (
    MISSING,
    bearer,
    claims,
    client,
    content_of,
    error,
    post,
    signed,
    token_of,
)

URL = "/api/v1/traces"
CHALLENGE = 'Bearer realm="llm-observatory"'
INVALID = f'{CHALLENGE}, error="invalid_token"'
OTHER_ID = "6f1c1a52-0000-4000-8000-000000000000"


def told(reply):
    return *error(reply), reply.headers.get("WWW-Authenticate")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"token_type": "access"},
        {"iss": "llm-observatory", "aud": "llm-observatory-api"},
        {"aud": ["another", "llm-observatory-api"]},
        {"lives": -20},
        {"age": -20},
        {"role": "astronaut"},
        {"permissions": ["*"]},
        {"projects": ["no uuid"], "role": "admin"},
    ],
    ids=repr,
)
def test_a_token_that_others_signed_with_the_key_is_good(tenant, given):
    assert bearer(signed(claims(tenant, **given))).get(URL).status_code == 200


@pytest.mark.parametrize("name", ["sub", "org_id", "projects", "role", "permissions", "iat", "exp", "jti"])
def test_a_token_without_a_mandatory_claim_is_invalid(tenant, name):
    assert told(bearer(signed(claims(tenant, **{name: MISSING}))).get(URL)) == (401, 1001, INVALID)


@pytest.mark.parametrize(
    "given",
    [
        {"age": -3600},
        {"iss": "another"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"token_type": "refresh"},
        {"jti": "no uuid"},
        {"projects": "main"},
        {"permissions": "traces:read"},
        {"org_id": OTHER_ID},
        {"org_id": "no uuid"},
        {"exp": "soon"},
    ],
    ids=repr,
)
def test_a_token_with_a_wrong_claim_is_invalid(tenant, given):
    payload = claims(tenant, **given)

    assert told(bearer(signed(payload)).get(URL)) == (401, 1001, INVALID)


@pytest.mark.parametrize("name", ["iss", "aud"])
def test_issuer_and_audience_can_be_made_mandatory(tenant, settings, name):
    settings.JWT_REQUIRE_ISS_AUD = True
    both = {"iss": "llm-observatory", "aud": "llm-observatory-api"}

    replies = [bearer(signed(claims(tenant, **one))).get(URL) for one in (both, both | {name: MISSING})]

    assert (replies[0].status_code, told(replies[1])) == (200, (401, 1001, INVALID))


def test_an_expired_token_is_told_apart(tenant):
    payload = claims(tenant, age=7200, lives=-3600)

    assert told(bearer(signed(payload)).get(URL)) == (401, 1002, INVALID)


def test_an_unsigned_token_is_invalid(tenant):
    token = jwt.encode(claims(tenant), None, algorithm="none")

    assert told(bearer(token).get(URL)) == (401, 1001, INVALID)


@pytest.mark.parametrize(
    "how",
    [{"key": "another key that is long enough for all of them" * 2}, {"key": "k" * 64, "algorithm": "HS512"}],
    ids=["other key", "other key and algorithm"],
)
def test_a_token_of_another_signer_is_invalid(tenant, how):
    assert told(bearer(signed(claims(tenant), **how)).get(URL)) == (401, 1001, INVALID)


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_a_token_of_another_algorithm_is_invalid_although_the_key_is_ours(tenant):
    assert told(bearer(signed(claims(tenant), algorithm="HS384")).get(URL)) == (401, 1001, INVALID)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, 1000, CHALLENGE)),
        ({"Authorization": ""}, (401, 1001, INVALID)),
        ({"Authorization": "Bearer"}, (401, 1001, INVALID)),
        ({"Authorization": "Basic dTpw"}, (401, 1001, INVALID)),
        ({"Authorization": "Bearer no-token"}, (401, 1001, INVALID)),
        ({"Authorization": "Bearer é.ü.ß"}, (401, 1001, INVALID)),
        ({"Authorization": "Bearer llmo_sk_live_unknown"}, (401, 1003, CHALLENGE)),
        ({"X-API-Key": ""}, (401, 1003, CHALLENGE)),
        ({"X-API-Key": "llmo_sk_live_unknown"}, (401, 1003, CHALLENGE)),
        ({"X-API-Key": "llmo_sk_live_a", "Authorization": "Bearer llmo_sk_live_b"}, (401, 1003, CHALLENGE)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", [URL, "/api/v1/metrics/performance"])
def test_a_bad_credential_is_refused_with_a_challenge(tenant, path, headers, expected):
    tenant.organisation.projects.update(is_public="performance" in path and bool(headers))

    assert told(client(**headers).get(path)) == expected


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(tenant, scheme):
    assert client(Authorization=f"{scheme} {tenant.key}").get(URL).status_code == 200


def test_both_headers_may_name_the_same_key(tenant):
    both = {"Authorization": f"Bearer {tenant.key}", "X-API-Key": tenant.key}

    assert client(**both).get(URL).status_code == 200


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_key_ends_at_its_time_and_its_tokens_with_it(tenant, field):
    key = ApiKey.objects.get()
    token = post("/auth/token", {"client_id": str(key.id), "client_secret": tenant.key}).json()["access_token"]

    ApiKey.objects.update(**{field: "2026-01-01T00:00:00Z"})

    assert told(bearer(tenant.key).get(URL)) == (401, 1003, CHALLENGE)
    assert told(bearer(token).get(URL)) == (401, 1004, INVALID)


def test_disabling_a_user_ends_its_tokens(member):
    member("developer")
    token = token_of("developer")

    User.objects.update(is_active=False)

    assert told(bearer(token).get(URL)) == (401, 1004, INVALID)


def test_removing_a_membership_ends_its_tokens(member):
    membership = member("developer")
    token = token_of("developer")

    membership.delete()

    assert told(bearer(token).get(URL)) == (401, 1004, INVALID)


def test_a_token_cannot_be_moved_to_another_organisation(make_tenant, member):
    member("admin")
    other = make_tenant("umbrella").organisation

    moved = content_of(token_of("admin")) | {"org_id": str(other.public_id)}

    assert told(bearer(signed(moved)).get(URL)) == (401, 1004, INVALID)


def test_a_header_of_the_caller_never_says_who_it_is(tenant):
    headers = {"X-User-ID": OTHER_ID, "X-Organisation-ID": str(tenant.organisation.public_id), "Remote-User": "admin"}

    assert told(client(**headers).get(URL)) == (401, 1000, CHALLENGE)
