"""Search vectors are made behind, in portions that can be repeated, and before a day is compressed."""

import importlib
from datetime import timedelta

import pytest
from django.db import connection, transaction

from analytics import jobs
from analytics.queries.filters.document import read_filter
from analytics.queries.filters.questions import question_of
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.values import Limits
from analytics.queries.snapshots import snapshot
from analytics.queries.spans import Spans, count_spans
from analytics.queries.timerange import TimeRange
from analytics.storage import searches
from analytics.storage.partitions import ensure_days
from analytics.storage.spans import are_arriving
from tests.analytics.storage.conftest import DAY, NOON, NOON_NS, insert_rows

pytestmark = pytest.mark.usefixtures("drop_day")
ROWS = 7
WHERE = TimeRange(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1))


def row_of(organisation, number, text):
    return {
        "organisation_id": organisation,
        "project_id": organisation,
        "ts": NOON_NS + number,
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "ingested_at": NOON_NS,
        "duration_ms": 1,
        "usage_counted": True,
        "call_counted": True,
        "span_name": "chat",
        "span_kind": "client",
        "status_code": "OK",
        "input_text": text,
    }


@pytest.fixture
def stored(committed):
    """The number of a project with seven texts of 'word0' to 'word6', and one span without any."""
    (organisation,) = committed.projects
    ensure_days([DAY])
    insert_rows(
        [row_of(organisation, number, f"word{number}" if number < ROWS else None) for number in range(ROWS + 1)]
    )
    return organisation


def with_vectors(organisation):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT input_text FROM llm_contents WHERE organisation_id = %s AND search_vector IS NOT NULL ORDER BY 1",
            [organisation],
        )
        return [text for (text,) in cursor.fetchall()]


def found(scope, word, field="content"):
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=NOON)
    node = read_filter({"field": field, "operator": "search", "value": word}, limits=limits)
    with snapshot():
        read = searches_of(node, scope=scope, where=WHERE)
        return count_spans(Spans(scope=scope, range=WHERE, filter=node, searches=read)), read.tail is not None


def test_vectors_are_made_in_portions_the_newest_first_until_none_is_missing(stored, monkeypatch):
    monkeypatch.setattr(searches, "BATCH_ROWS", 3)
    made, known = [], []
    for _ in range(4):
        made.append(searches.make_vectors(of=DAY))
        known.append(with_vectors(stored))
    words = [f"word{number}" for number in range(ROWS)]
    assert (made, known) == ([3, 3, 1, 0], [words[4:], words[1:], words, words])


def test_a_portion_that_breaks_off_is_made_again(stored):
    with transaction.atomic():
        searches.make_vectors(of=DAY)
        transaction.set_rollback(True)
    assert with_vectors(stored) == []
    assert searches.make_vectors(of=DAY) == ROWS


def test_another_project_finds_nothing_and_the_tail_ends_with_the_work(stored, committed):
    before = found(committed, "word3")
    searches.make_vectors(of=DAY)
    assert (before, found(committed, "word3")) == ((1, True), (1, False))


def test_the_job_makes_what_is_missing_and_tells_how_far_it_is_behind(stored):
    assert searches.oldest_unsearchable() is not None
    assert jobs.search() >= ROWS
    assert (len(with_vectors(stored)), searches.oldest_unsearchable()) == (ROWS, None)


def test_spans_are_arriving_while_a_session_copies_them_in(stored):
    other = connection.copy()
    try:
        with other.cursor() as cursor, cursor.copy("COPY llm_contents (organisation_id) FROM STDIN"):
            during = are_arriving()
        after = are_arriving()
    finally:
        other.close()
    assert (during, after) == (True, False)


def test_other_sessions_see_a_search_that_reads_texts_until_its_transaction_ends(stored, committed):
    with snapshot():
        found(committed, "word3")
        during = searches.are_read()
    searches.make_vectors(of=DAY)
    with snapshot():
        found(committed, "word3")
        by_vectors = searches.are_read()
    assert (during, by_vectors, searches.are_read()) == (True, False, False)


