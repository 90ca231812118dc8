"""The name that was perhaps meant."""

import difflib
from collections.abc import Iterable


def hint(name: str, known: Iterable[str]) -> str:
    """Return a question after the name among `known` that `name` is most like, nothing where none is like it."""
    near = difflib.get_close_matches(name[:100], list(known), n=1)
    return f"did you mean {near[0]}? " if near else ""
