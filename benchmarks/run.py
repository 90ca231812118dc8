"""What a run of the benchmarks was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.stores import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Numbers of spans, and the servers to measure on: the first is the embedded one, which Django uses."""

    sizes: Sequence[int]
    servers: Sequence[Server]
