"""What a run of the benchmarks was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import DEFAULT
from benchmarks.stores import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Numbers of spans, and the servers to measure on: the first is the embedded one, which Django uses.

    `environments` is the folder of what others need to run; `users` and `minutes` are of the part `load`.
    """

    sizes: Sequence[int]
    servers: Sequence[Server]
    environments: Path = DEFAULT
    users: int = 100
    minutes: float = 5.0
    soak_minutes: float = 0.0
