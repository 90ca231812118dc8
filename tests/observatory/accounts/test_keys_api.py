from datetime import timedelta

import pytest
from django.utils import timezone

from observatory.accounts.models import ApiKey, AuditEntry
from tests.observatory.accounts.credentials import bearer, client, error, token_of

KEYS = "/api/v1/keys"
RETURNED_ONCE = {"key", "signing_secret"}


@pytest.fixture
def admin(member):
    member("admin")
    return bearer(token_of("admin"))


def create(caller, **given):
    body = {"name": "ci", "projects": ["main"], "permissions": ["traces:read"]} | given
    return caller.post(KEYS, body, content_type="application/json")


def change(caller, key, body, **headers):
    return caller.patch(f"{KEYS}/{key}", body, content_type="application/json", headers=headers)


def rotate(caller, key, **body):
    return caller.post(f"{KEYS}/{key}/rotate", body, content_type="application/json")


def opens(secret):
    return client(**{"X-API-Key": secret}).get("/api/v1/traces").status_code


def test_a_new_key_is_shown_once_and_opens_what_it_was_made_for(admin, tenant):
    reply = create(admin)
    made = reply.json()
    again = admin.get(f"{KEYS}/{made['id']}")

    assert (reply.status_code, reply["Location"], reply["ETag"]) == (
        201,
        f"http://testserver/api/v1/keys/{made['id']}",
        '"1"',
    )
    assert {
        name: made[name] for name in ("name", "environment", "permissions", "rate_limit_tier", "signing", "status")
    } == {
        "name": "ci",
        "environment": "live",
        "permissions": ["traces:read"],
        "rate_limit_tier": "viewer",
        "signing": "off",
        "status": "active",
    }
    assert (made["projects"], made["key"][13:21]) == ([str(tenant.projects[0].public_id)], made["prefix"])
    assert again.json() == {name: value for name, value in made.items() if name not in RETURNED_ONCE}
    assert opens(made["key"]) == 200


def test_the_list_is_of_the_own_organisation(admin, make_tenant):
    make_tenant("umbrella")
    made = create(admin).json()

    reply = admin.get(KEYS, {"limit": 1})

    assert ([one["id"] for one in reply.json()["keys"]], reply.json()["pagination"]) == (
        [made["id"]],
        {"total": 2, "limit": 1, "offset": 0, "has_more": True},
    )


def test_a_test_key_says_so(admin):
    assert create(admin, environment="test").json()["key"].startswith("llmo_sk_test_")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"name": ""}, (400, 1203, "name")),
        ({"name": "x" * 201}, (400, 1205, "name")),
        ({"projects": "main"}, (400, 1203, "projects")),
        ({"projects": ["other"]}, (403, 1101, "projects")),
        ({"rate_limit_tier": "root"}, (400, 1202, "rate_limit_tier")),
        ({"allowed_ips": ["10.0.0.1/8"]}, (400, 1203, "allowed_ips")),
        ({"allowed_ips": ["home"]}, (400, 1203, "allowed_ips")),
        ({"expires_at": "2020-01-01"}, (400, 1202, "expires_at")),
        ({"expires_at": "soon"}, (400, 1203, "expires_at")),
        ({"expires_at": 5}, (400, 1203, "expires_at")),
        ({"permissions": ["traces:fly"]}, (400, 1202, "permissions")),
        ({"signing": True}, (400, 1202, "signing")),
        ({"id": "x"}, (400, 1202, "id")),
    ],
)
def test_a_body_that_is_wrong_names_its_member_and_makes_nothing(admin, body, answer):
    assert (error(create(admin, **body))[:3], ApiKey.objects.count()) == (answer, 1)


@pytest.mark.parametrize("missing", ["name", "projects", "permissions"])
def test_what_a_key_cannot_do_without_is_asked_for(admin, missing):
    body = {"name": "ci", "projects": ["main"], "permissions": ["traces:read"]}
    del body[missing]

    assert error(admin.post(KEYS, body, content_type="application/json")) == (400, 1201, missing)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"permissions": ["*"]}, "permissions"), ({"rate_limit_tier": "admin"}, "rate_limit_tier")],
)
def test_nobody_grants_more_than_they_hold(make_tenant, given, field):
    tenant = make_tenant(permissions=["keys:manage", "traces:read"], tier="developer")
    reply = create(bearer(tenant.key), **given)

    assert error(reply)[:3] == (403, 1102, field)


def test_a_change_is_seen_by_the_next_request_of_the_key(admin):
    made = create(admin).json()
    before = opens(made["key"])
    reply = change(admin, made["id"], {"permissions": ["metrics:read"], "name": "metrics"})

    assert (before, reply.status_code, reply["ETag"], reply.json()["name"], opens(made["key"])) == (
        200,
        200,
        '"2"',
        "metrics",
        403,
    )


@pytest.mark.parametrize("sent", ['"2"', 'W/"1"', "1", ""])
def test_a_change_of_what_is_no_longer_current_is_refused(admin, sent):
    made = create(admin).json()

    assert error(change(admin, made["id"], {"name": "x"}, **{"If-Match": sent})) == (412, 1404)
    assert ApiKey.objects.get(pk=made["id"]).name == "ci"


