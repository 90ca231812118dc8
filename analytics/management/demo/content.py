"""Chooses what a demo session is about and fills its slots, so that no two sessions say quite the same."""

from random import Random
from string import Template

from analytics.management.demo.topics import TOPICS, Topic

SLOTS: dict[str, tuple[str, ...]] = {
    "product": (
        "AX-200 router",
        "Nimbus speaker",
        "Lumen desk lamp",
        "PolarVac robot",
        "Orbit smart lock",
        "T3 heater",
    ),
    "city": ("Leipzig", "Lyon", "Porto", "Gdańsk", "Osaka", "Utrecht", "Bristol", "Turin"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "amount": ("19.90", "49.00", "89.50", "129.00", "249.99"),
    "year": ("2023", "2024", "2025", "2026"),
}
OPENINGS: dict[str, tuple[str, ...]] = {
    "en": ("", "", "Hi, ", "Hello! ", "Quick question: "),
    "de": ("", "", "Hallo, "),
    "ja": ("", "すみません。"),
    "zh": ("", "你好，"),  # noqa: RUF001 - Chinese punctuation is meant
}


def pick_topic(rng: Random, project: str) -> Topic:
    """Return a topic of `project`, by weight."""
    topics = [topic for topic in TOPICS if topic.project == project]
    return rng.choices(topics, [topic.weight for topic in topics])[0]


def pick_slots(rng: Random, topic: Topic) -> dict[str, str]:
    """Return one value for every slot that texts and tools may have."""
    slots = {name: rng.choice(values) for name, values in SLOTS.items()}
    return slots | {
        "order": f"A{rng.randrange(10**6, 10**7)}",
        "number": str(rng.randrange(1000, 9999)),
        "urgency": str(rng.randint(1, 3)),
        "subject": topic.subject,
    }


def fill(text: str, slots: dict[str, str]) -> str:
    """Return `text` with its `$slots` filled; every slot must be known."""
    return Template(text).substitute(slots)
