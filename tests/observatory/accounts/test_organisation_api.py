"""/me, /projects, /members, /audit and Idempotency-Key over HTTP."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from analytics.models import IdempotencyRecord
from observatory.accounts import audit
from observatory.accounts.models import AuditEntry, Membership, Organisation, Project, User
from observatory.accounts.roles import PERMISSIONS, permissions_of
from observatory.accounts.services import member_create
from tests.observatory.accounts.credentials import PASSWORD, bearer, client, error, sign_in, token_of

JSON = "application/json"


@pytest.fixture
def admin(member):
    member("admin")
    return bearer(token_of("admin"))


def post(caller, path, body, **headers):
    return caller.post(f"/api/v1/{path}", body, content_type=JSON, headers=headers)


def patch(caller, path, body, **headers):
    return caller.patch(f"/api/v1/{path}", body, content_type=JSON, headers=headers)


# --- me ---------------------------------------------------------------------------------------------------------------
def test_a_member_sees_who_it_is_in_each_of_its_organisations(tenant, make_tenant, member):
    user, other = member("viewer").user, make_tenant("umbrella")
    Membership.objects.create(user=user, organisation=other.organisation, role="billing")

    reply = bearer(token_of("viewer", organisation="acme")).get("/api/v1/me")

    assert reply.json() == {
        "principal": "user",
        "id": str(user.id),
        "org_id": str(tenant.organisation.public_id),
        "organisations": [
            {"id": str(tenant.organisation.public_id), "slug": "acme", "role": "viewer"},
            {"id": str(other.organisation.public_id), "slug": "umbrella", "role": "billing"},
        ],
        "role": "viewer",
        "projects": [str(tenant.projects[0].public_id)],
        "permissions": permissions_of("viewer"),
        "rate_limit_tier": "viewer",
        "ws_url": "ws://localhost:8081/ws",
        "sse_url": "http://localhost:8081/api/v1/events",
    }


def test_a_key_sees_its_own_permissions_and_no_role(api):
    me = api.get("/api/v1/me").json()

    assert (me["principal"], me["role"], me["organisations"], me["permissions"]) == (
        "key",
        None,
        [],
        sorted(PERMISSIONS),
    )


def test_me_takes_no_parameters(api):
    assert error(api.get("/api/v1/me?x=1"))[:3] == (400, 1202, "x")


# --- projects ---------------------------------------------------------------------------------------------------------
def test_a_project_is_made_changed_and_read(admin, tenant):
    made = post(admin, "projects", {"name": "Shop", "slug": "shop"})
    changed = patch(
        admin,
        f"projects/{made.json()['id']}",
        {
            "is_public": True,
            "content_capture": "none",
            "retention": {"spans_days": 30},
            "redaction": {"mode": "remove"},
        },
    )
    read = admin.get(f"/api/v1/projects/{made.json()['id']}")

    assert (made.status_code, changed.status_code, read.json(), read["ETag"]) == (201, 200, changed.json(), '"2"')
    assert {name: read.json()[name] for name in ("name", "slug", "is_public", "content_capture", "retention")} == {
        "name": "Shop",
        "slug": "shop",
        "is_public": True,
        "content_capture": "none",
        "retention": {"spans_days": 30, "content_days": None},
    }
    assert (read.json()["redaction"]["mode"], made.json()["org_id"]) == ("remove", str(tenant.organisation.public_id))


def test_a_new_project_is_reached_at_once(admin):
    before = error(admin.get("/api/v1/traces?project_id=shop"))
    post(admin, "projects", {"name": "Shop", "slug": "shop"})

    assert (before[:2], admin.get("/api/v1/traces?project_id=shop").status_code) == ((403, 1101), 200)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"slug": "main"}, (409, 1400, "slug")),
        ({"slug": "No Slug"}, (400, 1203, "slug")),
        ({"name": 5}, (400, 1203, "name")),
        ({"is_public": "yes"}, (400, 1203, "is_public")),
        ({"content_capture": "some"}, (400, 1202, "content_capture")),
        ({"redaction": {"mode": "blur"}}, (400, 1202, "redaction.mode")),
        ({"retention": {"days": 3}}, (400, 1202, "retention.days")),
        ({"retention": {"spans_days": 1}}, (400, 1200, "retention.spans_days")),
        ({"retention": {"spans_days": 5000}}, (400, 1202, "retention.spans_days")),
        ({"org_id": "x"}, (400, 1202, "org_id")),
    ],
)
def test_a_project_that_is_wrong_is_not_made(admin, body, answer):
    reply = post(admin, "projects", {"name": "Shop", "slug": "shop"} | body)

    assert (error(reply)[:3], Project.objects.count()) == (answer, 1)


def test_a_limit_is_given_back(admin, tenant):
    path = f"projects/{tenant.projects[0].public_id}"
    patch(admin, path, {"retention": {"spans_days": 30}})

    assert patch(admin, path, {"retention": {"spans_days": None}}).json()["retention"]["spans_days"] is None


def test_members_see_their_projects_alone(admin, tenant, make_tenant, member):
    post(admin, "projects", {"name": "Shop", "slug": "shop"})
    make_tenant("umbrella", projects=("theirs",))
    member("viewer")
    viewer = bearer(token_of("viewer"))
    shop, theirs = (Project.objects.get(slug=slug).public_id for slug in ("shop", "theirs"))

    seen = [[one["slug"] for one in who.get("/api/v1/projects").json()["projects"]] for who in (admin, viewer)]

    assert seen == [["main", "shop"], ["main"]]
    assert [error(viewer.get(f"/api/v1/projects/{one}")) for one in (shop, theirs, "main")] == [(404, 1300)] * 3
    assert error(patch(viewer, f"projects/{tenant.projects[0].public_id}", {"name": "x"}))[:2] == (403, 1100)


def test_an_archived_project_is_read_and_takes_no_spans(admin, api, tenant):
    patch(admin, f"projects/{tenant.projects[0].public_id}", {"archived": True})
    sent = api.post("/v1/traces", {"resourceSpans": []}, content_type=JSON, headers={"X-Project-ID": "main"})

    assert (api.get("/api/v1/traces").status_code, sent.status_code, "1101" in sent.json()["message"]) == (
        200,
        403,
        True,
    )


# --- members ----------------------------------------------------------------------------------------------------------
def test_a_member_is_added_changed_and_removed(admin, tenant):
    made = post(admin, "members", {"email": "Ann@example.com", "role": "viewer", "projects": ["main"]})
    path = f"members/{made.json()['id']}"
    changed = patch(admin, path, {"role": "developer", "projects": []}, **{"If-Match": '"1"'})
    stale = admin.delete(f"/api/v1/{path}", headers={"If-Match": '"1"'})
    removed = admin.delete(f"/api/v1/{path}", headers={"If-Match": changed["ETag"]})

    assert (made.status_code, made.json()["email"], made.json()["projects"]) == (
        201,
        "ann@example.com",
        [str(tenant.projects[0].public_id)],
    )
    assert (changed.json()["role"], changed.json()["projects"], error(stale), removed.status_code) == (
        "developer",
        [],
        (412, 1404),
        204,
    )
    assert (error(admin.get(f"/api/v1/{path}")), User.objects.filter(email="ann@example.com").exists()) == (
        (404, 1300),
        True,
    )


def test_somebody_known_joins_another_organisation_as_the_same_user(admin, make_tenant):
    other = make_tenant("umbrella")
    there = member_create(organisation=other.organisation, username="ann", password=PASSWORD, role="viewer")
    made = post(admin, "members", {"email": "ann@example.com", "role": "billing"})

    assert made.json()["user_id"] == str(there.user_id)
    assert error(sign_in("ann")) == (400, 1201, "organisation")
    assert token_of("ann", organisation="acme") != token_of("ann", organisation="umbrella")


def test_a_membership_is_there_once(admin):
    post(admin, "members", {"email": "ann@example.com", "role": "viewer"})

    assert error(post(admin, "members", {"email": "ann@example.com", "role": "admin"})) == (409, 1400, "email")


@pytest.mark.parametrize("how", ["delete", "patch"])
def test_the_last_administrator_stays(admin, how):
    me = next(one for one in admin.get("/api/v1/members").json()["members"] if one["role"] == "admin")
    path = f"members/{me['id']}"
    reply = admin.delete(f"/api/v1/{path}") if how == "delete" else patch(admin, path, {"role": "viewer"})

    assert (error(reply)[:2], Membership.objects.filter(role="admin").count()) == ((409, 1402), 1)


def test_a_member_that_is_removed_is_out_with_the_next_request(admin, member):
    member("viewer")
    viewer = bearer(token_of("viewer"))
    before = viewer.get("/api/v1/traces").status_code
    member_id = next(one["id"] for one in admin.get("/api/v1/members").json()["members"] if one["role"] == "viewer")
    admin.delete(f"/api/v1/members/{member_id}")

    assert (before, error(viewer.get("/api/v1/traces"))) == (200, (401, 1004))


@pytest.mark.parametrize("email", ["ann", "ann@example", "a b@example.com", 5, ""])
def test_a_member_has_an_address(admin, email):
    assert error(post(admin, "members", {"email": email, "role": "viewer"}))[:3] == (400, 1203, "email")


# --- audit ------------------------------------------------------------------------------------------------------------
def entries(admin, **asked):
    reply = admin.get("/api/v1/audit", asked)
    assert reply.status_code == 200, reply.json()
    return [(one["action"], one["resource_type"], one["success"]) for one in reply.json()["data"]]


def test_what_was_done_is_listed_newest_first_with_who_and_from_where(admin, member):
    reply = post(
        admin, "projects", {"name": "Shop", "slug": "shop"}, **{"User-Agent": "tests", "X-Request-ID": "request-1"}
    )
    sign_in("admin", password="wrong")

    assert entries(admin) == [("login", "token", False), ("create", "project", True), ("login", "token", True)]
    entry = admin.get("/api/v1/audit?action=create").json()["data"][0]
    for name in ("id", "ts"):
        del entry[name]
    del entry["metadata"]["duration_ms"]
    assert entry == {
        "user_id": str(User.objects.get(username="admin").id),
        "key_id": None,
        "action": "create",
        "resource_type": "project",
        "resource_id": reply.json()["id"],
        "success": True,
        "ip_address": "127.0.0.1",
        "user_agent": "tests",
        "request_id": "request-1",
        "metadata": {"status_code": 201, "changes": ["name", "slug"]},
    }


def test_pages_of_the_audit_log_follow_each_other(admin):
    for number in range(4):
        post(admin, "projects", {"name": "Shop", "slug": f"shop-{number}"})
    reply = admin.get("/api/v1/audit?action=create&limit=3&include=total")
    first = reply.json()
    second = admin.get(reply["Link"][1:].split(">")[0].removeprefix("http://testserver")).json()
    foreign = admin.get(f"/api/v1/audit?limit=3&cursor={first['pagination']['cursor']}")

    seen = [one["resource_id"] for one in (*first["data"], *second["data"])]
    assert (len(set(seen)), first["pagination"]["total"], second["pagination"], error(foreign)) == (
        4,
        4,
        {"has_more": False, "limit": 3, "total": 4},
        (400, 1207, "cursor"),
    )


def test_the_audit_log_is_of_the_own_organisation_and_holds_no_secret(admin, make_tenant, tenant):
    other = make_tenant("umbrella")
    post(bearer(other.key), "projects", {"name": "Theirs", "slug": "theirs"})
    key = post(admin, "keys", {"name": "ci", "projects": ["main"], "permissions": ["traces:read"]}).json()["key"]

    assert ("create", "key", True) in entries(admin)
    assert all(one[1] != "project" for one in entries(admin))
    assert key not in admin.get("/api/v1/audit").content.decode()


@pytest.mark.parametrize(("audited", "found"), [(False, []), (True, [("read", "trace", True)])])
def test_reads_of_traces_are_recorded_where_that_is_asked_for(admin, settings, audited, found):
    settings.AUDIT_READS = audited
    admin.get("/api/v1/traces")

    assert entries(admin, action="read") == found


def test_a_request_without_a_good_credential_leaves_no_entry(db):
    before = AuditEntry.objects.count()
    post(client(), "projects", {"name": "x", "slug": "x"})

    assert AuditEntry.objects.count() == before


def test_entries_are_never_changed_and_go_when_their_time_is_over(admin):
    entry = AuditEntry.objects.latest("ts")
    for statement in ("UPDATE audit_log SET success = false", "DELETE FROM audit_log"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    assert audit.forget(now=timezone.now()) == 0
    old = AuditEntry.objects.create(
        ts=timezone.now() - timedelta(days=91), action="login", resource_type="token", success=True, ip_address="",
        user_agent="", request_id="", duration_ms=0, status_code=200,
    )  # fmt: skip
    assert audit.forget(now=timezone.now()) == 1
    assert list(AuditEntry.objects.filter(pk__in=[entry.pk, old.pk])) == [entry]


# --- Idempotency-Key --------------------------------------------------------------------------------------------------
def test_a_repeated_creation_gives_the_first_reply_without_its_secrets_and_makes_nothing(admin):
    body = {"name": "ci", "projects": ["main"], "permissions": ["traces:read"]}
    first, again = (post(admin, "keys", body, **{"Idempotency-Key": "once"}) for _ in range(2))

    shown = {name: value for name, value in first.json().items() if name not in ("key", "signing_secret")}
    assert (first.status_code, again.status_code, again.json(), again["Location"]) == (
        201,
        201,
        shown,
        first["Location"],
    )
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert admin.get("/api/v1/keys").json()["pagination"]["total"] == 2


def test_one_key_stands_for_one_body(admin):
    post(admin, "projects", {"name": "Shop", "slug": "shop"}, **{"Idempotency-Key": "once"})
    reply = post(admin, "projects", {"name": "Shop", "slug": "other"}, **{"Idempotency-Key": "once"})

    assert error(reply) == (422, 1212, "Idempotency-Key")


def test_keys_of_two_callers_and_two_paths_are_apart(admin, api):
    bodies = [(admin, "projects", {"name": "a", "slug": "a"}), (api, "projects", {"name": "b", "slug": "b"})]
    statuses = [post(who, path, body, **{"Idempotency-Key": "once"}).status_code for who, path, body in bodies]

    assert statuses == [201, 201]


def test_while_the_first_one_runs_the_second_is_told_to_wait(admin):
    body = {"name": "Shop", "slug": "shop"}
    post(admin, "projects", body, **{"Idempotency-Key": "once"})
    IdempotencyRecord.objects.update(status_code=None)

    assert error(post(admin, "projects", body, **{"Idempotency-Key": "once"})) == (409, 1405, "Idempotency-Key")


def test_a_request_that_failed_may_be_repeated(admin):
    first = post(admin, "projects", {"name": "Shop", "slug": "main"}, **{"Idempotency-Key": "once"})
    Project.objects.update(slug="other")
    again = post(admin, "projects", {"name": "Shop", "slug": "main"}, **{"Idempotency-Key": "once"})

    assert (first.status_code, again.status_code) == (409, 201)


@pytest.mark.parametrize("key", ["", "x" * 129, "é"])
def test_a_malformed_key_is_refused(admin, key):
    reply = post(admin, "projects", {"name": "Shop", "slug": "shop"}, **{"Idempotency-Key": key})

    assert (error(reply)[:2], Organisation.objects.get().projects.count()) == ((400, 1203), 1)