def test_a_search_that_reads_texts_keeps_the_name_by_which_its_connection_is_counted(stored, committed, owner):
    def named():
        process = connection.connection.info.backend_pid
        return owner.execute("SELECT application_name FROM pg_stat_activity WHERE pid = %s", [process]).fetchone()

    with snapshot():
        before = named()
        found(committed, "word3")
        assert (searches.are_read(), named()) == (True, before)


@pytest.mark.parametrize("are_read", [False, True])
def test_the_job_rests_while_spans_arrive_unless_searches_wait_for_it(stored, monkeypatch, are_read):
    rests = []
    monkeypatch.setattr(jobs, "are_arriving", lambda: True)
    monkeypatch.setattr(searches, "are_read", lambda: are_read)
    monkeypatch.setattr(jobs, "sleep", rests.append)

    assert jobs.search() >= ROWS
    assert (len(with_vectors(stored)), {rest > 0 for rest in rests}) == (ROWS, {not are_read})


@pytest.mark.parametrize(
    ("due", "found", "pauses"),
    [
        (1, [3, 0, 2, 0], [0.5, 0.5, 0.5]),  # the fourth is over its time
        (1, [0], []),  # where nothing arrives it waits until it is due again
        (0, [3, 0], [0]),  # by hand
        (1, [500, 0, 0], [0, 0.5]),
    ],
)
def test_the_job_follows_spans_that_arrive_until_it_is_due_again(db, monkeypatch, due, found, pauses):
    made, slept = iter(found), []
    monkeypatch.setattr(searches, "make_vectors", lambda: next(made))
    monkeypatch.setattr(jobs, "are_arriving", lambda: False)
    monkeypatch.setattr(searches, "are_read", lambda: False)
    monkeypatch.setattr(jobs, "sleep", slept.append)
    now = iter([0.0, *[0.0, 1.0] * (len(found) - 1), 0.0, 11.0])
    monkeypatch.setattr(jobs, "monotonic", lambda: next(now))

    assert (jobs.search(due), [*made], slept) == (sum(found), [], pauses)


def is_kept(committed, text, *, through):
    """Return whether a text keeps the vector that it has now when the vectors of a migration are forgotten."""
    (organisation,) = committed.projects
    ensure_days([DAY])
    insert_rows([row_of(organisation, 1, text)])
    searches.make_vectors(of=DAY)
    with connection.cursor() as cursor:
        cursor.execute(importlib.import_module(f"analytics.migrations.{through}").FORGET)
    return with_vectors(organisation) == [text]


