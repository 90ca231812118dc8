"""Who runs PostgreSQL, and which doors are opened for that user: to pass through, never to look around."""

import os
import stat

import pytest

from observatory.supervisor.unprivileged import let_run, let_through, server_user


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def closed(tmp_path):
    """A file two closed folders down."""
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    file = tmp_path / "outer" / "inner" / "file"
    file.write_text("")
    for path in (file.parent, file.parent.parent):
        path.chmod(0o700)
    return file


def test_folders_above_may_be_passed_through_and_not_listed(closed):
    let_through([closed])

    assert [mode(folder) for folder in (closed.parent, closed.parent.parent)] == [0o701, 0o701]


def test_the_folders_that_were_changed_are_named_once(closed):
    changed = [set(let_through([closed])) & set(closed.parents) for _ in range(2)]

    assert (changed[0] >= {closed.parent, closed.parent.parent}, changed[1]) == (True, set())


def test_what_a_link_points_to_can_be_reached_too(closed, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(closed)
    let_through([link])

    assert mode(closed.parent) == 0o701


def test_programs_that_a_strict_umask_closed_can_be_run_and_data_only_read(tmp_path):
    (tmp_path / "bin").mkdir()
    for name, given in (("bin/postgres", 0o700), ("data", 0o600)):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(given)
    (tmp_path / "bin").chmod(0o700)
    let_run(tmp_path)

    assert [mode(tmp_path / name) for name in ("bin", "bin/postgres", "data")] == [0o705, 0o705, 0o604]


@pytest.mark.skipif(os.geteuid() == 0, reason="root's server runs as another user")
def test_an_ordinary_user_runs_the_server_itself(tmp_path):
    assert server_user(tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands data to another user")
def test_root_runs_the_server_as_the_owner_of_data_that_are_there(tmp_path):
    os.chown(tmp_path, 12345, 12346)

    assert server_user(tmp_path) == (12345, 12346)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server runs as that user")
def test_root_runs_the_server_on_new_data_as_a_system_user(tmp_path):
    user = server_user(tmp_path / "new")

    assert user is not None
    assert user[0] != 0
