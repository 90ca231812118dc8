import ast
from pathlib import Path

import pytest

from errors import catalog
from errors.catalog import CATALOGUE, SPECS, identity, resources, service, validation
from errors.checks import check_catalogue, check_rows, check_specs
from errors.specs import CODE_RANGES, Category, ErrorSpec

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for app in ("observatory", "analytics", "ratelimit", "errors") for path in (ROOT / app).rglob("*.py")
)
OWN_ARGUMENTS = {"details", "field", "headers", "violated_policies"}


def spec(**changes):
    facts = {
        "code": 1299,
        "error_code": "EXAMPLE",
        "title": "Example",
        "category": Category.VALIDATION,
        "status": 400,
        "message": "Say {this}",
        "meaning": "m",
        "cause": "c",
        "remedy": "r",
    }
    return ErrorSpec(**facts | changes)


def ids(messages):
    return [message.id for message in messages]


def raised(path):
    """Yield name, keywords and line of every `ApiError(NAME, ...)` in a source."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ApiError":
            name = getattr(node.args[0], "id", getattr(node.args[0], "attr", ""))
            if name.isupper():
                yield name, {keyword.arg for keyword in node.keywords}, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_the_catalogue_passes_its_own_checks():
    assert check_catalogue() == []


def test_every_sentence_of_every_module_is_exported():
    defined = {
        name
        for module in (identity, validation, resources, service)
        for name, value in vars(module).items()
        if isinstance(value, ErrorSpec)
    }

    assert defined == set(SPECS)


def test_every_number_has_one_row_in_ascending_order():
    assert list(CATALOGUE) == sorted({spec.code for spec in SPECS.values()})


def test_the_ranges_of_the_categories_are_a_hundred_each_from_1000_to_1999():
    assert [number for numbers in CODE_RANGES.values() for number in numbers] == list(range(1000, 2000))


def test_every_raise_in_the_project_gives_the_sentence_exactly_what_it_needs():
    wrong = []
    for path in SOURCES:
        for name, keywords, place in raised(path):
            needed = getattr(catalog, name).parameters
            given = (keywords - OWN_ARGUMENTS) | (keywords & needed)
            if given != needed:
                wrong.append((place, name, sorted(given), sorted(needed)))

    assert wrong == []


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_reply_that_is_useless_without_its_header_cannot_be_declared(status):
    with pytest.raises(ValueError, match="needs the header"):
        spec(status=status)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"code": 1300}, ["errors.E001"]),
        ({"message": "Say {this"}, ["errors.E002"]),
        ({"message": "Say {}"}, ["errors.E003"]),
    ],
)
def test_a_row_that_would_fail_when_raised_is_found_at_the_start(changes, found):
    assert ids(check_specs([spec(**changes)])) == found


def test_two_errors_with_one_number_are_found():
    one, other = spec(), spec(error_code="OTHER")

    assert ids(check_rows([one, other], [one])) == ["errors.E004"]


def test_a_number_without_a_row_is_found():
    assert ids(check_rows([spec()], [])) == ["errors.E005"]
