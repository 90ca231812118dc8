"""Full text through HTTP: what is found before and after the vectors, in which order, and what is marked."""

import pytest

from analytics.storage.searches import make_vectors
from tests.analytics.api.asking import LIST, leaf, names, talk


@pytest.fixture
def talks(send):
    send(
        talk("refund", "Where is the refund for order 17?", "The refunds were sent."),
        talk("stack", "handleUserLogin failed in auth_service.py with HTTPServerError"),
        talk("east", "日本語の文章を処理する", "한국어 문장"),
        talk("html", "<b>refund</b> & more", "nothing here"),
    )


@pytest.mark.parametrize("built", [False, True], ids=["before the vectors", "with the vectors"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("refund", {"refund", "html"}),
        ("refunding", {"refund", "html"}),
        ('"refund for order"', {"refund"}),
        ('"order refund"', set()),
        ("refund -order", {"html"}),
        ("refund OR login", {"refund", "html", "stack"}),
        ("user login", {"stack"}),
        ("handleuserlogin", {"stack"}),
        ("auth_service", {"stack"}),
        ("http_server", {"stack"}),
        ("文章", {"east"}),
        ("語", {"east"}),
        ("章文", set()),
        ("한국어", {"east"}),
        ("17", {"refund"}),
        ("the refund", {"refund", "html"}),
        ("the", {"refund"}),
        ('"the refund for"', {"refund"}),
        ("refund login OR 文章", {"east"}),
        ("refund OR login -html", {"refund", "html", "stack"}),
    ],
)
def test_full_text_is_found_at_once_and_the_same_later(api, talks, query, expected, built):
    if built:
        make_vectors()
    assert set(names(api.get(LIST, {"search": query}))) == expected


CODE = {
    "method": "call MyClass.method now",
    "snake": "in utils.parse_json here",
    "camel": "in utils.parseJSON here",
    "http": "getHTTPResponse failed",
    "kebab": "the kebab-case-name of it",
    "path": "at /srv/myApp/fooBar.py line 3",
    "windows": r"at C:\Users\JaneDoe\x.txt",
    "json": '{"customerName":"x","order_id":5}',
    "cpp": "std::MyVec::pushBack threw",
    "version": "python3.11 of 1.2.3",
    "two": "first fooBar then bazQux",
    "says nothing": "we get a valid bread",
    "get_all": "get_all and is_valid",
}
CODE_QUESTIONS = {
    "MyClass.method": {"method"},
    "myclass.method": {"method"},
    "MYCLASS.METHOD": {"method"},
    "my_class.method": {"method"},
    "myclass": {"method"},
    "method": {"method"},
    "method.MyClass": set(),
    '"call myclass"': set(),
    '"call MyClass.method"': {"method"},
    "utils.parse_json": {"snake", "camel"},
    "Utils.Parse_JSON": {"snake", "camel"},
    "UTILS.PARSEJSON": {"camel"},
    "utils.parsejson": {"camel"},
    "parseJson": {"snake", "camel"},
    "parsejson": {"camel"},
    "parse_json": {"snake", "camel"},
    "json parse": {"snake", "camel"},
    "json_parse": set(),
    "utils": {"snake", "camel"},
    "-utils.parsejson parse": {"snake"},
    "getHttpResponse": {"http"},
    "GETHTTPRESPONSE": {"http"},
    "http_response": {"http"},
    "Kebab-Case": {"kebab"},
    "kebabCaseName": {"kebab"},
    "case": {"kebab"},
    "/srv/myapp/foobar.py": {"path"},
    "MYAPP/FOOBAR.PY": {"path"},
    "foobar": {"path", "two"},
    "bar": {"path", "two"},
    r"c:\users\janedoe": {"windows"},
    "customername": {"json"},
    "customer_name": {"json"},
    "ORDER_ID": {"json"},
    "std::myvec::pushback": {"cpp"},
    "Python3.11": {"version"},
    "1.2": {"version"},
    "foobar.bazqux": set(),
    "get_all": {"get_all"},
    "is_valid": {"get_all"},
    "valid": {"get_all", "says nothing"},
}
EAST = {
    "japanese": "日本語の文章を処理する。",
    "chinese": "支付失败，请重试",
    "korean": "결제가 실패했습니다",
    "mixed": "日本語APIを使う",
    "chapter": "第3章节",
    "names": "佐々木さんのカタカナ",
}
EAST_QUESTIONS = {
    "語": {"japanese", "mixed"},
    "章": {"japanese", "chapter"},
    "문": set(),
    "패": {"korean"},
    "支": {"chinese"},
    "試": set(),
    "试": {"chinese"},
    "文章": {"japanese"},
    "章文": set(),
    "失败": {"chinese"},
    "결제": {"korean"},
    "カタ": {"names"},
    "タナ": set(),
    "日本語": {"japanese", "mixed"},
    "日本語API": {"mixed"},
    "APIを": {"mixed"},
    "語api": {"mixed"},
    "本API": set(),
    "3章": {"chapter"},
    "第3": {"chapter"},
    "佐々木": {"names"},
    '"결제가 실패했습니다"': {"korean"},
    '"실패 결제"': set(),
    '"失败，请重试"': {"chinese"},
    "支付 重试": {"chinese"},
    "支付 OR 文章": {"chinese", "japanese"},
    "日本語 -API": {"japanese"},
}


