"""The pages of threats and faults name tests that there are, and no secret is compared in a way that tells how much of it is right."""

import ast
import re

import pytest

from observatory.env import BASE_DIR

ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (BASE_DIR / "docs/explanation/threats.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| Threat"))
]
TESTS = {
    name
    for file in (BASE_DIR / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(), flags=re.MULTILINE)
}
SECRET = re.compile(r"secret|password|signature|hmac|nonce|digest", flags=re.IGNORECASE)
# What is compared there is no secret, or the digest of one, which nobody can approach step by step.
HARMLESS = {"bytes(key.secret_sha256) != digest(secret)", "row[:len(wire.signature)] == wire.signature"}
# Whether a file is the one that was written.
HARMLESS |= {"digest.hexdigest() != sha256", "digest.hexdigest() == job.sha256"}


def comparisons():
    """Yield (file, comparison) of every == and != of the service whose words speak of secrets."""
    for package in ("analytics", "errors", "observatory", "ratelimit"):
        for file in (BASE_DIR / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Compare) and any(isinstance(sign, ast.Eq | ast.NotEq) for sign in node.ops):
                    said = ast.unparse(node)
                    if SECRET.search(said):
                        yield str(file.relative_to(BASE_DIR)), said


def test_the_page_of_faults_names_tests_that_there_are():
    named = set(re.findall(r"`(test_\w+)`", (BASE_DIR / "docs/explanation/faults.md").read_text()))

    assert named <= TESTS, named - TESTS
    assert len(named) > 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_threat_names_tests_that_there_are(row):
    named = set(re.findall(r"`(test_\w+)`", row[-1]))

    assert (len(row), bool(named), named - TESTS) == (4, True, set())


def test_no_secret_is_compared_character_by_character():
    assert [found for found in comparisons() if found[1] not in HARMLESS] == []
