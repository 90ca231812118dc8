"""System checks of the catalogue: a row that would fail when it is raised stops the process at its start."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register

from errors.catalog import CATALOGUE, SPECS
from errors.specs import CODE_RANGES, ErrorSpec


@register
def check_catalogue(**_: Any) -> list[CheckMessage]:
    """Return what is wrong with the rows of the catalogue."""
    return [*check_specs(SPECS.values()), *check_rows(SPECS.values(), CATALOGUE.values())]


def check_specs(specs: Iterable[ErrorSpec]) -> Iterator[CheckMessage]:
    """Yield a message per error whose number is outside its category, and per sentence that does not parse."""
    for spec in specs:
        if spec.code not in CODE_RANGES[spec.category]:
            yield Error(
                f"Error {spec.code} is not in the range of {spec.category}.",
                hint=f"Choose a number in {CODE_RANGES[spec.category]}.",
                id="errors.E001",
            )
        try:
            names = spec.parameters
        except ValueError as broken:
            yield Error(f"The sentence of {spec.code} does not parse: {broken}.", hint="Mend it.", id="errors.E002")
        else:
            if not all(name.isidentifier() for name in names):
                yield Error(
                    f"The sentence of {spec.code} has a parameter without a name.",
                    hint="Write parameters as {name}.",
                    id="errors.E003",
                )


def check_rows(specs: Iterable[ErrorSpec], rows: Iterable[ErrorSpec]) -> Iterator[CheckMessage]:
    """Yield a message per number that two errors share, and per number without a row that bears its name."""
    names: dict[int, str] = {}
    described = {row.code for row in rows}
    for spec in specs:
        if names.setdefault(spec.code, spec.error_code) != spec.error_code:
            yield Error(
                f"Error {spec.code} is both {names[spec.code]} and {spec.error_code}.",
                hint="Give each its own number.",
                id="errors.E004",
            )
        if spec.code not in described:
            yield Error(
                f"No row bears the name {spec.error_code}.",
                hint="Name the constant of the number's row after its error_code.",
                id="errors.E005",
            )
