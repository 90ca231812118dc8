"""Write `operations.py` and `shapes.py` of the client from the service's OpenAPI document.

    python clients/python/generate.py [--check]

`--check` changes nothing and exits with 4 when a file is out of date.
"""

import argparse
import keyword
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "openapi.yaml"
PACKAGE = HERE / "src" / "llm_observatory"
# Streams, files and OTLP have methods written by hand, or are an exporter's business; aliases are left out.
BY_HAND = ("otlp_", "websocket", "events", "export_download", "analytics_", "auth_")
KEPT = ("events_ticket",)
ALIASES = frozenset({"from", "to"})  # of start_time and end_time
NOTE = '"""Made from openapi.yaml by `python clients/python/generate.py`; do not edit."""\n\n'
Schema = Mapping[str, Any]


class Shapes:
    """Collects one TypedDict for each object with named members."""

    def __init__(self, document: Schema) -> None:
        self._components: Schema = document["components"]["schemas"]
        self._made: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._pending: set[str] = set()

    def of(self, schema: Schema, name: str) -> str:
        """Return the Python type of a value of `schema`; an object without a name of its own gets `name`."""
        if "$ref" in schema:
            return self._component(schema["$ref"].rpartition("/")[2])
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            kinds = dict.fromkeys(self.of(choice, f"{name}{number}") for number, choice in enumerate(choices))
            return _union(" | ".join(kinds).split(" | "))
        named = schema.get("type", ())
        named = [named] if isinstance(named, str) else named
        return _union([self._one(kind, schema, name) for kind in named]) or "Any"

    def followed(self, schema: Schema) -> Schema:
        """Return `schema` with its reference followed."""
        return self._components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def text(self) -> str:
        head = (
            "from __future__ import annotations\n\n"
            "from decimal import Decimal\nfrom typing import Any, Literal, TypedDict\n\n"
        )
        classes = "\n\n".join(self._made[name] for name in sorted(self._made))
        return f"{NOTE}{head}Number = int | Decimal\n\n\n{classes}\n\n{''.join(self._aliases.values())}"

    def names(self) -> list[str]:
        return sorted([*self._made, *self._aliases])

    def _one(self, kind: str, schema: Schema, name: str) -> str:
        if kind == "array":
            return f"list[{self.of(schema.get('items', {}), name + 'Item')}]"
        if kind == "object":
            return self._object(schema, name)
        return {"string": "str", "integer": "int", "number": "Number", "boolean": "bool", "null": "None"}[kind]

    def _component(self, name: str) -> str:
        if name not in self._made and name not in self._pending:
            self._pending.add(name)
            made = self.of(self._components[name], name)
            if made != name:
                self._aliases[name] = f"{name} = {made}\n"
        return name

    def _object(self, schema: Schema, name: str) -> str:
        members = schema.get("properties", {})
        if not members or not all(key.isidentifier() and not keyword.iskeyword(key) for key in members):
            return "dict[str, Any]"
        # `fields=` may leave out any member: none can be counted on.
        lines = [f"class {name}(TypedDict, total=False):"]
        for key, member in members.items():
            lines.append(f"    {key}: {self.of(member, name + _camel(key))}")
            if says := _sentence(member.get("description", "")):
                lines.append(f'    """{says}"""')
        self._made[name] = "\n".join(lines) + "\n"
        return name


def _union(kinds: list[str]) -> str:
    distinct = dict.fromkeys(kinds)
    return " | ".join(sorted(distinct, key=lambda kind: kind == "None"))


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _sentence(text: str) -> str:
    text = " ".join(text.replace("\\", "\\\\").split())
    return text + ("" if not text or text.endswith((".", "?", "!", ")")) else ".")


