"""Periodic jobs of the worker that keep the token tables small."""

from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.api import idempotency
from observatory.accounts.tokens import purge_dead_tokens


@app.periodic(cron="23 * * * *")
@app.task(name="tokens", queueing_lock="tokens", pass_context=False)
def tokens(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Delete tokens that have expired, and replies kept for repetitions; return how many."""
    now = timezone.now()
    return purge_dead_tokens(now=now) + idempotency.forget(now=now)
