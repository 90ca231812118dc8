"""Where a message really goes, whom it is told to, and when it is given up: names that change, certificates, dribblers."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analytics.alerts import addresses, transports
from analytics.alerts.addresses import ForbiddenAddressError, addresses_of, checked_url
from analytics.alerts.managing import check_receiver, target_of
from analytics.alerts.transports import FailedError, hand_over
from analytics.models import Channel, Delivery
from errors.exceptions import ApiError
from tests.analytics.alerts.receivers import dribbling_server, web_server

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOME, NEXT_DOOR, PUBLIC = "127.0.0.1", "127.0.0.2", "93.184.215.14"
HOST = "hooks.example.com"


def send(url):
    """Hand a message over to the receiver of a URL."""
    channel = Channel(type="slack", target=target_of("slack", {"url": url}))
    hand_over(Delivery(kind="test", subject="s", text="t", created_at=NOW), channel, now=NOW)


def refused(url):
    """Return why a message was not taken."""
    with pytest.raises(FailedError) as problem:
        send(url)
    return str(problem.value)


def wait_for_those_left_behind():
    for thread in threading.enumerate():
        if thread.name == "within":
            thread.join()


@pytest.fixture(autouse=True)
def only_this_machine(settings):
    settings.ALERT_ALLOWED_NETWORKS = (ip_network("127.0.0.1/32"),)


@pytest.fixture
def names(monkeypatch):
    """What names mean, one address after the other, the last one for ever; and how often each was asked for."""
    known, asked, real = {HOST: [HOME]}, [], socket.getaddrinfo

    def look_up(host, *given, **more):
        if host not in known:
            return real(host, *given, **more)
        asked.append(host)
        return real(known[host][min(asked.count(host), len(known[host])) - 1], *given, **more)

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known


# --- names ------------------------------------------------------------------------------------------------------------
def test_a_name_that_is_public_when_it_is_judged_and_private_when_it_is_reached_gets_nothing(names):
    with web_server(host=NEXT_DOOR) as inside:
        names[HOST] = [PUBLIC, NEXT_DOOR]
        url = f"http://{HOST}:{inside.port}/"
        check_receiver(url)

        assert refused(url) == "The host is inside a private network, where no message is sent."
    assert (inside.taken, names["asked"]) == ([], [HOST, HOST])


def test_the_connection_goes_to_the_address_that_was_judged_and_the_name_is_not_asked_again(names):
    with web_server() as judged, web_server(host=NEXT_DOOR, port=judged.port) as inside:
        names[HOST] = [HOME, NEXT_DOOR]
        send(f"http://{HOST}:{judged.port}/")

    assert (len(judged.taken), inside.taken, names["asked"]) == (1, [], [HOST])
    assert judged.taken[0]["headers"]["host"] == f"{HOST}:{judged.port}"


def test_a_name_of_which_one_address_is_private_is_refused(monkeypatch):
    found = [(2, 1, 6, "", (address, 443)) for address in (PUBLIC, NEXT_DOOR)]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(ForbiddenAddressError):
        addresses_of(checked_url("https://rebinding.example"))


def test_an_address_that_does_not_answer_leaves_the_next_its_turn(names, monkeypatch):
    monkeypatch.setattr(transports, "addresses_of", lambda parts: [(NEXT_DOOR, parts.port), (HOME, parts.port)])
    with web_server() as posts:
        send(f"http://{HOST}:{posts.port}/")

    assert len(posts.taken) == 1


# --- certificates -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Files of an authority and of a server that it knows as `HOST`."""
    folder, keys = tmp_path_factory.mktemp("authority"), [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", HOST)]
    for place, (name, extension) in enumerate([
        ("ca", x509.BasicConstraints(ca=True, path_length=None)), ("server", x509.SubjectAlternativeName([x509.DNSName(HOST)])),
    ]):  # fmt: skip
        key = keys[place].public_key()
        certificate = (
            x509.CertificateBuilder(names[0], names[place], key, x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(extension, critical=place == 0)
            .sign(keys[0], hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


@pytest.fixture
def secured(authority, names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "key.pem")
    with web_server(tls=context) as posts:
        yield posts


def test_a_certificate_of_the_host_by_a_known_authority_is_accepted(secured, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    send(f"https://{HOST}:{secured.port}/hook")

    assert [post["path"] for post in secured.taken] == ["/hook"]


def test_a_certificate_of_another_host_is_refused(secured, authority, names, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    names["other.example.com"] = [HOME]

    assert "SSLCertVerificationError" in refused(f"https://other.example.com:{secured.port}/")
    assert secured.taken == []


def test_a_certificate_by_an_unknown_authority_is_refused(secured):
    assert "SSLCertVerificationError" in refused(f"https://{HOST}:{secured.port}/")
    assert secured.taken == []


# --- time -------------------------------------------------------------------------------------------------------------
TOO_LATE = "It was not taken within 0.3 seconds."


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(transports, "WHOLE_SECONDS", 0.3)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("scheme", "octets"),
    [("http", b""), ("http", b"H"), ("http", b"HTTP/1.1 100 Continue\r\n\r\n"), ("https", b"\x16")],
    ids=["silence", "a line without end", "replies that announce another", "a handshake without end"],
)
def test_a_receiver_that_keeps_a_message_waiting_is_left(names, scheme, octets):
    with dribbling_server(octets) as receiver:
        told = refused(f"{scheme}://{HOST}:{receiver.port}/")

        assert octets == b"" or receiver.left.wait(20)
    # The record that a handshake begins with cannot be waited for: it is wrong.
    assert told == ("The receiver cannot be reached, or broke off: SSLError." if scheme == "https" else TOO_LATE)


@pytest.mark.usefixtures("short")
def test_a_mail_server_that_never_comes_to_an_end_is_left(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with dribbling_server(b"220-wait\r\n") as server:
        settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp://x", HOME, server.port
        channel = Channel(type="email", target=target_of("email", {"addresses": ["ops@example.com"]}))
        with pytest.raises(FailedError, match=TOO_LATE):
            hand_over(Delivery(kind="test", subject="s", text="t", created_at=NOW), channel, now=NOW)
    wait_for_those_left_behind()


@pytest.mark.usefixtures("short")
def test_a_name_server_that_does_not_answer_keeps_no_message_waiting(monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr(transports, "addresses_of", lambda _: answers.wait() and [])

    assert refused(f"http://{HOST}/") == TOO_LATE
    answers.set()
    wait_for_those_left_behind()


@pytest.mark.usefixtures("short")
def test_a_connection_that_comes_too_late_carries_nothing(names, monkeypatch):
    answers, real = threading.Event(), socket.create_connection
    monkeypatch.setattr(transports.socket, "create_connection", lambda *a, **k: answers.wait() and real(*a, **k))
    with web_server() as posts:
        assert refused(f"http://{HOST}:{posts.port}/") == TOO_LATE
        answers.set()
        wait_for_those_left_behind()

    assert posts.taken == []


def test_a_name_server_that_does_not_answer_refuses_a_channel(monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr("analytics.alerts.managing.LOOKUP_SECONDS", 0.1)
    monkeypatch.setattr("analytics.alerts.managing.addresses_of", lambda _: answers.wait())
    with pytest.raises(ApiError) as problem:
        check_receiver(f"http://{HOST}/")
    answers.set()

    assert problem.value.details == "The host of the URL is not known."
