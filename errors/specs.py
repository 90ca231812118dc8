"""What an error is: a number, a name, a status, texts for people, and the sentence that raising it fills in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from string import Formatter
from types import MappingProxyType


class Category(StrEnum):
    """Hundreds of the numbers: the category says what kind of thing went wrong."""

    AUTHENTICATION = "AUTHENTICATION"
    AUTHORIZATION = "AUTHORIZATION"
    VALIDATION = "VALIDATION"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    RATE_LIMIT = "RATE_LIMIT"
    DATABASE = "DATABASE"
    EXTERNAL = "EXTERNAL"
    TIMEOUT = "TIMEOUT"
    INTERNAL = "INTERNAL"


CODE_RANGES: Mapping[Category, range] = MappingProxyType(
    {category: range(1000 + 100 * place, 1100 + 100 * place) for place, category in enumerate(Category)}
)

# A reply of these statuses is of no use to a client without the header.
REQUIRED_HEADERS = MappingProxyType({401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSpec:
    """One row of the catalogue.

    `message` is a template with named parameters; `headers` go with every reply; `problem_type` is the URI of the
    problem+json form where a registered one fits better than the error's own page.
    """

    code: int
    error_code: str
    title: str
    category: Category
    status: int
    message: str
    meaning: str
    cause: str
    remedy: str
    retryable: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    problem_type: str = ""

    def __post_init__(self) -> None:
        required = REQUIRED_HEADERS.get(self.status)
        if required and required not in dict(self.headers):
            raise ValueError(f"{self.code}: a reply of status {self.status} needs the header {required}")

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the values that the sentence needs; raise `ValueError` for a template that does not parse."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.message) if name is not None)

    def saying(self, message: str) -> "ErrorSpec":
        """Return the same error with another sentence."""
        return replace(self, message=message)
