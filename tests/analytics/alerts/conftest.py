"""Channels of a tenant, and who listens behind them."""

from ipaddress import ip_network

import pytest
from django.db import connection
from django.utils import timezone

from analytics.alerts.managing import channel_create
from analytics.alerts.sending import delivery_send
from analytics.models import Delivery, DeliveryStatus
from tests.analytics.alerts.receivers import mail_server, web_server


@pytest.fixture
def at_home(settings):
    """Let messages reach this machine."""
    settings.ALERT_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def posts(at_home):
    with web_server() as found:
        yield found


@pytest.fixture
def mailbox(settings):
    with mail_server() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_PORT = found.url, found.host, found.port
        settings.EMAIL_FROM = "Observatory <observatory@example.com>"
        yield found


@pytest.fixture
def make_channel(tenant):
    """Return a function that makes a channel and returns it with its signing secret."""

    def make(type_, name="", *, of=tenant, **target):
        return channel_create(
            organisation_id=of.organisation.pk,
            organisation_uuid=of.organisation.public_id,
            given={"type": type_, "name": name or type_, **target},
            now=timezone.now(),
        )

    return make


def due():
    """Return what the queue holds for the worker, in order: the messages of its jobs, and not before when."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args ->> 'delivery_id', scheduled_at FROM procrastinate_jobs"
            " WHERE task_name = 'deliver' AND status = 'todo' ORDER BY id"
        )
        return cursor.fetchall()


@pytest.fixture
def work(db):
    """Return a function that does what the worker does with messages that are due at an instant."""

    def run(now=None):
        now = now or timezone.now()
        waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now)
        return sum(delivery_send(one, now=now) for one in waiting.order_by("created_at").values_list("id", flat=True))

    return run