@pytest.mark.parametrize(
    ("texts", "questions"), [(CODE, CODE_QUESTIONS), (EAST, EAST_QUESTIONS)], ids=["code", "Chinese, Japanese, Korean"]
)
def test_identifiers_in_any_case_and_eastern_words_are_found_the_same_before_and_after(api, send, texts, questions):
    send(*(talk(name, text) for name, text in texts.items()))

    def found():
        return {asked: set(names(api.get(LIST, {"search": asked, "fields": "span_name"}))) for asked in questions}

    before = found()
    while make_vectors():
        pass
    assert (before, found()) == (questions, questions)


def test_output_is_searched_alone_as_content_is(search, send):
    send(talk("asked", "call MyClass.method 語の本", "-"), talk("told", "-", "call MyClass.method 語の本"))
    questions = ("myclass.method", "語", "の本", "MyClass")
    for _ in range(2):
        assert [names(search(leaf("output_text", "search", one))) for one in questions] == [["told"]] * 4
        make_vectors()


def test_a_field_can_be_searched_alone(search, talks):
    asked = [leaf(field, "search", "sent") for field in ("input_text", "output_text", "content")]
    assert [names(search(one)) for one in asked] == [[], ["refund"], ["refund"]]


def test_relevance_puts_the_input_before_the_output(search, send):
    send(talk("output", "hello", "the invoice"), talk("input", "the invoice", "hello"))
    reply = search(leaf("content", "search", "invoice"), sort_by="relevance", sort_desc=True)
    assert names(reply) == ["input", "output"]


def test_hits_are_marked_and_all_else_is_escaped(api, talks):
    reply = api.get(LIST, {"search": "refund order 文章", "q": "span_name:html OR span_name:east OR span_name:refund"})
    assert names(reply) == []
    reply = api.get(LIST, {"search": "refund", "include": "highlights", "sort_by": "relevance"})
    told = {one["span_name"]: one["highlights"] for one in reply.json()["data"]}
    assert told == {
        "refund": {
            "input_text": ["Where is the <mark>refund</mark> for order 17?"],
            "output_text": ["The <mark>refunds</mark> were sent."],
        },
        "html": {"input_text": ["&lt;b&gt;<mark>refund</mark>&lt;/b&gt; &amp; more"], "output_text": []},
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("文章", "日本語の<mark>文章</mark>を処理する"),
        ("語", "日本<mark>語</mark>の文章を処理する"),
        ("日本語の", "<mark>日本語の</mark>文章を処理する"),
        ("日本 処理", "<mark>日本</mark>語の文章を<mark>処理</mark>する"),
        ("handleuserlogin", "<mark>handleUserLogin</mark> failed in auth_service.py with HTTPServerError"),
        ("login", "handleUser<mark>Login</mark> failed in auth_service.py with HTTPServerError"),
        (
            "AUTH_SERVICE.PY",
            "handleUserLogin failed in <mark>auth</mark>_<mark>service</mark>.<mark>py</mark> with HTTPServerError",
        ),
        ("httpServerError", "handleUserLogin failed in auth_service.py with <mark>HTTPServerError</mark>"),
        (
            "the failing in login",
            "handleUser<mark>Login</mark> <mark>failed</mark> in auth_service.py with HTTPServerError",
        ),
        ('"failed in"', "handleUserLogin <mark>failed</mark> <mark>in</mark> auth_service.py with HTTPServerError"),
        ("login -refund", "handleUser<mark>Login</mark> failed in auth_service.py with HTTPServerError"),
    ],
)
def test_what_matched_is_marked(api, talks, asked, expected):
    (found,) = api.get(LIST, {"search": asked, "include": "highlights"}).json()["data"]
    assert found["highlights"]["input_text"] == [expected]
