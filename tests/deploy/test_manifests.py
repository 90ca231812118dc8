"""What compose and Kubernetes files say of the service is true of it."""

import re

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

from observatory.env import BASE_DIR
from observatory.env_table import SETTINGS
from observatory.supervisor.roles import PRIVILEGES

DEPLOY = BASE_DIR / "deploy"
# Read by granian, boto3 and the image itself.
OTHERS = re.compile(r"GRANIAN_\w+|AWS_\w+|DJANGO_SETTINGS_MODULE|PYTHON\w+|PATH")
KNOWN = {one.name for one in SETTINGS} | {"OBSERVATORY_HOME", "PROMETHEUS_MULTIPROC_DIR"}
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yml").read_text())
MANIFESTS = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
PODS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"]
    for one in MANIFESTS
    if one["kind"] in ("Deployment", "Job")
}


def variables():
    """Yield (place, name) of every variable that a file gives the service."""
    for name, service in COMPOSE["services"].items():
        if service.get("image", "").startswith("llm-observatory:"):
            yield from ((f"compose {name}", variable) for variable in service["environment"])
    for one in MANIFESTS:
        for variable in one.get("data", {}) | one.get("stringData", {}):
            yield f"{one['kind']} {one['metadata']['name']}", variable
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for variable in re.findall(r"^(?:ENV|   ) (\w+)=", dockerfile, re.MULTILINE):
        yield "Dockerfile", variable


def test_every_variable_is_one_that_something_reads():
    assert [(place, name) for place, name in variables() if name not in KNOWN and not OTHERS.fullmatch(name)] == []


def test_the_image_holds_every_package_of_the_service():
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    ignored = (BASE_DIR / ".dockerignore").read_text()
    packages = [path.name for path in BASE_DIR.iterdir() if (path / "apps.py").is_file()]

    assert packages
    assert [name for name in packages if f"COPY {name} " not in dockerfile or f"!{name}\n" not in ignored] == []


@pytest.mark.parametrize("name", ["prepare", "live", "worker"])
def test_both_start_the_same_commands_and_they_exist(name):
    composed, (container,) = COMPOSE["services"][name]["command"], PODS[name]["containers"]

    assert (container["command"], composed[2] in get_commands()) == (composed, True)


def test_probes_ask_for_routes_that_there_are():
    probes = [
        probe["httpGet"]["path"]
        for pod in PODS.values()
        for container in pod["containers"]
        for key, probe in container.items()
        if key.endswith("Probe") and "httpGet" in probe
    ]

    assert sorted(probes) == ["/health/live", "/health/live", "/health/ready"]
    assert all(resolve(path) for path in probes)


@pytest.mark.parametrize("name", sorted(PODS))
def test_no_pod_may_more_than_it_needs(name):
    pod = PODS[name]
    (container,) = pod["containers"]

    assert (pod["automountServiceAccountToken"], pod["securityContext"]["runAsNonRoot"]) == (False, True)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_only_the_migrating_process_is_told_of_the_owner():
    told = [
        name
        for name, service in COMPOSE["services"].items()
        if "DATABASE_MIGRATION_URL" in service.get("environment", {})
    ]
    reads = [
        name
        for name, pod in PODS.items()
        for source in pod["containers"][0]["envFrom"]
        if source.get("secretRef", {}).get("name") == "llm-observatory-owner"
    ]

    assert (told, reads) == (["prepare"], ["prepare"])


def test_the_service_s_role_gets_what_up_would_give_it():
    script = (DEPLOY / "compose" / "roles.sh").read_text()
    granted = re.findall(r"ALTER DEFAULT PRIVILEGES .* GRANT (.+) ON (\w+) TO observatory_service;", script)

    assert granted == [(privileges.as_string(), kind.as_string()) for kind, privileges in PRIVILEGES]


def test_every_secret_of_compose_is_in_the_example():
    text = (DEPLOY / "compose" / "compose.yml").read_text()
    example = (DEPLOY / "compose" / "env.example").read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))

    assert {name for name in required if not re.search(rf"^{name}=$", example, re.MULTILINE)} == set()
