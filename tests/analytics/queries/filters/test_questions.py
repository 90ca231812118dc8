"""Rows without a vector are looked over for pieces of words first: none that answers may be left out."""

import re

import pytest
from django.db import connection

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