def operations(document: Schema) -> Iterator[tuple[str, str, str, Schema]]:
    """Yield (name, method, path, operation) of what gets a generated method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = operation.get("operationId", "") if isinstance(operation, dict) else ""
            if name and (name in KEPT or not name.startswith(BY_HAND)):
                yield name, method.upper(), path, operation


def _method(name: str, method: str, path: str, operation: Schema, shapes: Shapes, *, is_async: bool) -> str:
    given = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] in ("path", "query")}
    given = {key: one for key, one in given.items() if key.isidentifier() and key not in ALIASES}
    in_path = [key for key, one in given.items() if one["in"] == "path"]
    in_query = [key for key in given if key not in in_path]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    body = shapes.followed(body)
    members = [key for key in body.get("properties", {}) if key.isidentifier() and key not in {*ALIASES, *given}]
    required = [key for key in members if key in body.get("required", ())]
    arguments = [f"{key}: str" for key in in_path]
    arguments += [f"{key}: {shapes.of(body['properties'][key], _camel(name) + _camel(key))}" for key in required]
    for key in in_query:
        required_here = given[key].get("required")
        kind = _query_type(given[key]["schema"], shapes)
        arguments.append(f"{key}: {kind}" if required_here else f"{key}: {kind} | None = None")
    for key in members:
        if key not in required:
            kind = shapes.of(body["properties"][key], _camel(name) + _camel(key))
            arguments.append(f"{key}: {kind} | Unset = UNSET")
    sent = [f'"{method}"', f'f"{path}"' if in_path else f'"{path}"']
    for key in in_path:
        sent[1] = sent[1].replace(f"{{{key}}}", f"{{quoted({key})}}")
    if in_query:
        sent.append("query={" + ", ".join(f'"{key}": {key}' for key in in_query) + "}")
    if body:
        sent.append("body={" + ", ".join(f'"{key}": {key}' for key in members) + "}")
    replies = operation["responses"]
    code = next(code for code in replies if code.startswith("2"))
    schema = replies[code].get("content", {}).get("application/json", {}).get("schema")
    kind = shapes.of(schema, _camel(name) + "Reply") if schema else "None"
    says = _sentence(operation.get("summary") or operation.get("description", "").split("\n\n")[0]) or name
    star = ", *, " if arguments else ""
    prefix, wait = ("async ", "await ") if is_async else ("", "")
    call = f"{wait}self._call({', '.join(sent)})"
    lines = [
        f"    {prefix}def {name}(self{star}{', '.join(arguments)}) -> {kind}:",
        f'        """{says}"""',
        f"        return cast({kind!r}, {call})" if schema else f"        {call}",
    ]
    return "\n".join(lines)


def _query_type(schema: Schema, shapes: Shapes) -> str:
    kind = shapes.of(schema, "Unused")
    # A comma list can be given as a list; a time as a datetime.
    if kind == "str":
        return "Text"
    return "Decimal | float" if kind == "Number" else kind


def made() -> dict[Path, str]:
    """Return what each file should hold."""
    document = yaml.safe_load(DOCUMENT.read_text())
    shapes = Shapes(document)
    classes = []
    for base, is_async, says in (
        ("Operations", False, "Every operation of the API, one method each."),
        ("AsyncOperations", True, "Every operation of the API, one coroutine each."),
    ):
        lead = f'class {base}:\n    """{says}"""\n\n    if TYPE_CHECKING:\n\n'
        prefix = "async " if is_async else ""
        lead += f"        {prefix}def _call(self, method: str, path: str, **given: Any) -> Any: ...\n\n"
        methods = [
            _method(name, method, path, operation, shapes, is_async=is_async)
            for name, method, path, operation in operations(document)
        ]
        classes.append(lead + "\n\n".join(methods) + "\n")
    body = "\n\n".join(classes)
    used = [name for name in shapes.names() if name in body]
    head = (
        "from decimal import Decimal\nfrom typing import TYPE_CHECKING, Any, Literal, cast\n\n"
        f"from llm_observatory.shapes import ({', '.join([*used, 'Number'])})\n"
        "from llm_observatory.values import UNSET, Text, Unset, quoted\n\n\n"
    )
    files = {PACKAGE / "operations.py": NOTE + head + body, PACKAGE / "shapes.py": shapes.text()}
    return {path: _formatted(path, text) for path, text in files.items()}


def _formatted(path: Path, text: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    fixed = subprocess.run(
        [*ruff, "check", "--quiet", "--fix-only", "--select", "F401,I,UP037", "--stdin-filename", str(path), "-"],
        input=text, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return subprocess.run(
        [*ruff, "format", "--quiet", "--stdin-filename", str(path), "-"],
        input=fixed, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 4 when a file is out of date")
    check = parser.parse_args().check
    stale = {path: text for path, text in made().items() if not path.is_file() or path.read_text() != text}
    if check:
        for path in stale:
            print(f"{path} is out of date: run `python clients/python/generate.py`.", file=sys.stderr)
        return 4 if stale else 0
    for path, text in stale.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
