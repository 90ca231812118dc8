"""What the operator asked for, and the programs that follow from it."""

import os
import socket
from pathlib import Path

import pytest

from observatory.env import BASE_DIR
from observatory.supervisor.external import Addresses
from observatory.supervisor.failure import CannotStart, StopRequested
from observatory.supervisor.network import claim_address, wait_ready
from observatory.supervisor.options import Arguments, read_options
from observatory.supervisor.programs import service_programs, service_variables
from observatory.supervisor.signals import StopSignals

DATABASE = Addresses(service="postgresql://service@/x", owner="postgresql://owner@/x")


def test_nothing_said_gives_the_defaults():
    options = read_options(Arguments(), {})

    assert (options.home.path, options.host, options.port, options.database_url, options.redis_url) == (
        BASE_DIR / ".observatory",
        "0.0.0.0",
        8080,
        None,
        None,
    )


def test_web_processes_follow_the_cores_up_to_four():
    assert read_options(Arguments(), {}).workers == min(4, os.cpu_count())


def test_variables_come_before_defaults():
    options = read_options(Arguments(), {"API_PORT": "9000", "WEB_CONCURRENCY": "3", "OBSERVATORY_HOME": "/srv/o"})

    assert (options.port, options.workers, options.home.path) == (9000, 3, Path("/srv/o"))


def test_arguments_come_before_variables():
    options = read_options(Arguments(port=9001, workers=1, data_dir="/srv/a"), {"API_PORT": "9000"})

    assert (options.port, options.workers, options.home.path) == (9001, 1, Path("/srv/a"))


def test_connections_are_shared_out_to_the_web_processes():
    shares = [read_options(Arguments(workers=workers), {"DATABASE_POOL_SIZE": "20"}).threads for workers in (1, 3, 50)]

    assert shares == [20, 6, 1]


def test_redis_may_be_named_in_parts():
    options = read_options(Arguments(), {"REDIS_HOST": "cache", "REDIS_PASSWORD": "a/b", "REDIS_DB": "2"})

    assert options.redis_url == "redis://:a%2Fb@cache:6379/2"


def test_a_variable_that_cannot_be_used_is_one_sentence():
    with pytest.raises(CannotStart, match=r"^API_PORT cannot be used: write a whole number from 1 to 65535\.$"):
        read_options(Arguments(), {"API_PORT": "http"})


def test_a_variable_that_only_the_service_reads_is_checked_too():
    with pytest.raises(CannotStart, match=r"^LOG_LEVEL cannot be used: write one of debug, info, warning, error\.$"):
        read_options(Arguments(), {"LOG_LEVEL": "nonsense"})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:8080"),
        ("::", "http://localhost:8080"),
        ("10.0.0.5", "http://10.0.0.5:8080"),
        ("fe80::1", "http://[fe80::1]:8080"),
    ],
)
def test_the_shown_address_can_be_opened_on_this_machine(host, url):
    assert read_options(Arguments(host=host), {}).local_url == url


def test_secrets_are_made_once(tmp_path):
    options = read_options(Arguments(data_dir=str(tmp_path)), {})
    first = service_variables(options, DATABASE, "redis://x")
    options.home.write_service(first)

    assert service_variables(options, DATABASE, "redis://x") == first


def test_the_service_runs_with_the_operators_secrets_and_our_addresses(tmp_path):
    given = {"SECRET_KEY": "given" * 10, "DATABASE_URL": "postgresql://owner@/x", "LOG_LEVEL": "debug"}
    options = read_options(Arguments(data_dir=str(tmp_path)), given)
    variables = service_variables(options, DATABASE, "redis://x")
    web = service_programs(options, variables, "0.0.0.0")["web"].environment

    assert {name: web[name] for name in (*given, "JWT_SECRET", "OBSERVATORY_HOME", "DJANGO_SETTINGS_MODULE")} == {
        "SECRET_KEY": "given" * 10,
        "DATABASE_URL": DATABASE.service,
        "LOG_LEVEL": "debug",
        "JWT_SECRET": variables["JWT_SECRET"],
        "OBSERVATORY_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "observatory.settings.service",
    }


def test_only_the_first_start_with_demo_is_told_to_make_one(tmp_path):
    commands = [
        service_programs(read_options(Arguments(demo=demo), {}), {}, "0.0.0.0")["prepare"].command[2:]
        for demo in (False, True)
    ]

    assert commands == [("prepare",), ("prepare", "--demo")]


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_one_sentence(taken, host):
    with pytest.raises(CannotStart, match=f"^Port {taken} is taken on {host}: .* choose another one with --port"):
        claim_address(host, taken)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [("no such host", "--host no such host is no address"), ("192.0.2.1", "192.0.2.1 is no address of this machine")],
)
def test_a_wrong_host_is_one_sentence(host, sentence):
    with pytest.raises(CannotStart, match=f"^{sentence}"):
        claim_address(host, 0)


def test_a_name_is_claimed_as_an_address():
    assert claim_address("localhost", 0) == "127.0.0.1"


def test_a_service_that_never_gets_ready_is_given_up(taken, monkeypatch):
    monkeypatch.setattr("observatory.supervisor.network.READY_SECONDS", 0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(CannotStart, match=r"not ready after 0 s \(/health/ready: no answer, ConnectionRefusedError\)"):
        wait_ready("0.0.0.0", port, check_alive=lambda: None, pause=lambda _seconds: None)


def test_a_signal_ends_a_pause_and_is_remembered():
    signals = StopSignals()
    with signals.caught():
        os.kill(os.getpid(), 15)
        with pytest.raises(StopRequested):
            signals.pause(10)

    assert signals.latest == 15


def test_after_forgetting_only_a_second_signal_ends_a_pause():
    signals = StopSignals()
    signals(15, None)
    signals.forget()
    signals.pause(0)

    signals(2, None)
    with pytest.raises(StopRequested):
        signals.pause(10)
