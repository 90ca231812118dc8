"""Who talks when: sessions of end users, cut into turns; each turn becomes one trace."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from analytics.management.demo.content import OPENINGS, fill, pick_slots, pick_topic
from analytics.management.demo.rhythm import SECOND_NS, start_times
from analytics.management.demo.shapes import CHANNELS, ENVIRONMENTS, PROJECTS, SHAPES, Shape
from analytics.management.demo.topics import Exchange, Topic

# The n-th end user is seen about 1/n as often as the first (Zipf).
USER_WEIGHTS = tuple(1 / (rank + 3) ** 0.9 for rank in range(300))
PROJECT_WEIGHTS = (65, 35)  # of PROJECTS
MORE_TURNS = 0.58  # chance that a session goes on after a turn
MAX_TURNS = 8
PAUSE_S = (25.0, 240.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation of one user with one service about one topic."""

    session_id: str
    user_id: str
    shape: Shape
    topic: Topic
    slots: dict[str, str]
    opening: str
    environment: str
    channel: str

    def exchange(self, turn: int) -> Exchange:
        """Return question and answer of a turn; a session longer than its topic begins again."""
        question, answer = self.topic.exchanges[turn % len(self.topic.exchanges)]
        opening = self.opening if turn == 0 else ""
        return opening + fill(question, self.slots), fill(answer, self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question of a session, asked at `start_ns`; the first has number 0."""

    session: Session
    number: int
    start_ns: int


def schedule(rng: Random, *, days: int, turns: int, end: datetime) -> list[Turn]:
    """Return `turns` turns of the `days` before `end`, by their start."""
    lengths = _lengths(rng, turns)
    starts = start_times(rng, begin=end - timedelta(days=days), end=end, count=len(lengths))
    found = [turn for length, start in zip(lengths, starts, strict=True) for turn in _turns(rng, length, start)]
    return sorted(found, key=lambda turn: turn.start_ns)


def _lengths(rng: Random, turns: int) -> list[int]:
    lengths = []
    while turns > 0:
        length = 1
        while length < min(MAX_TURNS, turns) and rng.random() < MORE_TURNS:
            length += 1
        lengths.append(length)
        turns -= length
    return lengths


def _turns(rng: Random, length: int, start_ns: int) -> Iterator[Turn]:
    session = _session(rng)
    for number in range(length):
        yield Turn(session=session, number=number, start_ns=start_ns)
        start_ns += int(rng.uniform(*PAUSE_S) * SECOND_NS)


def _session(rng: Random) -> Session:
    (project,) = rng.choices(PROJECTS, PROJECT_WEIGHTS)
    shapes = [shape for shape in SHAPES if shape.project == project]
    (shape,) = rng.choices(shapes, [shape.weight for shape in shapes])
    topic = pick_topic(rng, project)
    return Session(
        session_id=f"sess_{rng.getrandbits(64):016x}",
        user_id=_user(rng),
        shape=shape,
        topic=topic,
        slots=pick_slots(rng, topic),
        opening=rng.choice(OPENINGS[topic.language]),
        environment=_by_weight(rng, ENVIRONMENTS),
        channel=_by_weight(rng, CHANNELS),
    )


def _user(rng: Random) -> str:
    (rank,) = rng.choices(range(len(USER_WEIGHTS)), USER_WEIGHTS)
    return f"user_{hashlib.sha256(str(rank).encode()).hexdigest()[:8]}"


def _by_weight(rng: Random, choices: tuple[tuple[str, float], ...]) -> str:
    return rng.choices([name for name, _ in choices], [weight for _, weight in choices])[0]
