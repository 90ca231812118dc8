"""Client of LLM Observatory."""

from llm_observatory.async_client import AsyncClient
from llm_observatory.client import Client
from llm_observatory.errors import DigestError, ObservatoryError, ServiceAwayError
from llm_observatory.flows import Event

__all__ = ["AsyncClient", "Client", "DigestError", "Event", "ObservatoryError", "ServiceAwayError"]
