"""The alert rules: proved by Prometheus's own tool, and joined with the series and the page that they lead to."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from analytics.registry.rollups import GRAIN_WIDTHS
from observatory.env import BASE_DIR
from observatory.series import SERIES

FOLDER = BASE_DIR / "deploy" / "prometheus"
RULES = [rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]]
PROVED = yaml.safe_load((FOLDER / "rules_test.yml").read_text())["tests"]


@pytest.fixture
def promtool():
    found = shutil.which("promtool")
    if not found and os.environ.get("REQUIRE_PROMTOOL") == "1":
        pytest.fail("promtool is missing: install Debian's package prometheus")
    if not found:
        pytest.skip("THE ALERT RULES ARE NOT PROVED: promtool is missing (Debian: apt install prometheus)")
    return found


@pytest.mark.parametrize(
    "arguments", [("test", "rules", "rules_test.yml"), ("check", "config", "prometheus.yml")], ids=["rules", "config"]
)
def test_prometheus_finds_no_fault(promtool, arguments):
    done = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_is_proved_to_fire_and_to_be_silent():
    proved = sorted((case["alertname"], bool(case["exp_alerts"])) for one in PROVED for case in one["alert_rule_test"])

    assert proved == sorted((rule["alert"], fires) for rule in RULES for fires in (True, False))


@pytest.mark.parametrize("rule", [rule for rule in RULES if "up{" not in rule["expr"]], ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_series_and_labels_that_there_are(rule):
    known = {one.name: {*one.labels} for one in SERIES}
    known |= {f"{one.name}_bucket": {*one.labels, "le"} for one in SERIES if one.kind == "histogram"}
    asked = re.findall(r"\b((?:[a-z]+_)+[a-z]+)(?:\{([^}]*)\})?(?=[\[\s)]|$)", rule["expr"])

    assert asked
    for name, selectors in asked:
        assert name in known
        assert set(re.findall(r"(\w+)(?:=|!=)", selectors)) <= known[name]


def test_grains_are_named_as_they_are_recorded():
    named = set(re.findall(r'granularity="([^"]+)"', (FOLDER / "rules.yml").read_text()))

    assert named
    assert named <= set(GRAIN_WIDTHS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_leads_to_a_section_that_says_what_to_do(rule):
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    sections = re.findall(r"^## (\w+)$", (BASE_DIR / page).read_text(), re.MULTILINE)

    assert anchor in {section.lower() for section in sections}
