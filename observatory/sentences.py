"""What is wrong with a box of a form, said beside it in the sentences of the catalogue: those that the API answers."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from errors.catalog import (
    FIELD_FORMAT_REFUSED,
    FIELD_VALUE_REFUSED,
    MISSING_REQUIRED_FIELD,
    NUMBER_TOO_SMALL,
    RESOURCE_ALREADY_EXISTS,
    TEXT_TOO_LONG,
)
from errors.exceptions import ApiError

# A code of Django's forms and models to the error of the catalogue; `said` is what Django says of it.
_ERRORS: Mapping[str, Callable[[str, str, Mapping[str, Any]], ApiError]] = {
    "required": lambda field, _said, _given: ApiError(MISSING_REQUIRED_FIELD, field=field),
    "null": lambda field, _said, _given: ApiError(MISSING_REQUIRED_FIELD, field=field),
    "blank": lambda field, _said, _given: ApiError(MISSING_REQUIRED_FIELD, field=field),
    "max_length": lambda field, _said, given: ApiError(TEXT_TOO_LONG, field=field, high=given.get("limit_value")),
    "min_value": lambda field, _said, given: ApiError(NUMBER_TOO_SMALL, field=field, low=given.get("limit_value")),
    "max_value": lambda field, said, _given: ApiError(FIELD_VALUE_REFUSED, field=field, details=said),
    "unique": lambda field, said, _given: ApiError(RESOURCE_ALREADY_EXISTS, field=field, details=said),
    "unique_together": lambda field, said, _given: ApiError(RESOURCE_ALREADY_EXISTS, field=field, details=said),
    **dict.fromkeys(
        ("invalid_choice", "invalid_list", "invalid_pk_value"),
        lambda field, said, _given: ApiError(FIELD_VALUE_REFUSED, field=field, details=said),
    ),
    **dict.fromkeys(
        ("invalid", "invalid_date", "invalid_time", "max_digits", "max_decimal_places", "max_whole_digits"),
        lambda field, said, _given: ApiError(FIELD_FORMAT_REFUSED, field=field, details=said),
    ),
}


def sentence(problem: ApiError) -> str:
    """Return what people read of an error: its sentence and its details."""
    said = problem.message.removesuffix(": see the details") if problem.details else problem.message
    return f"{said}: {problem.details}" if problem.details else f"{said}."


def _told(field: str, problem: ValidationError) -> ValidationError:
    said = "; ".join(problem.messages)
    if problem.code == "told" or not field:
        return problem
    known = _ERRORS.get(problem.code or "", _ERRORS["invalid_choice"])
    return ValidationError(sentence(known(field, said, problem.params or {})), code="told")


class InSentences(forms.BaseForm):
    """A form that says what is wrong as the API does; `add_error` takes an error of the catalogue as well."""

    def add_error(self, field: str | None, error: Any) -> None:
        if isinstance(error, ApiError):
            named = field or error.field
            super().add_error(named if named in self.fields else None, ValidationError(sentence(error), code="told"))
            return
        found = error if isinstance(error, ValidationError) else ValidationError(error)
        if hasattr(found, "error_dict"):
            told = {
                name: [_told("" if name == NON_FIELD_ERRORS else name, one) for one in problems]
                for name, problems in found.error_dict.items()
            }
            super().add_error(None, ValidationError(told))
        else:
            super().add_error(field, ValidationError([_told(field or "", one) for one in found.error_list]))


class SentenceForm(InSentences, forms.Form):
    """A form of boxes alone."""


class SentenceModelForm(InSentences, forms.ModelForm):
    """A form of a row."""
