"""Who listens, as the streams see them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from analytics.scope import Scope
from errors.exceptions import ApiError


class Listener(Protocol):
    """An authenticated caller: one organisation, its projects, its permissions, and until when the credential holds."""

    @property
    def organisation(self) -> UUID: ...

    @property
    def organisation_id(self) -> int: ...

    @property
    def permissions(self) -> frozenset[str]: ...

    @property
    def expires_at(self) -> float | None:
        """Epoch seconds."""

    @property
    def reaches_organisation(self) -> bool:
        """Whether no project of the organisation is beyond it; asks the database."""

    @property
    def rate_key(self) -> str: ...

    def scope(self, projects: Sequence[str] = ()) -> Scope:
        """Return the listener's scope narrowed to `projects` (UUIDs, slugs); raise 403/1101 for any beyond it."""


class Credential(Protocol):
    """What a listener showed; two that are the same are equal."""

    def __hash__(self) -> int: ...

    def listener(self) -> Listener:
        """Look the credential up as it is now; raise 401/1001-1004 when it is good no more."""

    def expired(self) -> ApiError:
        """Return what is said of it once its time is over: a token and a key are made anew in different places."""
