from datetime import timedelta

import pytest
from django.utils import timezone

from observatory.accounts.models import RefreshToken, RevokedToken, User
from observatory.accounts.tokens import purge_dead_tokens
from tests.observatory.accounts.credentials import bearer, claims, content_of, error, post, sign_in, signed, token_of

URL = "/api/v1/traces"


def refresh(token):
    return post("/auth/refresh", {"refresh_token": token})


def revoke(token, **given):
    return post("/auth/revoke", {"token": token} | given)


@pytest.fixture
def pair(member):
    member("developer")
    return sign_in("developer").json()


def test_a_refresh_token_gives_a_new_pair(pair):
    renewed = refresh(pair["refresh_token"])

    body = renewed.json()
    assert (renewed.status_code, body.keys(), body["scope"]) == (200, pair.keys(), pair["scope"])
    assert body["refresh_token"] != pair["refresh_token"]
    assert bearer(body["access_token"]).get(URL).status_code == 200


def test_a_form_renews_too(pair):
    reply = post("/auth/refresh", {"refresh_token": pair["refresh_token"]}, as_form=True)

    assert reply.status_code == 200


def test_a_refresh_token_used_twice_ends_its_family(pair):
    newest = refresh(pair["refresh_token"]).json()["refresh_token"]

    assert [error(refresh(token)) for token in (pair["refresh_token"], newest)] == [(401, 1010)] * 2


def test_a_family_that_ended_leaves_the_others_alone(pair):
    other = sign_in("developer").json()["refresh_token"]
    refresh(pair["refresh_token"])
    refresh(pair["refresh_token"])

    assert refresh(other).status_code == 200


def test_an_unknown_refresh_token_is_refused(db):
    assert error(refresh("llmo_rt_" + "a" * 40)) == (401, 1010)


def test_an_expired_refresh_token_is_refused(pair):
    RefreshToken.objects.update(expires_at=timezone.now())

    assert error(refresh(pair["refresh_token"])) == (401, 1010)


def test_a_refresh_token_of_a_disabled_user_is_refused(pair):
    User.objects.update(is_active=False)

    assert error(refresh(pair["refresh_token"])) == (401, 1010)


def test_a_refresh_token_ends_with_the_membership(pair):
    User.objects.get().memberships.all().delete()

    assert error(refresh(pair["refresh_token"])) == (401, 1010)


def test_a_renewed_token_has_the_role_of_now(pair):
    User.objects.get().memberships.update(role="billing")

    assert content_of(refresh(pair["refresh_token"]).json()["access_token"])["role"] == "billing"


@pytest.mark.parametrize("role", ["admin", "developer"])
def test_a_renewed_token_is_as_narrow_as_the_first(make_tenant, member, role):
    member(role)
    first = sign_in(role, scope="traces:read nonsense", projects="main").json()

    renewed = refresh(refresh(first["refresh_token"]).json()["refresh_token"]).json()

    kept = ("permissions", "projects", "narrowed")
    assert renewed["scope"] == "traces:read"
    assert [content_of(renewed["access_token"])[name] for name in kept] == [
        content_of(first["access_token"])[name] for name in kept
    ]


def test_a_revoked_access_token_is_dead_at_once(pair):
    client = bearer(pair["access_token"])
    before = client.get(URL).status_code

    reply = revoke(pair["access_token"])

    assert (before, reply.status_code, reply.json()) == (200, 200, {})
    assert error(client.get(URL)) == (401, 1004)


def test_a_revoked_refresh_token_is_dead_with_its_family(pair):
    newest = refresh(pair["refresh_token"]).json()["refresh_token"]

    reply = revoke(pair["refresh_token"])

    assert (reply.status_code, reply.json(), error(refresh(newest))) == (200, {}, (401, 1010))


@pytest.mark.parametrize("token", ["no token", "llmo_rt_" + "a" * 40, "a.b.c"])
def test_revoking_what_is_unknown_is_answered_alike(db, token):
    reply = revoke(token)

    assert (reply.status_code, reply.json()) == (200, {})


def test_revoking_twice_is_answered_alike(pair):
    assert [revoke(pair["access_token"]).status_code for _ in range(2)] == [200, 200]


def test_a_token_that_others_signed_with_the_key_can_be_revoked(tenant):
    token = signed(claims(tenant))
    revoke(token)

    assert error(bearer(token).get(URL)) == (401, 1004)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/auth/refresh", {}, (400, 1201, "refresh_token")),
        ("/auth/refresh", {"refresh_token": "x", "scope": "y"}, (400, 1202, "scope", "Allowed: refresh_token")),
        ("/auth/revoke", {}, (400, 1201, "token")),
        ("/auth/revoke", {"token": "x", "kind": "y"}, (400, 1202, "kind", "Allowed: token")),
    ],
)
def test_a_wrong_body_is_told_by_its_member(db, path, body, expected):
    assert error(post(path, body)) == expected


def test_only_dead_tokens_are_purged(pair):
    sign_in("developer")
    revoke(pair["access_token"])
    revoke(token_of("developer"))
    later = timezone.now() + timedelta(days=8)
    RefreshToken.objects.filter(pk=RefreshToken.objects.first().pk).update(expires_at=later + timedelta(seconds=1))

    purged = purge_dead_tokens(now=later)

    assert (purged, RevokedToken.objects.count(), RefreshToken.objects.count()) == (4, 0, 1)
