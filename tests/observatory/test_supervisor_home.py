"""The data folder: made, locked, closed to others."""

import os
import stat
import subprocess
import sys
import tempfile

import pytest

from observatory.supervisor.failure import CannotStart
from observatory.supervisor.home import Home, socket_folder, write_private


@pytest.fixture
def home(tmp_path):
    made = Home(path=tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    return Home(path=tmp_path / "file" / "home")


def test_creating_twice_changes_nothing(home):
    before = {path: path.stat().st_mode for path in home.path.rglob("*")}
    home.create()

    assert {path: path.stat().st_mode for path in home.path.rglob("*")} == before


def test_other_users_can_list_no_folder(home):
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (home.path, *home.path.rglob("*")) if path.is_dir()]

    assert [mode for mode in modes if mode & 0o066] == []


@pytest.mark.parametrize("check", [Home.create, Home.check_creatable])
def test_a_folder_that_cannot_be_made_is_one_sentence(below_a_file, check):
    with pytest.raises(CannotStart) as caught:
        check(below_a_file)

    assert str(caught.value).startswith(f"The data folder {below_a_file.path} cannot be written (")
    assert str(caught.value).endswith("): choose another one with --data-dir or OBSERVATORY_HOME.")


def test_checking_makes_no_folder(tmp_path):
    Home(path=tmp_path / "a" / "b").check_creatable()

    assert list(tmp_path.iterdir()) == []


def test_a_locked_folder_is_refused_and_names_the_process(home):
    with home.locked(), pytest.raises(CannotStart, match=f"Another `up` \\(process {os.getpid()}\\)"), home.locked():
        pass


def test_the_lock_ends_with_the_process_that_held_it(home):
    holder = f"import fcntl; fcntl.flock(open({str(home.path / 'up.lock')!r}, 'w'), fcntl.LOCK_EX)"
    subprocess.run([sys.executable, "-c", holder], check=True)

    with home.locked():
        assert (home.path / "up.lock").read_text() == str(os.getpid())


def test_there_are_no_variables_before_the_first_start(home):
    assert home.service() == {}


def test_variables_are_read_back_from_a_file_that_is_its_owners_alone(home):
    home.write_service({"API_PORT": "9000"})

    assert (home.service(), stat.S_IMODE(home.service_file.stat().st_mode)) == ({"API_PORT": "9000"}, 0o600)


def test_a_damaged_file_of_variables_is_one_sentence(home):
    home.service_file.write_text("{")

    with pytest.raises(CannotStart, match="cannot be read: delete it and start again"):
        home.service()


def test_a_private_file_is_replaced_and_leaves_nothing_beside_it(tmp_path):
    for content in ("one", "two"):
        write_private(tmp_path / "secret", content)

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("secret", "two")]


def test_a_short_path_holds_its_own_socket(tmp_path):
    assert socket_folder(tmp_path / "s", "x.sock", owner=os.geteuid()) == tmp_path / "s"


def test_a_path_too_long_for_a_socket_gets_a_short_one_of_mode_0700(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        folder = socket_folder(tmp_path / ("x" * 100), "x.sock", owner=os.geteuid())
        mode = stat.S_IMODE(folder.stat().st_mode)

    assert (str(folder.parent), mode) == (short, 0o700)


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_socket_folder_that_somebody_else_prepared_is_refused(tmp_path, trap):
    wanted = tmp_path / "s"
    if trap == "a link":
        wanted.symlink_to(tmp_path)
    else:
        wanted.mkdir()
        wanted.chmod(0o777)

    with pytest.raises(CannotStart, match="remove it and start again"):
        socket_folder(wanted, "x.sock", owner=os.geteuid())
