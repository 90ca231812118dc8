import json
import os
import subprocess
import sys

import pytest

from observatory import env
from observatory.env import BASE_DIR, SettingError
from observatory.env_table import SETTINGS

ENOUGH = {
    "DATABASE_URL": "postgresql://service@/observatory",
    "SECRET_KEY": "s" * 32,
    "JWT_SECRET": "j" * 32,
}
_POLICIES = 'write JSON such as {"/metrics/performance": {"ttl": 30, "etag": true, "last_modified": true}}'
# What each reader refuses, and by which sentence.
REFUSED = [
    ("API_PORT", "http", "write a whole number from 1 to 65535"),
    ("API_PORT", "0", "write a whole number from 1 to 65535"),
    ("API_PORT", "65536", "write a whole number from 1 to 65535"),
    ("API_PORT", "--5", "write a whole number from 1 to 65535"),
    ("API_PORT", "²", "write a whole number from 1 to 65535"),
    ("API_PORT", "8080.5", "write a whole number from 1 to 65535"),
    ("JWT_REQUIRE_ISS_AUD", "maybe", "write true or false"),
    ("RATE_LIMIT_BURST_FACTOR", "much", "write a number such as 1.2"),
    ("RATE_LIMIT_BURST_FACTOR", "0", "write a number above 0"),
    ("RATE_LIMIT_BURST_FACTOR", "nan", "write a number above 0"),
    ("RATE_LIMIT_BURST_FACTOR", "inf", "write a number above 0"),
    ("METRICS_ALLOWED_NETWORKS", "10.0.0.0/8,home", "write CIDR networks separated by commas, such as 10.0.0.0/8"),
    ("LOG_LEVEL", "loud", "write one of debug, info, warning, error"),
    ("LOG_FORMAT", "xml", "write one of json, console"),
    ("JWT_SECRET", "j" * 31, "use at least 32 characters; `openssl rand -hex 32` makes 64"),
    ("SECRET_KEY", "short", "use at least 32 characters; `openssl rand -hex 32` makes 64"),
    ("API_BASE_URL", "example.com", "write a URL that begins with http:// or https://"),
    ("DATABASE_URL", "mysql://x", "write an address that begins with postgresql:// or postgres://"),
    ("DATABASE_MIGRATION_URL", "nothing", "write an address that begins with postgresql:// or postgres://"),
    ("CACHE_POLICY_OVERRIDES", "{", _POLICIES),
    ("CACHE_POLICY_OVERRIDES", '["/traces"]', _POLICIES),
    ("CACHE_POLICY_OVERRIDES", '{"/traces": 5}', _POLICIES),
    ("CACHE_POLICY_OVERRIDES", '{"/traces": {"ttl": -1}}', _POLICIES),
    ("CACHE_POLICY_OVERRIDES", '{"/traces": {"ttl": true}}', _POLICIES),
    ("CACHE_POLICY_OVERRIDES", '{"/traces": {"etag": 1}}', _POLICIES),
    ("CACHE_POLICY_OVERRIDES", '{"/traces": {"max_age": 1}}', _POLICIES),
    ("REDIS_URL", "localhost:6379", "write an address that begins with redis:// or rediss:// or unix://"),
]
READ = [
    ("API_PORT", "9000", 9000),
    ("API_PORT", " 9000 ", 9000),
    ("JWT_LEEWAY_SECONDS", "0", 0),
    ("JWT_REQUIRE_ISS_AUD", "TRUE", True),
    ("RATE_LIMIT_ENABLED", "off", False),
    ("RATE_LIMIT_BURST_FACTOR", "2", 2.0),
    ("CORS_ORIGINS", "https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
    ("LOG_LEVEL", "WARNING", "warning"),
    ("API_BASE_URL", "https://example.com/", "https://example.com"),
    ("REDIS_URL", "unix:///run/valkey.sock?db=1", "unix:///run/valkey.sock?db=1"),
    ("METRICS_TOKEN", "t", "t"),
    ("CACHE_POLICY_OVERRIDES", '{"/traces": {"ttl": 5, "etag": false}}', {"/traces": {"ttl": 5, "etag": False}}),
]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An environment in which nothing is set but the data folder, and that is empty."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setenv("OBSERVATORY_HOME", str(tmp_path))
    env._left_by_up.cache_clear()
    yield tmp_path
    env._left_by_up.cache_clear()


@pytest.mark.parametrize(("name", "value", "cure"), REFUSED)
def test_a_value_that_cannot_be_used_is_named_with_its_cure(monkeypatch, name, value, cure):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingError) as refusal:
        env.read(name)
    assert str(refusal.value) == f"{name} cannot be used: {cure}."


@pytest.mark.parametrize(("name", "value", "expected"), READ)
def test_a_value_is_read_as_what_it_is(monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)

    assert env.read(name) == expected


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.required], ids=lambda one: one.name)
def test_what_must_be_set_is_named(setting):
    with pytest.raises(SettingError, match=f"^{setting.name} is not set: set it, or run `make run`"):
        env.read(setting.name)


@pytest.mark.parametrize("setting", [one for one in SETTINGS if not one.required], ids=lambda one: one.name)
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_everything_else_has_a_default(monkeypatch, setting, value):
    if setting.name == "OBSERVATORY_HOME":
        monkeypatch.delenv(setting.name)
    elif value is not None:
        monkeypatch.setenv(setting.name, value)

    assert env.read(setting.name) == setting.default


def test_no_variable_is_listed_twice():
    assert len({one.name for one in SETTINGS}) == len(SETTINGS)


def test_what_up_left_is_found(folder):
    (folder / "service.json").write_text(json.dumps({"API_PORT": "9000", "SECRET_KEY": "s" * 32}))

    assert (env.read("API_PORT"), env.read("SECRET_KEY")) == (9000, "s" * 32)


def test_the_environment_wins_over_what_up_left(monkeypatch, folder):
    (folder / "service.json").write_text('{"API_PORT": "9000"}')
    monkeypatch.setenv("API_PORT", "9001")

    assert env.read("API_PORT") == 9001


def test_parts_of_two_databases_never_mix(monkeypatch, folder):
    (folder / "service.json").write_text('{"DATABASE_MIGRATION_URL": "postgresql://owner@/left"}')
    monkeypatch.setenv("DATABASE_URL", ENOUGH["DATABASE_URL"])

    assert env.read("DATABASE_MIGRATION_URL") is None


def test_a_broken_file_of_up_is_named_with_its_cure(folder):
    (folder / "service.json").write_text("{")

    with pytest.raises(SettingError, match=r"service\.json cannot be read: delete it and run `make run` again\."):
        env.read("API_PORT")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"API_PORT": "http"}, "API_PORT cannot be used: write a whole number from 1 to 65535.\n"),
        ({"JWT_SECRET": "tell nobody"}, "JWT_SECRET cannot be used: use at least 32 characters;"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set: set it, or run `make run`, which makes everything.\n"),
    ],
)
def test_a_command_stops_with_one_sentence(folder, given, sentence):
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "check"],
        env={"PATH": os.environ["PATH"], "OBSERVATORY_HOME": str(folder)} | ENOUGH | given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith(sentence)
    assert "tell nobody" not in done.stderr
