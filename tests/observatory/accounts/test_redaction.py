import pytest

from analytics.registry.redaction import CustomPattern, Redaction
from analytics.scope import IngestPolicy
from errors.exceptions import ApiError
from observatory.accounts.models import Organisation, Project
from observatory.accounts.redaction import ingest_policy, read_redaction, read_scopes

DEFAULTS = {"mode": "mask", "detectors": ["email", "phone", "ssn", "card", "api_key"], "custom_patterns": []}


@pytest.fixture
def project(db):
    return Project.objects.create(
        organisation=Organisation.objects.create(name="Shop", slug="shop"), name="Chat", slug="chat"
    )


def test_a_new_project_keeps_content_and_masks_personal_data(project):
    assert ingest_policy(project.id) == IngestPolicy(keeps_content=True, redaction=Redaction())


def test_the_settings_decide_what_new_projects_begin_with(db, settings):
    settings.REDACTION_MODE, settings.REDACTION_DETECTORS = "hash", ("ip",)

    organisation = Organisation.objects.create(name="Shop", slug="shop")
    project = Project.objects.create(organisation=organisation, name="Chat", slug="chat")

    assert ingest_policy(project.id).redaction == Redaction(mode="hash", detectors=("ip",))


def test_ingest_gets_what_the_project_says(project):
    project.content_capture = "none"
    project.redaction = {
        "mode": "remove",
        "detectors": ["card"],
        "custom_patterns": [{"name": "EMPLOYEE", "pattern": r"E-\d{6}"}],
    }
    project.usage_exclusive_scopes = ["my.scope"]
    project.save()

    assert ingest_policy(project.id) == IngestPolicy(
        keeps_content=False,
        redaction=Redaction(
            mode="remove", detectors=("card",), patterns=(CustomPattern(name="EMPLOYEE", pattern=r"E-\d{6}"),)
        ),
        exclusive_scopes=frozenset({"my.scope"}),
    )


def test_members_left_out_keep_what_they_were():
    kept = read_redaction({"mode": "hash"}, onto={**DEFAULTS, "detectors": ["ip"]})

    assert kept == {"mode": "hash", "detectors": ["ip"], "custom_patterns": []}


def test_members_left_out_of_a_new_project_are_the_defaults():
    assert read_redaction({"detectors": ["ip", "email", "ip"]}) == {**DEFAULTS, "detectors": ["ip", "email"]}


def pattern(text, name="EMPLOYEE"):
    return {"custom_patterns": [{"name": name, "pattern": text}]}


REFUSED = [
    ("mask", 1203, "redaction"),
    ({"modes": "mask"}, 1202, "redaction.modes"),
    ({"mode": "blur"}, 1202, "redaction.mode"),
    ({"mode": ["mask"]}, 1202, "redaction.mode"),
    ({"detectors": "email"}, 1203, "redaction.detectors"),
    ({"detectors": ["mail"]}, 1202, "redaction.detectors"),
    ({"detectors": [["email"]]}, 1202, "redaction.detectors"),
    ({"detectors": ["email"] * 8}, 1205, "redaction.detectors"),
    ({"custom_patterns": {}}, 1203, "redaction.custom_patterns"),
    ({"custom_patterns": ["E-[0-9]"]}, 1203, "redaction.custom_patterns[0]"),
    ({"custom_patterns": [{"name": "E"}]}, 1201, "redaction.custom_patterns[0].pattern"),
    ({"custom_patterns": [{"name": "E", "pattern": 1}]}, 1203, "redaction.custom_patterns[0].pattern"),
    ({"custom_patterns": [{"name": "E", "pattern": "e", "flags": "i"}]}, 1202, "redaction.custom_patterns[0].flags"),
    ({"custom_patterns": [{"name": "E", "pattern": "e"}, {"name": "e", "pattern": "f"}]}, 1202, "redaction.custom_patterns"),
    ({"custom_patterns": [{"name": f"E{place}", "pattern": "e"} for place in range(21)]}, 1205, "redaction.custom_patterns"),
    (pattern(r"(?=E)"), 1203, "redaction.custom_patterns[0]"),
    (pattern(r"(?<!E)\d"), 1203, "redaction.custom_patterns[0]"),
    (pattern(r"(E)\1"), 1203, "redaction.custom_patterns[0]"),
    (pattern("("), 1203, "redaction.custom_patterns[0]"),
    (pattern(""), 1203, "redaction.custom_patterns[0]"),
    (pattern("e*"), 1203, "redaction.custom_patterns[0]"),
    (pattern("e" * 257), 1203, "redaction.custom_patterns[0]"),
    (pattern("\ud83d"), 1203, "redaction.custom_patterns[0]"),
    (pattern("(e{1000}){1000}"), 1203, "redaction.custom_patterns[0]"),
    (pattern("e", name="e-mail"), 1203, "redaction.custom_patterns[0]"),
    (pattern("e", name="Email"), 1203, "redaction.custom_patterns[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "code", "field"), REFUSED)
def test_what_cannot_be_used_is_named(value, code, field):
    with pytest.raises(ApiError) as refusal:
        read_redaction(value)

    assert (refusal.value.spec.code, refusal.value.field) == (code, field)


def test_twenty_patterns_of_256_characters_are_taken():
    given = [{"name": f"E{place}", "pattern": "e" * 256} for place in range(20)]

    assert read_redaction({"custom_patterns": given})["custom_patterns"] == given


@pytest.mark.parametrize(
    ("value", "code"), [("scope", 1203), ([""], 1203), ([1], 1203), (["s" * 201], 1203), (["s"] * 101, 1205)]
)
def test_names_of_scopes_that_cannot_be_used_are_refused(value, code):
    with pytest.raises(ApiError) as refusal:
        read_scopes(value)

    assert (refusal.value.spec.code, refusal.value.field) == (code, "usage_exclusive_scopes")


def test_a_scope_is_kept_once():
    assert read_scopes(["a", "b", "a"]) == ["a", "b"]
