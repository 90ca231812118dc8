"""Rows without a vector are looked over for pieces of words first: none that answers may be left out."""

import re

import pytest
from django.db import connection

from analytics.queries.filters.compiling import HAS_A_PIECE, pattern_of
from analytics.queries.filters.questions import pieces_of
from observatory.env import BASE_DIR

ENDINGS = [
    "",
    "s",
    "es",
    "ed",
    "ing",
    "ings",
    "er",
    "ers",
    "ly",
    "ness",
    "fulness",
    "ousness",
    "iveness",
    "ational",
    "ation",
    "ator",
    "alism",
    "ality",
    "ously",
    "ivity",
    "bility",
    "bly",
    "ably",
    "ology",
    "ful",
    "lessly",
    "less",
    "tional",
    "ence",
    "ancy",
    "able",
    "ization",
    "ize",
    "icate",
    "icity",
    "ical",
    "ment",
    "ent",
    "ism",
    "ate",
    "ity",
    "ous",
    "ive",
    "ion",
    "ying",
    "ies",
    "ied",
    "y",
    "ie",
    "e",
    "eed",
    "eedly",
    "edly",
    "ingly",
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("'refund'", ("refun",)),
        ("'happi' | 'happy'", ("happ",)),
        ("'possibl'", ("possib",)),
        ("'possible'", ("possib",)),
        ("'vie' | 'vying'", ("v", "vyin")),
        ("'ab' & 'wonderful'", ("wonderfu",)),
        ("'ab' <-> 'wonderful' & 'of'", ("wonderfu",)),
        ("( 'red' | 'green' ) & 'of'", ("re", "gree")),
        ("'red' | !'green'", ()),
        ("'red' & !( 'green' & 'blue' )", ("re",)),
        ("!'red'", ()),
        ("'a'", ()),
        ("'red':A & 'green':*AB", ("gree",)),
        ("'it''s' & 'x'", ("it'",)),
        ("'back\\\\slash'", ("back\\slas",)),
    ],
)
def test_a_question_needs_one_of_the_pieces_of_its_rarest_part(query, expected):
    assert pieces_of(query) == expected


def test_the_piece_of_a_stem_is_in_every_word_of_that_stem(db):
    text = " ".join(page.read_text() for page in sorted((BASE_DIR / "docs").rglob("*.md")))
    roots = sorted(set(re.findall(r"[a-z]{2,}", text.lower())))
    words = [root + ending for root in roots for ending in ENDINGS]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT word, quote_literal(stem) FROM (
                SELECT word, (ts_lexize('english_stem', word))[1] AS stem FROM unnest(%s::text[]) AS given (word)
            ) AS stemmed WHERE stem IS NOT NULL
            """,
            [words],
        )
        stemmed = cursor.fetchall()

    assert len(stemmed) > len(words) / 2
    assert [(word, stem) for word, stem in stemmed if not any(piece in word for piece in pieces_of(stem) or [""])] == []


@pytest.mark.parametrize(
    ("text", "piece", "expected"),
    [
        ("ÉCOLE", "écol", True),  # by the dictionaries alone: the collation below knows no É
        ("the Refund", "refun", True),
        ("100%_OFF", "100%_of", True),
        ("100 OFF", "100%_of", False),
        ("ΑΒ.Σ1", "σ", True),
        ("ΑΒ.ς1", "σ", True),
        ("Straße", "strass", False),
        (None, "a", None),
    ],
)
def test_pieces_are_looked_for_in_the_lower_case_of_words_and_in_that_of_the_database(db, text, piece, expected):
    looked_for = HAS_A_PIECE.format(text="given.text", patterns="%(patterns)s")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {looked_for} FROM (SELECT %(text)s::text COLLATE "C" AS text) AS given""",
            {"text": text, "patterns": [pattern_of(piece)]},
        )
        assert cursor.fetchone() == (expected,)