@pytest.mark.parametrize(
    ("text", "forgotten"),
    [
        ("call MyClass.method", True),
        ("at app/fooBar.py", True),
        ("HTTPServer-error", True),
        ("userId=5", True),
        ("word " * 4000, True),
        ("文章" * 2001, True),
        ("parse_json and fooBar", False),
        ("word " * 3000, False),
        ("some.plain_words, 文章", False),
        ("fooBar (bazQux) iPhone", False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_vectors_that_lack_words_of_identifiers_are_made_anew(committed, text, forgotten):
    assert is_kept(committed, text, through="0031_identifiers") is not forgotten


@pytest.mark.parametrize(
    ("text", "forgotten"),
    [
        ("word " * 300, True),
        ("word " * 100 + "more", False),
        ("x" * 10_001, True),
        ("文章" * 2001, True),
        ("two words", False),
    ],
    ids=lambda value: str(value)[:9],
)
def test_vectors_that_do_not_say_what_they_lack_are_made_anew(committed, text, forgotten):
    assert is_kept(committed, text, through="0033_phrases") is not forgotten


# What stands in which texts, the input and the output of a span, and what does not although its words do: behind more
# places of a word than a vector keeps, and farther behind than it counts.
LONG = {
    "often": (("user_id " * 300 + "user_zeta", None), ["user_zeta", '"id user zeta"'], ["zeta_user", '"user id zeta"']),
    "stems": (
        ("an error came. " * 300 + "Fatal errors happened", None),
        ['"error happens"', '"errors happened"', '"an error came"'],
        ['"happened error"', '"came happened"'],
    ),
    "chinese": (("我们去。" * 300 + "我们的", None), ["我们的", "的"], ["的我们"]),
    "apart": (("alpha w " + "w " * 7800 + "beta " * 300, None), ["alpha_w", "w_beta"], ["alpha_beta", '"alpha beta"']),
    "denied": (
        ("alpha w " + "w " * 7800 + "beta " * 300, None),
        ['alpha -"alpha beta"', "alpha -beta_alpha"],
        ["alpha -w_beta", 'alpha -"w beta"'],
    ),
    "far": (
        ("w " * 20_000 + "the MyClass.method of zeta_end", None),
        ["zeta_end", "myclass.method", "MyClass.method", '"the my class method"'],
        ["end_zeta", "method.myclass", "myclass.zeta"],
    ),
    "output": (
        ("w " * 20_000 + "inner", "the MyClass.method of zeta_end"),
        ["zeta_end", "myclass.method", "inner -the_inner"],
        ["end_zeta", '"inner the"', "method.myclass"],
    ),
    "japanese": (
        ("天地玄黄宇宙洪荒" * 2000 + "日本語の終わり", None),
        ["日本語の", "終"],
        ["日本の", "語日"],
    ),
    "one word": (("x" * 40_000 + " an open end", None), ['"open end"'], ['"end open"']),
}


@pytest.mark.parametrize("made", [False, True], ids=["before the vectors", "with the vectors"])
@pytest.mark.parametrize("name", LONG)
def test_phrases_are_found_wherever_in_a_long_text_they_stand_and_nowhere_else(committed, name, made):
    (organisation,) = committed.projects
    (asked, answered), there, absent = LONG[name]
    ensure_days([DAY])
    insert_rows([row_of(organisation, 1, asked) | {"output_text": answered}])
    if made:
        searches.make_vectors(of=DAY)
    assert {word: found(committed, word)[0] for word in [*there, *absent]} == (
        dict.fromkeys(there, 1) | dict.fromkeys(absent, 0)
    )


def test_the_output_is_searched_alone_behind_an_input_that_has_its_words_too_often(committed):
    (organisation,) = committed.projects
    ensure_days([DAY])
    insert_rows([
        row_of(organisation, 1, "beta " * 300) | {"output_text": "so beta ends"},
        row_of(organisation, 2, "beta " * 300) | {"output_text": "so it ends"},
        row_of(organisation, 3, "beta " * 20_000) | {"output_text": "so beta ends"},
    ])  # fmt: skip
    searches.make_vectors(of=DAY)
    asked = ["beta", "so_beta", "so -beta", 'so -"beta ends"', "beta_beta"]
    assert [found(committed, word, field="output_text")[0] for word in asked] == [2, 2, 1, 1, 0]
    assert [found(committed, word, field="input_text")[0] for word in ["beta", "so", "beta_beta"]] == [3, 0, 3]


def test_only_questions_of_words_with_places_that_a_vector_lacks_read_texts(committed):
    (organisation,) = committed.projects
    ensure_days([DAY])
    insert_rows([row_of(organisation, 1, "often " * 300 + "two words")])
    searches.make_vectors(of=DAY)
    read = [question_of(query, weights="AB").reading for query in ("'two' <-> 'words'", "'often' <-> 'two'")]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT search_vector @@ %s::tsquery, search_vector @@ %s::tsquery FROM llm_contents"
            " WHERE organisation_id = %s",
            [*(one.lacking for one in read), organisation],
        )
        assert cursor.fetchone() == (False, True)
    assert question_of("'two' & 'words' & !'often'", weights="AB").reading is None
