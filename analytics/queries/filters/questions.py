"""What a full-text question asks of vectors, and of texts where a vector has not kept all places of its words."""

import re
from dataclasses import dataclass

_WORD = r"'(?:[^'\\]|''|\\.)*'(?!')(?::\*?[A-D]*)?"
_PHRASE = re.compile(rf"{_WORD}(?: <-> {_WORD})*")
_PART = re.compile(rf"!\( (?:[^'()]|{_WORD})*\)|!{_WORD}|{_PHRASE.pattern}")
_PARTS_OF_WORD = re.compile(r"'((?:[^'\\]|''|\\.)*)'(?!')(:\*)?", flags=re.DOTALL)
_TOKEN, _ALL = re.compile(rf"{_WORD}|<->|[&|!()]"), frozenset({"&", "<->"})
_NOWHERE = "'no word'"  # a denied phrase says nothing of the words in it
# What `observatory_lacks` writes, and how much of a word.
_TOO_LONG, _OFTEN, _LONGEST = "'too long'", "often ", 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to answer from texts: for vectors that answer to `lacking`, by `question` over the places of `phrases`.

    `candidates` are the vectors that either answer themselves or need their text read.
    """

    lacking: str
    candidates: str
    phrases: tuple[str, ...]
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as the server reads it, a tsquery; and how texts answer it, where places of words matter.

    A text that answers has one of `pieces` in it, in any case; with none nothing can be said without reading it.
    """

    query: str
    pieces: tuple[str, ...] = ()
    reading: Reading | None = None

    @property
    def most_open(self) -> int:
        """Return of how many words at most a phrase has the beginning alone."""
        return 0 if self.reading is None else max(phrase.count("*") for phrase in self.reading.phrases)


def question_of(query: str, *, weights: str) -> Question:
    """Return the question that `query` is, in the classes `weights`.

    One of single words in all classes needs no places: a vector always answers it.
    """
    pieces = pieces_of(query)
    if weights == "AB" and " <-> " not in query:
        return Question(query=query, pieces=pieces)
    phrases = {phrase: place for place, phrase in enumerate(dict.fromkeys(_PHRASE.findall(query)))}
    lacking = " | ".join([_TOO_LONG, *dict.fromkeys(_often(word, prefix) for word, prefix in _words(query))])
    return Question(
        query=query,
        pieces=pieces,
        reading=Reading(
            lacking=lacking,
            candidates=f"({query}) & !({lacking}) | ({_PART.sub(_candidates, query)}) & ({lacking})",
            phrases=tuple(map(_written, phrases)),
            question=_PHRASE.sub(lambda found: f"'{phrases[found[0]]}'", query),
        ),
    )


def pieces_of(query: str) -> tuple[str, ...]:
    """Return pieces of words, one of which every text has that answers the tsquery; none where it has no such words."""
    return _either(list(reversed(_TOKEN.findall(query))))


def _either(rest: list[str]) -> tuple[str, ...]:
    """Read what `|` joins: a text has a piece of one of the parts, so each part must have some."""
    parts = [_all_of(rest)]
    while rest and rest[-1] == "|":
        rest.pop()
        parts.append(_all_of(rest))
    return tuple(dict.fromkeys(piece for part in parts for piece in part)) if all(parts) else ()


def _all_of(rest: list[str]) -> tuple[str, ...]:
    """Read what `&` and `<->` join: a text has a piece of each of the parts, the rarest is taken for the longest."""
    parts = [_one(rest)]
    while rest and rest[-1] in _ALL:
        rest.pop()
        parts.append(_one(rest))
    return max(parts, key=lambda pieces: min(map(len, pieces), default=0))


def _one(rest: list[str]) -> tuple[str, ...]:
    sign = rest.pop()
    if sign == "!":
        _one(rest)
        return ()
    if sign == "(":
        found = _either(rest)
        rest.pop()
        return found
    word = re.sub(r"(['\\])\1", r"\1", sign[1 : sign.rindex("'")])
    # The stem of a word is its beginning but for the end: `happi` of happy, `hope` of hoping, `vie` of vying.
    piece = word[:-2] if word.endswith(("ble", "ie")) else word[:-1]
    return (piece,) if piece else ()


def _words(query: str) -> list[tuple[str, str]]:
    return _PARTS_OF_WORD.findall(query)


def _often(word: str, prefix: str) -> str:
    return f"'{_OFTEN}{word[:_LONGEST]}'{prefix}"


def _candidates(found: re.Match[str]) -> str:
    """Return what vectors must have for their texts to be read: the words of a phrase, wherever they stand."""
    part = found[0]
    if part.startswith("!"):
        return _PHRASE.sub(lambda phrase: phrase[0] if _is_sure(phrase[0]) else _NOWHERE, part)
    words = [f"'{word}'{prefix}" for word, prefix in _words(part)]
    return f"({' & '.join(words)})"


def _is_sure(phrase: str) -> bool:
    return " <-> " not in phrase and not phrase.endswith(("A", "B"))


def _written(phrase: str) -> str:
    """Return the words of a phrase as texts are read. None has a sign in it, so a star says of which one goes on."""
    return f" {' '.join(word + ('*' if prefix else '') for word, prefix in _words(phrase))} "
