"""What the shapes of several replies are made of, in JSON Schema."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def nullable(schema: Mapping[str, Any]) -> Schema:
    """Return `schema` that also admits null."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else dict(schema)


def whole(**members: Mapping[str, Any]) -> Schema:
    """Return the shape of an object that always has all of `members`."""
    return {"type": "object", "required": list(members), "properties": members}


TEXT: Schema = {"type": "string"}
UUID: Schema = {"type": "string", "format": "uuid"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
COUNT: Schema = {"type": "integer", "minimum": 0}
