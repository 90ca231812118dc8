"""Numbers in texts that are JSON: read as numbers, they would pass the detectors, which look at texts."""

import re
from collections.abc import Callable
from typing import Any

from analytics.ingest.text import decode_json, embedded_json, encode_json

# A text, which may be JSON itself, or a number as it is written. Nothing else of JSON has quotes or digits.
_TEXT_OR_NUMBER = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+\-]*', re.DOTALL)
_OPENINGS = ("{", "[")
Test = Callable[[str], bool]


def quoted(value: Any, is_found: Test, is_numerous: Test) -> Any:
    """Return a JSON value in whose texts that are JSON every number that `is_found` is a text, however deep it lies.

    The detectors meet it then wherever it is kept, and the text stays JSON when it is masked. Numbers that are none of
    a text stay what they are. What holds no such number is returned itself; texts are only read if they are numerous.
    """
    if isinstance(value, str):
        return _quoted_text(value, is_found) if is_numerous(value) else value
    if isinstance(value, list):
        items = [quoted(item, is_found, is_numerous) for item in value]
        return items if any(item is not old for item, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        members = {key: quoted(item, is_found, is_numerous) for key, item in value.items()}
        return members if any(members[key] is not value[key] for key in value) else value
    return value


def _quoted_text(text: str, is_found: Test) -> str:
    if not text.lstrip().startswith(_OPENINGS) or embedded_json(text) is None:
        return text

    def instead(token: re.Match[str]) -> str:
        written = token[0]
        if written[0] != '"':
            return f'"{written}"' if is_found(written) else written
        if "{" not in written and "[" not in written and "\\u00" not in written:
            return written
        told = decode_json(written)
        inner = _quoted_text(told, is_found)
        return written if inner is told else encode_json(inner)

    made = _TEXT_OR_NUMBER.sub(instead, text)
    return text if made == text else made
