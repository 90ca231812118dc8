"""Where the words of a question stand in a text: short fragments with the hits marked, all else escaped."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from django.db import connection

MOST_FRAGMENTS = 3
_AROUND, _LONGEST = 60, 240
_EAST = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_ELEMENT = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
# A word ends where its case changes, as in the stored vector; an eastern run is one.
_WORD = re.compile(rf"[{_EAST}]+|[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z{_EAST}]+|[A-Z]")
_IDENTIFIER = re.compile(rf"[^\W_{_EAST}]+")
_IS_EAST = re.compile(rf"[{_EAST}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of a question that shall be in the text: eastern runs as they are, others in lower case.

    Those of `alone` stand neither in a phrase nor in an identifier.
    """

    words: frozenset[str]
    alone: frozenset[str]
    runs: tuple[str, ...]


def asked_in(questions: Iterable[str]) -> Asked:
    """Return the words of full-text questions that are not denied by a minus."""
    found: list[str] = []
    alone: list[str] = []
    for question in questions:
        for minus, phrase, word in _ELEMENT.findall(question):
            if not minus and word != "OR":
                words = [*_WORD.findall(phrase or word), *_IDENTIFIER.findall(phrase or word)]
                (alone if word and len(set(words)) == 1 else found).extend(words)
    runs = tuple(sorted({word for word in [*found, *alone] if _IS_EAST.match(word)}, key=len, reverse=True))
    joined, single = (frozenset(word.lower() for word in words if not _IS_EAST.match(word)) for words in (found, alone))
    return Asked(words=joined | single, alone=single - joined, runs=runs)


def words_like(asked: Asked, texts: Iterable[str]) -> frozenset[str]:
    """Return the words of `texts` that the search takes for one of those asked: the same, or of the same stem.

    Words that say nothing in English count where they stand in a phrase or an identifier, or no other does.
    """
    known = sorted(
        {word.lower() for text in texts for pattern in (_WORD, _IDENTIFIER) for word in pattern.findall(text)}
    )
    if not known or not asked.words:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH given AS (
                SELECT word, ts_lexize('english_stem', word) AS stems,
                    ts_lexize('english_stem', word) = '{}' AND word = ANY(%(alone)s::text[]) AS says_nothing
                FROM unnest(%(asked)s::text[]) AS given (word)
            ), counted AS (
                SELECT word, stems FROM given
                WHERE NOT says_nothing OR NOT %(runs)s AND NOT EXISTS (SELECT FROM given WHERE NOT says_nothing)
            ), asked AS (
                SELECT coalesce(array_agg(word), '{}') AS words, (
                    SELECT coalesce(array_agg(stem), '{}') FROM counted CROSS JOIN LATERAL unnest(stems) AS stem
                ) AS stems FROM counted
            )
            SELECT known.word FROM unnest(%(known)s::text[]) AS known (word) CROSS JOIN asked
            WHERE known.word = ANY(asked.words) OR ts_lexize('english_stem', known.word) && asked.stems
            """,
            {"asked": sorted(asked.words), "alone": sorted(asked.alone), "runs": bool(asked.runs), "known": known},
        )
        return frozenset(word for (word,) in cursor.fetchall())


def fragments(text: str, *, hits: frozenset[str], runs: Sequence[str]) -> list[str]:
    """Return at most three fragments of `text`, those with the most different hits, in the order of the text."""
    found = _hits(text, hits, runs)
    windows: list[list[tuple[int, int]]] = []
    for hit in found:
        if windows and hit[1] - windows[-1][0][0] <= _LONGEST - _AROUND:
            windows[-1].append(hit)
        else:
            windows.append([hit])
    best = sorted(windows, key=lambda window: -len({text[start:end].lower() for start, end in window}))
    kept = sorted(best[:MOST_FRAGMENTS])
    return [_marked(text, window, before=_end_before(kept, place)) for place, window in enumerate(kept)]


def _hits(text: str, hits: frozenset[str], runs: Sequence[str]) -> list[tuple[int, int]]:
    found = [match.span() for match in _IDENTIFIER.finditer(text) if match[0].lower() in hits]
    found += [match.span() for match in _WORD.finditer(text) if match[0].lower() in hits]
    if runs:
        found += [match.span() for match in re.finditer("|".join(map(re.escape, runs)), text)]
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda hit: (hit[0], -hit[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def _end_before(windows: Sequence[Sequence[tuple[int, int]]], place: int) -> int:
    return windows[place - 1][-1][1] if place else 0


def _marked(text: str, window: Sequence[tuple[int, int]], *, before: int) -> str:
    start, end = max(before, window[0][0] - _AROUND), min(len(text), window[-1][1] + _AROUND)
    if start > before and (space := text.find(" ", start, window[0][0])) >= 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", window[-1][1], end)) >= 0:
        end = space
    pieces, place = [], start
    for first, last in window:
        pieces += [escape(text[place:first]), "<mark>", escape(text[first:last]), "</mark>"]
        place = last
    return "".join([*pieces, escape(text[place:end])])
