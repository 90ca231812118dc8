"""The routes of channels: what they take, what they answer, what they refuse."""

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from analytics.models import Channel, Delivery, DeliveryStatus
from observatory.accounts.models import AuditEntry
from tests.analytics.alerts.conftest import due
from tests.documented import DOCUMENT
from tests.observatory.accounts.credentials import bearer, error, token_of

CHANNELS = "/api/v1/channels"
PUBLIC = "https://93.184.215.14/hooks/T000/secret?token=s"


@pytest.fixture
def create(api):
    """Return a function that posts a channel and returns its reply."""

    def post(client=api, headers=None, **body):
        given = {"name": "on-call", "type": "webhook", "url": PUBLIC} | body
        given = {name: value for name, value in given.items() if value is not ...}
        return client.post(CHANNELS, given, content_type="application/json", headers=headers)

    return post


def patch(api, reply, headers=None, **body):
    return api.patch(f"{CHANNELS}/{reply.json()['id']}", body, content_type="application/json", headers=headers)


def fits(component, body):
    whole = DOCUMENT
    schema = {"components": whole["components"], "$ref": f"#/components/schemas/{component}"}
    return [one.message for one in Draft202012Validator(schema).iter_errors(body)]


def test_a_webhook_is_made_and_its_secret_is_shown_once(api, create, tenant):
    reply = create()
    body = reply.json()
    (listed,) = api.get(CHANNELS).json()["channels"]

    assert (reply.status_code, reply["Location"]) == (201, f"http://testserver{CHANNELS}/{body['id']}")
    assert (fits("CreatedChannel", body), fits("Channel", listed)) == ([], [])
    assert body.pop("signing_secret").startswith("whsec_")
    assert listed == body
    assert body | {"id": 0, "created_at": 0, "updated_at": 0} == {
        "id": 0,
        "org_id": str(tenant.organisation.public_id),
        "name": "on-call",
        "type": "webhook",
        "url": "https://93.184.215.14/…",
        "addresses": None,
        "is_active": True,
        "created_at": 0,
        "updated_at": 0,
        "pending_messages": 0,
        "dead_messages": 0,
    }


def test_a_target_is_not_stored_in_the_clear(create):
    create()

    assert b"secret" not in bytes(Channel.objects.get().target)


def test_a_repeated_post_makes_one_channel_and_shows_no_secret_again(create):
    first, second = (create(headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.json().pop("signing_secret") is None, "signing_secret" in second.json()) == (False, False)
    assert (second["Idempotency-Replayed"], Channel.objects.count()) == ("true", 1)


def test_a_name_server_is_asked_once_and_outside_of_any_transaction(api, create, lookups):
    reply = create()
    create(name="again", headers={"Idempotency-Key": "k"})
    create(name="again", headers={"Idempotency-Key": "k"})  # a reply that is stored asks nobody
    patch(api, reply, url="https://93.184.215.15/")
    patch(api, reply, name="other")

    assert lookups == [("93.184.215.14", 0), ("93.184.215.14", 0), ("93.184.215.15", 0)]


def test_a_stale_change_of_a_url_is_refused_before_a_name_server_is_asked(api, create, lookups):
    reply = create()
    lookups.clear()

    assert error(patch(api, reply, {"If-Match": '"0"'}, url="http://no-such-host.invalid/")) == (412, 1404)
    assert lookups == []


def test_an_e_mail_channel_takes_addresses(create, mailbox):
    reply = create(type="email", url=..., addresses=["ops@example.com", "ops@example.com", "cfo@example.com"])

    assert (reply.status_code, reply.json()["addresses"]) == (201, ["ops@example.com", "cfo@example.com"])
    assert (reply.json()["url"], reply.json()["signing_secret"]) == (None, None)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"name": ...}, (400, 1201, "name")),
        ({"type": ...}, (400, 1201, "type")),
        ({"type": "pager"}, (400, 1202, "type")),
        ({"url": ...}, (422, 1211, "url")),
        ({"addresses": ["a@example.com"]}, (422, 1211, "addresses")),
        ({"type": "email", "url": ..., "addresses": ["a@example.com"]}, (400, 1202, "type")),  # no mail server here
        ({"type": "email", "url": ..., "addresses": ["nobody"]}, (400, 1203, "addresses")),
        ({"type": "email", "url": ..., "addresses": []}, (400, 1203, "addresses")),
        ({"url": "ftp://93.184.215.14/"}, (400, 1202, "url")),
        ({"url": "https://"}, (400, 1202, "url")),
        ({"url": "https://93.184.215.14:99999/"}, (400, 1202, "url")),
        ({"url": "https://93.184.215.14/a\r\nHost: b"}, (400, 1202, "url")),
        ({"url": "https://user:password@93.184.215.14/"}, (400, 1202, "url")),
        ({"url": "http://127.0.0.1:5432/"}, (400, 1202, "url")),
        ({"url": "http://localhost/"}, (400, 1202, "url")),
        ({"url": "http://169.254.169.254/latest/meta-data"}, (400, 1202, "url")),
        ({"url": "http://[::ffff:10.0.0.1]/"}, (400, 1202, "url")),
        ({"url": "http://no-such-host.invalid/"}, (400, 1202, "url")),
        ({"secret": "x"}, (400, 1202, "secret")),
    ],
)
def test_a_channel_that_cannot_be_is_refused(create, given, refused):
    assert error(create(**given))[:3] == refused
    assert Channel.objects.count() == 0


