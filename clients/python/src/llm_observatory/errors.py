"""What a refused or failed call raises."""

from typing import Any

import httpx


class ObservatoryError(Exception):
    """The service's answer that is no success: its catalogue number, its sentence, and how to go on.

    `code` is 0 when there was no answer in the service's words, for example from a proxy.
    """

    def __init__(self, status: int, error: dict[str, Any], *, request_id: str = "", url: str = "") -> None:
        self.status = status
        self.code = int(error.get("code", 0))
        self.error_code = str(error.get("error_code", ""))
        self.message = str(error.get("message", f"HTTP {status}"))
        self.field = error.get("field")
        self.details = error.get("details")
        self.remediation = error.get("remediation")
        self.request_id = request_id
        self.documentation_url = url
        super().__init__(f"{self.message} [{self.code or self.status}]")


class ServiceAwayError(Exception):
    """No answer came, however often it was tried."""


class DigestError(Exception):
    """A downloaded file is not the one that the service made; it was removed."""


class RefusedError(Exception):
    """An answer that is no file, on its way to what decides whether it is asked for again."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__(reply.status_code)
        self.reply = reply
