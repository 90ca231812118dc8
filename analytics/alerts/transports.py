"""How a message is handed over: as JSON to a webhook, as a text to what takes Slack's, as an e-mail.

Webhooks are signed as standardwebhooks.com says, so that its libraries verify them. Each of these raises `FailedError`
when the receiver did not take the message.
"""

import base64
import hmac
import http.client
import json
import secrets
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import datetime
from urllib.parse import SplitResult

import orjson
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from analytics.alerts.addresses import ForbiddenAddressError, addresses_of, checked_url
from analytics.encryption import decrypt
from analytics.models import Channel, ChannelType, Delivery
from errors.json import dumps

CONNECT_SECONDS, WHOLE_SECONDS = 5, 15
_SECRET_PREFIX, _SECRET_BYTES = "whsec_", 24
_LONGEST_SLACK = 3000
_SUCCESS = range(200, 300)


class FailedError(Exception):
    """A message that was not taken; the text says why, without anything that the receiver said."""


def new_signing_secret() -> str:
    """Return a new signing secret: `whsec_` and 24 random octets in base64."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: `v1,` and the HMAC-SHA256 of id, timestamp and body in base64."""
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def hand_over(delivery: Delivery, channel: Channel, *, now: datetime) -> None:
    """Send a message to its channel's receiver; raise `FailedError` unless it was taken."""
    try:
        _TRANSPORTS[channel.type](delivery, channel, now)
    except InvalidToken:
        raise FailedError("SECRET_ENCRYPTION_KEY has changed since the channel was made: make it anew.") from None


def _webhook(delivery: Delivery, channel: Channel, now: datetime) -> None:
    message = {
        "type": delivery.kind,
        "timestamp": delivery.created_at,
        "subject": delivery.subject,
        "text": delivery.text,
        "data": orjson.Fragment(delivery.data),
    }
    body, sent_at = dumps(message), int(now.timestamp())
    headers = {"webhook-id": str(delivery.id), "webhook-timestamp": str(sent_at)}
    if channel.signing_secret is not None:
        secret = decrypt(channel.signing_secret)
        headers["webhook-signature"] = signature(secret, message_id=str(delivery.id), timestamp=sent_at, body=body)
    _post(decrypt(channel.target), body, headers)


def _slack(delivery: Delivery, channel: Channel, now: datetime) -> None:  # noqa: ARG001  they are called alike
    text = f"*{_escaped(delivery.subject)}*\n{_escaped(delivery.text)}"
    _post(decrypt(channel.target), dumps({"text": text[:_LONGEST_SLACK]}), {})


def _escaped(text: str) -> str:
    """Return a text in which nothing is a link, a mention or a command to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _email(delivery: Delivery, channel: Channel, now: datetime) -> None:  # noqa: ARG001  as above
    if not settings.EMAIL_URL:
        raise FailedError("No mail server is set: EMAIL_URL names one.")
    domain = settings.EMAIL_FROM.rpartition("@")[2].strip("<> ") or "localhost"
    message = EmailMessage(
        subject=delivery.subject,
        body=delivery.text,
        from_email=settings.EMAIL_FROM,
        to=json.loads(decrypt(channel.target)),
        # The same at each attempt: mailboxes show what came twice once.
        headers={"Message-ID": f"<{delivery.id}@{domain}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(timeout=WHOLE_SECONDS),
    )
    try:
        message.send()
    except (OSError, ValueError, smtplib.SMTPException) as problem:  # Django refuses a header with a `ValueError`
        raise FailedError(f"The mail server did not take it: {type(problem).__name__}.") from problem


_TRANSPORTS: Mapping[str, Callable[[Delivery, Channel, datetime], None]] = {
    ChannelType.WEBHOOK: _webhook,
    ChannelType.SLACK: _slack,
    ChannelType.EMAIL: _email,
}


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post JSON; redirections are not followed, and what is answered is not read beyond its status."""
    try:
        parts = checked_url(url)
        with closing(_connected(parts)) as sock:
            # A receiver that answers octet by octet would be within every timeout of its own.
            too_late = threading.Timer(WHOLE_SECONDS, _shut, [sock])
            too_late.start()
            try:
                status = _answered(sock, parts, body, headers)
            finally:
                too_late.cancel()
    except ForbiddenAddressError as problem:
        raise FailedError(str(problem)) from problem
    except (OSError, http.client.HTTPException) as problem:
        raise FailedError(f"The receiver cannot be reached, or broke off: {type(problem).__name__}.") from problem
    if status not in _SUCCESS:
        raise FailedError(f"The receiver answered {status}.")


def _connected(parts: SplitResult) -> socket.socket:
    """Return a connection to one of the addresses that were judged; its handshake is still to come."""
    problem = OSError("no address")
    for place in addresses_of(parts):
        try:
            sock = socket.create_connection(place, timeout=CONNECT_SECONDS)
        except OSError as failed:
            problem = failed
            continue
        sock.settimeout(WHOLE_SECONDS)
        if parts.scheme == "http":
            return sock
        context = ssl.create_default_context()
        return context.wrap_socket(sock, server_hostname=parts.hostname, do_handshake_on_connect=False)
    raise problem


def _answered(sock: socket.socket, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    """Send the request over `sock`, under the name that the URL has; return the status of the reply."""
    if isinstance(sock, ssl.SSLSocket):
        sock.do_handshake()
    client = http.client.HTTPConnection(str(parts.hostname))
    client.sock = sock
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fixed = {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "llm-observatory"}
    client.request("POST", path, body, {**fixed, **headers})
    return client.getresponse().status


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
