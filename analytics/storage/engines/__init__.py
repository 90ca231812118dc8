"""The engines behind one small interface: TimescaleDB, and PostgreSQL without it."""

from analytics.storage.engines.detection import engine
from analytics.storage.engines.interface import RELATIONS, Engine, NotOnThisEngineError, State, StoredDay

__all__ = ["RELATIONS", "Engine", "NotOnThisEngineError", "State", "StoredDay", "engine"]
