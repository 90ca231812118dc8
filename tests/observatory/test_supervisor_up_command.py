"""The command line of `up`: facts, sentences and exit statuses."""

import json
import socket
import subprocess
import sys

import pytest

from observatory.env import BASE_DIR
from tests.e2e.conftest import clean_environment, free_port


def up(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", "up", *arguments],
        cwd=BASE_DIR,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_dry_run_tells_what_would_start_and_changes_nothing(tmp_path):
    port = free_port()
    done = up("--dry-run", "--json", "--demo", "--workers", "2", "--port", str(port), "--data-dir", f"{tmp_path}/home")

    assert (json.loads(done.stdout), list(tmp_path.iterdir())) == (
        {
            "url": f"http://localhost:{port}",
            "live_url": f"http://localhost:{port + 1}",
            "listens_on": f"0.0.0.0:{port}, {port + 1}",
            "data_dir": f"{tmp_path}/home",
            "credentials": f"{tmp_path}/home/credentials.json",
            "postgres": f"embedded, {tmp_path}/home/postgres",
            "valkey": f"embedded, {tmp_path}/home/valkey",
            "web_processes": 2,
            "web_threads": 10,
            "demo": True,
        },
        [],
    )


def test_a_dry_run_for_people_names_the_operators_servers_without_their_passwords(tmp_path):
    done = up(
        *("--dry-run", "--port", str(free_port()), "--data-dir", str(tmp_path)),
        DATABASE_URL="postgresql://u:secret@h/d",
        REDIS_URL="redis://:secret@h/0",
    )

    assert ("the server of DATABASE_URL" in done.stdout, "secret" in done.stdout) == (True, False)


@pytest.mark.parametrize("argument", [("--port", "0"), ("--port", "http"), ("--workers", "0"), ("--nonsense",)])
def test_wrong_arguments_end_with_status_2(argument):
    assert up(*argument).returncode == 2


def test_a_wrong_database_address_starts_nothing_and_ends_with_status_1(tmp_path):
    done = up(
        *("--port", str(free_port()), "--data-dir", f"{tmp_path}/home"),
        DATABASE_URL="postgresql://u:secret@127.0.0.1:1/d",
    )

    assert (done.returncode, done.stdout, done.stderr.count("\n"), list(tmp_path.glob("home/run/*.pid"))) == (
        1,
        "",
        1,
        [],
    )


def test_a_folder_below_a_file_ends_with_status_1(tmp_path):
    (tmp_path / "file").write_text("")
    done = up("--port", str(free_port()), "--data-dir", f"{tmp_path}/file/home")

    sentence = (
        f"The data folder {tmp_path}/file/home cannot be written (Not a directory): "
        "choose another one with --data-dir or OBSERVATORY_HOME."
    )
    assert (done.returncode, done.stderr) == (1, f"CommandError: {sentence}\n")


def test_a_taken_port_ends_with_status_1_before_a_server_is_started(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        done = up("--port", str(listener.getsockname()[1]), "--data-dir", f"{tmp_path}/home")

    assert (done.returncode, list(tmp_path.glob("home/run/*.pid"))) == (1, [])


def test_an_old_python_is_told_in_one_sentence(tmp_path):
    # Without another Python at hand the version is what this one is told that it is.
    program = "import sys; sys.version_info = (3, 10, 1); sys.argv = ['manage.py', 'up']; import manage; manage.main()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (
        1,
        "LLM Observatory runs on Python 3.11 to 3.13 and this is 3.10.1: run `make run PYTHON=python3.12`.\n",
    )


def test_the_help_has_an_example():
    assert "python manage.py up --demo --port 9000" in up("--help").stdout
