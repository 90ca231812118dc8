"""Messages on their way: how they look to who takes them, what happens to those that are not taken."""

import base64
import hashlib
import hmac
import socket
from datetime import timedelta
from ipaddress import ip_address, ip_network
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.testing import InMemoryConnector

from analytics.alerts import addresses, transports
from analytics.alerts.addresses import ForbiddenAddressError, addresses_of, checked_url, is_reachable
from analytics.alerts.channels import announce
from analytics.alerts.managing import channel_test, shown_target
from analytics.alerts.sending import PAUSES, deliveries_forget, deliveries_revive, delivery_resend, delivery_send
from analytics.jobs import deliver
from analytics.models import Channel, Delivery, DeliveryStatus
from analytics.storage.exclusive import exclusively
from tests.analytics.alerts.conftest import due

SAID = {"kind": "budget", "subject": "Nearly\r\nspent", "text": "80 % of <$100>\nare & spent", "data": {"amount": 100}}


@pytest.fixture
def said(tenant):
    """Return a function that announces something and returns for how many channels."""

    def say(key="one", **given):
        told = {"organisation_id": tenant.organisation.pk, "project_id": None, "key": key, **SAID, **given}
        return announce(**told)

    return say


def test_a_webhook_gets_json_that_is_signed_as_standard_webhooks_are(make_channel, said, posts, work):
    _, secret = make_channel("webhook", url=f"{posts.url}/hooks?token=s")
    said()
    work()
    (post,) = posts.taken
    (delivery,) = Delivery.objects.all()
    signed = b".".join(
        (post["headers"]["webhook-id"].encode(), post["headers"]["webhook-timestamp"].encode(), post["body"])
    )
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)

    assert posts.bodies == [
        {
            "type": "budget",
            "timestamp": delivery.created_at.isoformat().replace("+00:00", "Z"),
            "subject": "Nearly spent",
            "text": "80 % of <$100>\nare & spent",
            "data": {"amount": 100},
        }
    ]
    assert (post["path"], post["headers"]["webhook-id"]) == ("/hooks?token=s", str(delivery.id))
    assert post["headers"]["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_slack_gets_a_text_in_which_nothing_is_a_command(make_channel, said, posts, work):
    make_channel("slack", url=posts.url)
    said(subject="<!channel>")
    work()

    assert posts.bodies == [{"text": "*&lt;!channel&gt;*\n80 % of &lt;$100&gt;\nare &amp; spent"}]
    assert "webhook-signature" not in posts.taken[0]["headers"]


def test_an_e_mail_goes_to_every_address_at_once(make_channel, said, mailbox, work):
    make_channel("email", addresses=["ops@example.com", "cfo@example.com"])
    said()
    work()
    (mail,) = mailbox.taken

    assert (mail["Subject"], mail["To"]) == ("Nearly spent", "ops@example.com, cfo@example.com")
    assert mail["From"] == "Observatory <observatory@example.com>"
    assert mail["Message-ID"] == f"<{Delivery.objects.get().id}@example.com>"
    assert mail.get_content().splitlines() == ["80 % of <$100>", "are & spent"]


def test_what_is_announced_twice_is_told_once_a_channel(make_channel, said, posts, work):
    make_channel("webhook", url=posts.url)
    make_channel("slack", url=posts.url)

    assert (said(), said(), said("another")) == (2, 0, 2)
    work()
    assert len(posts.taken) == 4


def test_only_active_channels_of_the_organisation_are_told(make_channel, make_tenant, said, posts):
    channel, _ = make_channel("webhook", url=posts.url)
    make_channel("webhook", "theirs", of=make_tenant("umbrella"), url=posts.url)
    off, _ = make_channel("slack", url=posts.url)
    off.is_active = False
    off.save()
    said()

    assert [one.channel_id for one in Delivery.objects.all()] == [channel.id]


def test_what_is_rolled_back_is_not_told(make_channel, said, posts):
    make_channel("webhook", url=posts.url)
    with transaction.atomic():
        said()
        transaction.set_rollback(True)

    assert (Delivery.objects.count(), due()) == (0, [])


def test_inside_the_worker_too_a_job_is_part_of_the_transaction(make_channel, said, posts):
    make_channel("webhook", url=posts.url)
    with app.replace_connector(InMemoryConnector()):  # a worker has one of its own, whose jobs commit at once
        with transaction.atomic():
            said("rolled back")
            transaction.set_rollback(True)
        said()

    assert [delivery_id for delivery_id, _ in due()] == [str(Delivery.objects.get().id)]


def test_the_job_that_was_queued_sends_the_message(make_channel, said, posts, monkeypatch):
    monkeypatch.setattr("analytics.jobs.close_old_connections", lambda: None)  # the test's transaction goes on
    make_channel("webhook", url=posts.url)
    said()
    ((delivery_id, at),) = due()

    assert (deliver(delivery_id), deliver(delivery_id), at) == (True, False, None)
    assert len(posts.taken) == 1


def test_a_message_that_is_not_taken_is_tried_again_after_growing_pauses_and_then_dead(make_channel, said, posts):
    make_channel("webhook", url=posts.url)
    posts.answers = [500, 302, 404, *[503] * 20]
    said()
    (delivery,) = Delivery.objects.all()
    now, told = timezone.now(), []
    while delivery.status == DeliveryStatus.PENDING:
        delivery_send(delivery.id, now=now)
        delivery.refresh_from_db()
        told.append((delivery.last_error, delivery.next_attempt_at - now))
        now = delivery.next_attempt_at

    assert told[:3] == [
        (f"The receiver answered {status}.", pause) for status, pause in zip((500, 302, 404), PAUSES, strict=False)
    ]
    assert [pause for _, pause in told[:-1]] == list(PAUSES)
    assert (delivery.status, delivery.attempts, len(posts.taken)) == ("dead", len(PAUSES) + 1, len(PAUSES) + 1)
    assert {one["path"] for one in posts.taken} == {"/"}  # redirections lead nowhere
    assert len({one["headers"]["webhook-id"] for one in posts.taken}) == 1


def test_an_attempt_that_failed_leaves_a_job_for_the_next(make_channel, said, posts, work):
    make_channel("webhook", url=posts.url)
    posts.answers = [500]
    said()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'deliver'")
    work()
    (delivery,) = Delivery.objects.all()

    assert due() == [(str(delivery.id), delivery.next_attempt_at)]
    assert work() == 0
    assert work(delivery.next_attempt_at) == 1


def test_a_dead_message_is_sent_again_under_its_old_id(make_channel, said, posts, work):
    make_channel("webhook", url=posts.url)
    said()
    Delivery.objects.update(status=DeliveryStatus.DEAD, attempts=9)
    (delivery,) = Delivery.objects.all()

    assert work() == 0
    assert (delivery_resend(delivery, now=timezone.now()), work()) == (True, 1)
    assert posts.taken[0]["headers"]["webhook-id"] == str(delivery.id)
    assert delivery_resend(delivery, now=timezone.now()) is False


def test_a_receiver_that_is_away_is_told_of_without_its_address(make_channel, said, posts, work):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        make_channel("webhook", url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        said()
        work()

    assert Delivery.objects.get().last_error == "The receiver cannot be reached, or broke off: ConnectionRefusedError."


def test_a_mail_server_that_refuses_is_tried_again(make_channel, said, mailbox, work):
    make_channel("email", addresses=["ops@example.com"])
    mailbox.refuses = True
    said()
    work()
    (delivery,) = Delivery.objects.all()

    assert (delivery.status, mailbox.taken) == ("pending", [])
    assert delivery.last_error == "The mail server did not take it: SMTPRecipientsRefused."


def test_a_receiver_that_dribbles_is_left(make_channel, said, at_home, work, monkeypatch):
    monkeypatch.setattr(transports, "WHOLE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        make_channel("webhook", url=f"http://127.0.0.1:{server.getsockname()[1]}")
        said()
        work()

    assert Delivery.objects.get().last_error.startswith("The receiver cannot be reached, or broke off")


def test_messages_of_a_worker_that_died_are_queued_again(make_channel, said, posts):
    make_channel("webhook", url=posts.url)
    said()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'deliver'")
    now = timezone.now()

    assert (deliveries_revive(now=now), due()) == (0, [])
    assert deliveries_revive(now=now + timedelta(minutes=2)) == 1
    assert [delivery_id for delivery_id, _ in due()] == [str(Delivery.objects.get().id)]


def test_a_message_that_another_worker_sends_is_left_to_it(make_channel, said, posts, monkeypatch):
    make_channel("webhook", url=posts.url)
    said()
    (delivery,) = Delivery.objects.all()
    monkeypatch.setattr("analytics.alerts.sending._send", lambda *_, **__: pytest.fail("sent beside the other"))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [f"llm-observatory delivery {delivery.id}"])
        assert delivery_send(delivery.id, now=timezone.now()) is False
    finally:
        other.close()


def test_a_channel_that_was_switched_off_sends_nothing_more(make_channel, said, posts, work):
    channel, _ = make_channel("webhook", url=posts.url)
    said()
    channel.is_active = False
    channel.save()
    work()
    (delivery,) = Delivery.objects.all()

    assert (delivery.status, delivery.last_error, posts.taken) == ("dead", "The channel is switched off.", [])


@pytest.mark.parametrize("url", ["http://[::1", "http://[x]/", "http://a:b/", "ftp://a/", "", "https://a b/"])
def test_what_is_no_url_of_a_receiver_is_refused(url):
    with pytest.raises(ForbiddenAddressError):
        checked_url(url)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_a_name_that_cannot_be_is_refused(host):
    with pytest.raises(ForbiddenAddressError):
        addresses_of(checked_url(f"https://{host}/"))


def test_an_attempt_that_ends_in_a_fault_counts_until_the_message_is_dead(make_channel, said, posts, monkeypatch):
    make_channel("webhook", url=posts.url)
    said()
    (delivery,), now = Delivery.objects.all(), timezone.now()

    def broken(*_, **__):
        raise RuntimeError("a fault")

    monkeypatch.setattr("analytics.alerts.sending.hand_over", broken)
    for _ in range(len(PAUSES) + 1):
        with pytest.raises(RuntimeError):
            delivery_send(delivery.id, now=now)
        now += PAUSES[-1]

    assert delivery_send(delivery.id, now=now) is False
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DEAD, len(PAUSES) + 1)


def test_the_subject_of_a_trial_is_one_line_whatever_the_channel_is_called(make_channel, posts):
    make_channel("webhook", url=posts.url)
    Channel.objects.update(name="ops\nBcc: all@example.com")

    assert channel_test(Channel.objects.get(), now=timezone.now()).subject == "A test of ops Bcc: all@example.com"


def test_a_target_under_another_encryption_key_is_shown_as_none(make_channel, posts, settings):
    make_channel("webhook", url=posts.url)
    settings.SECRET_ENCRYPTION_KEY = "x" * 32

    assert shown_target(Channel.objects.get()) is None


def test_a_channel_of_another_encryption_key_says_so(make_channel, said, posts, work, settings):
    make_channel("webhook", url=posts.url)
    said()
    settings.SECRET_ENCRYPTION_KEY = "x" * 32
    work()

    assert "SECRET_ENCRYPTION_KEY has changed" in Delivery.objects.get().last_error


def test_old_messages_are_forgotten_dead_ones_later(make_channel, said, posts):
    make_channel("webhook", url=posts.url)
    now = timezone.now()
    for key, status, days in (
        ("a", "sent", 31),
        ("b", "sent", 29),
        ("c", "dead", 89),
        ("d", "dead", 91),
        ("e", "pending", 99),
    ):
        said(key)
        Delivery.objects.filter(key=key).update(status=status, created_at=now - timedelta(days=days))

    assert deliveries_forget(now=now) == 2
    assert set(Delivery.objects.values_list("key", flat=True)) == {"b", "c", "e"}


def test_a_message_that_is_gone_is_no_work(db):
    assert delivery_send(uuid4(), now=timezone.now()) is False


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1", "fc00::1", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::",
        "2001:0:102:304::80ff:fffe", "192.0.0.192", "168.63.129.16", "192.88.99.1", "::127.0.0.1",
        "2606:2800:21f:cb07:0:5efe:10.0.0.1",
    ],
)  # fmt: skip
def test_no_message_goes_into_a_private_network(address):
    assert is_reachable(ip_address(address)) is False


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_reached(address):
    assert is_reachable(ip_address(address)) is True


def test_a_setting_opens_a_private_network(settings):
    settings.ALERT_ALLOWED_NETWORKS = (ip_network("10.1.0.0/16"),)

    assert [is_reachable(ip_address(one)) for one in ("10.1.9.9", "::ffff:10.1.9.9", "10.2.0.1")] == [True, True, False]


def test_a_name_of_which_one_address_is_private_is_refused(monkeypatch):
    found = [(2, 1, 6, "", (address, 443)) for address in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(ForbiddenAddressError):
        addresses_of(checked_url("https://rebinding.example"))


def test_a_name_that_turns_private_after_it_was_accepted_is_not_reached(make_channel, said, posts, work, settings):
    make_channel("webhook", url=posts.url)
    settings.ALERT_ALLOWED_NETWORKS = ()
    said()
    work()

    assert posts.taken == []
    assert Delivery.objects.get().last_error == "The host is inside a private network, where no message is sent."


def test_nothing_is_revived_while_it_is_being_sent(make_channel, said, posts):
    make_channel("webhook", url=posts.url)
    said()
    (delivery,) = Delivery.objects.all()
    with exclusively(f"delivery {delivery.id}"):
        assert deliveries_revive(now=timezone.now() + timedelta(hours=1)) == 0