def test_a_name_is_taken_once_in_an_organisation(api, create):
    create()
    other = create(name="other")

    assert error(create()) == (409, 1400, "name")
    assert error(patch(api, other, name="on-call")) == (409, 1400, "name")


def test_a_channel_is_changed_and_deleted(api, create):
    reply = create()
    changed = patch(api, reply, {"If-Match": '"1"'}, name="other", url="https://93.184.215.15/x", is_active=False)

    assert (changed.status_code, changed["ETag"], changed.json()["url"]) == (200, '"2"', "https://93.184.215.15/…")
    assert (changed.json()["name"], changed.json()["is_active"], "signing_secret" in changed.json()) == (
        "other", False, False,
    )  # fmt: skip
    assert error(patch(api, reply, {"If-Match": '"1"'}, name="third")) == (412, 1404)
    assert error(patch(api, reply, addresses=["a@example.com"]))[:3] == (422, 1211, "url")
    assert error(patch(api, reply, type="slack"))[:3] == (400, 1202, "type")
    assert api.delete(f"{CHANNELS}/{reply.json()['id']}").status_code == 204
    assert error(api.delete(f"{CHANNELS}/{reply.json()['id']}"))[:2] == (404, 1300)


def test_a_channel_is_tried(api, create):
    reply = create()
    tried = api.post(f"{CHANNELS}/{reply.json()['id']}/test", {}, content_type="application/json")
    (delivery,) = Delivery.objects.all()

    assert (tried.status_code, tried.json()) == (202, {"message_id": str(delivery.id), "status": "pending"})
    assert [delivery_id for delivery_id, _ in due()] == [str(delivery.id)]
    assert api.get(CHANNELS).json()["channels"][0]["pending_messages"] == 1


def test_a_try_takes_no_body_and_is_repeated_once(api, create):
    path = f"{CHANNELS}/{create().json()['id']}/test"
    replies = [api.generic("POST", path, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [202, 202]
    assert Delivery.objects.count() == 1
    assert error(api.post(path, {"text": "x"}, content_type="application/json"))[:3] == (400, 1202, "text")


def test_dead_messages_are_counted(api, create):
    reply = create()
    for _ in range(2):
        api.post(f"{CHANNELS}/{reply.json()['id']}/test", {}, content_type="application/json")
    Delivery.objects.update(status=DeliveryStatus.DEAD)

    assert api.get(CHANNELS).json()["channels"][0]["dead_messages"] == 2


def test_channels_of_others_are_not_there(api, create, make_tenant):
    reply = create()
    theirs = Client(headers=make_tenant("umbrella").headers)

    assert theirs.get(CHANNELS).json()["channels"] == []
    assert error(patch(theirs, reply, name="mine"))[:2] == (404, 1300)
    path = f"{CHANNELS}/{reply.json()['id']}/test"
    assert error(theirs.post(path, {}, content_type="application/json"))[:2] == (404, 1300)


@pytest.mark.parametrize(
    ("role", "may"), [("admin", True), ("billing", False), ("developer", False), ("viewer", False)]
)
def test_who_may_make_channels(create, member, role, may):
    member(role)
    client = bearer(token_of(role))

    assert (create(client).status_code == 201) is may
    assert client.get(CHANNELS).status_code == 200


def test_writes_are_in_the_audit_log_without_addresses(api, create):
    reply = create()
    patch(api, reply, is_active=False)
    api.post(f"{CHANNELS}/{reply.json()['id']}/test", {}, content_type="application/json")
    entries = AuditEntry.objects.filter(resource_type="channel").order_by("ts")

    assert [(one.action, one.resource_id, one.changes) for one in entries] == [
        ("create", reply.json()["id"], ["name", "type", "url"]),
        ("update", reply.json()["id"], ["is_active"]),
        ("create", reply.json()["id"], []),
    ]