@pytest.mark.parametrize("sent", ['"1"', '"9", "1"', "*"])
def test_a_change_of_the_present_version_is_made(admin, sent):
    made = create(admin).json()

    assert change(admin, made["id"], {"name": "x"}, **{"If-Match": sent}).status_code == 200


def test_a_strong_row_tag_is_never_compressed_or_weakened(admin):
    made = create(admin).json()
    reply = admin.get(f"{KEYS}/{made['id']}", headers={"Accept-Encoding": "gzip"})
    known = admin.get(f"{KEYS}/{made['id']}", headers={"If-None-Match": '"1"', "Accept-Encoding": "gzip"})

    assert (reply["ETag"], "Content-Encoding" in reply, known.status_code, known["ETag"]) == ('"1"', False, 304, '"1"')


def test_after_a_rotation_both_secrets_work_until_the_overlap_ends(admin):
    made = create(admin).json()
    rotated = rotate(admin, made["id"], overlap_seconds=3600).json()
    shown = (rotated["id"], rotated["status"], opens(made["key"]), opens(rotated["key"]))
    ApiKey.objects.filter(pk=made["id"]).update(previous_expires_at=timezone.now() - timedelta(seconds=1))

    assert shown == (made["id"], "rotating", 200, 200)
    assert (opens(made["key"]), opens(rotated["key"])) == (401, 200)


def test_without_an_overlap_the_old_secret_ends_at_once(admin):
    made = create(admin).json()
    rotated = rotate(admin, made["id"], overlap_seconds=0).json()

    assert (opens(made["key"]), opens(rotated["key"])) == (401, 200)


def test_another_rotation_replaces_the_newest_secret_alone(admin):
    made = create(admin).json()
    lost = rotate(admin, made["id"]).json()
    found = rotate(admin, made["id"], overlap_seconds=5).json()

    assert [opens(one["key"]) for one in (made, lost, found)] == [200, 401, 200]
    assert found["previous_expires_at"] == lost["previous_expires_at"]


@pytest.mark.parametrize(
    ("given", "answer"),
    [(-1, (400, 1200)), (604_801, (400, 1200)), ("day", (400, 1203)), (True, (400, 1203)), (1.5, (400, 1203))],
)
def test_an_overlap_has_bounds(admin, given, answer):
    made = create(admin).json()

    assert error(rotate(admin, made["id"], overlap_seconds=given))[:2] == answer


def test_a_revoked_key_is_dead_at_once_with_its_tokens_and_stays_dead(admin):
    made = create(admin).json()
    token = (
        client()
        .post("/auth/token", {"client_id": made["id"], "client_secret": made["key"]}, content_type="application/json")
        .json()["access_token"]
    )
    before = (opens(made["key"]), bearer(token).get("/api/v1/traces").status_code)
    reply = admin.delete(f"{KEYS}/{made['id']}")

    assert (before, reply.status_code, reply.content) == ((200, 200), 204, b"")
    assert (opens(made["key"]), error(bearer(token).get("/api/v1/traces"))) == (401, (401, 1004))
    assert error(rotate(admin, made["id"]))[:2] == error(change(admin, made["id"], {"name": "x"}))[:2] == (409, 1402)


@pytest.mark.parametrize("name", ["not-a-uuid", "00000000-0000-0000-0000-000000000000"])
def test_foreign_and_absent_keys_are_answered_alike(admin, make_tenant, name):
    make_tenant("umbrella")
    foreign = ApiKey.objects.get(organisation__slug="umbrella").id

    answers = [error(admin.get(f"{KEYS}/{one}")) for one in (name, foreign)]

    assert answers == [(404, 1300)] * 2


def test_a_key_works_from_its_networks_alone(admin):
    made = create(admin, allowed_ips=["192.0.2.0/24"]).json()

    def ask(address, **headers):
        return client(**{"X-API-Key": made["key"]} | headers).get("/api/v1/traces", REMOTE_ADDR=address)

    statuses = [ask("192.0.2.9").status_code, ask("203.0.113.1").status_code]
    spoofed = ask("203.0.113.1", **{"X-Forwarded-For": "192.0.2.9"})
    noted = AuditEntry.objects.filter(action="login", resource_type="key").values_list("success", "ip_address")

    assert (statuses, error(spoofed), set(noted)) == ([200, 403], (403, 1103), {(False, "203.0.113.1")})


def test_behind_a_trusted_proxy_the_address_is_the_one_it_reports(admin, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    made = create(admin, allowed_ips=["192.0.2.0/24"]).json()
    headers = {"X-API-Key": made["key"], "X-Forwarded-For": "198.51.100.1, 192.0.2.9"}

    assert client(**headers).get("/api/v1/traces", REMOTE_ADDR="10.0.0.1").status_code == 200


def test_both_lists_must_admit_an_address(admin, tenant):
    made = create(admin, allowed_ips=["127.0.0.0/8"]).json()
    tenant.organisation.allowed_ips = ["192.0.2.0/24"]
    tenant.organisation.save()

    assert (opens(made["key"]), error(admin.get(KEYS))) == (403, (403, 1103))


def test_uses_are_noted_to_the_minute(admin):
    made = create(admin).json()
    unused = admin.get(f"{KEYS}/{made['id']}").json()["last_used_at"]
    opens(made["key"])

    assert (unused, admin.get(f"{KEYS}/{made['id']}").json()["last_used_at"][-4:]) == (None, ":00Z")
