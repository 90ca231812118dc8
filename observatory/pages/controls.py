"""Rows of links between the filters and the panels, one link for each value of a parameter of the page."""

from collections.abc import Mapping
from typing import Any

from analytics.api.parameters import Parameter
from observatory.pages.asked import Asked


def choices(
    asked: Asked, parameter: Parameter, label: str, names: Mapping[Any, str], **changes: str | None
) -> dict[str, Any]:
    """Return the row of links; `names` are what the values are called, `changes` go with every link."""
    return {
        "template": "pages/choices.html",
        "label": label,
        "choices": [
            {
                "name": name,
                "href": asked.link(**{parameter.name: None if value == parameter.default else value, **changes}),
                "here": asked.values[parameter.name] == value,
            }
            for value, name in names.items()
        ],
    }
