import re
from html import unescape

import pytest
from django.test import Client

from observatory.manual import FOLDER, SECTIONS, address_of, pages

FILES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.md"))


def get(path, **headers):
    return Client(headers=headers).get(path)


def test_every_file_is_a_page_and_in_the_list():
    listed = re.findall(r'href="/docs/([^"]+)"', get("/docs").content.decode())

    assert (sorted(pages()), sorted(set(listed))) == (FILES, FILES)


@pytest.mark.parametrize("place", FILES)
def test_a_page_is_shown_with_its_title_and_leads_only_to_what_there_is(place):
    reply = get(f"/docs/{place}")
    text = reply.content.decode()

    assert (reply.status_code, f"<title>{pages()[place].title}" in unescape(text)) == (200, True)
    for target in re.findall(r'href="([^"]+)"', pages()[place].html):
        path, _, anchor = unescape(target).partition("#")
        if path.startswith("/docs/"):
            assert path.removeprefix("/docs/") in pages()
            assert not anchor or f'id="{anchor}"' in pages()[path.removeprefix("/docs/")].html
        elif not path:
            assert f'id="{anchor}"' in pages()[place].html


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("prices.md", "/docs/how-to/prices"),
        ("../reference/series.md#http", "/docs/reference/series#http"),
        ("#here", "#here"),
        ("https://example.com/a.md", "https://example.com/a.md"),
        ("../../README.md", "/docs"),
        ("../adr/", "/docs#adr"),
    ],
)
def test_links_between_files_become_links_between_pages(target, address):
    assert address_of(target, "how-to/export") == address


@pytest.mark.parametrize("place", ["none", "how-to/none", "how-to/../../etc/passwd", "how-to/export.md"])
def test_a_place_without_a_page_is_a_page_that_says_so(place):
    reply = get(f"/docs/{place}")

    assert (reply.status_code, reply["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_search_finds_pages_that_hold_every_word():
    text = get("/docs?q=PARQUET+export").content.decode()

    assert "/docs/how-to/export" in text
    assert "/docs/how-to/sign-requests" not in re.sub(r"<header>.*?</header>", "", text, flags=re.DOTALL)


def test_what_is_searched_is_shown_as_text():
    text = get("/docs?q=<script>alert(1)</script>").content.decode()

    assert ("<script>" in text, "&lt;script&gt;" in text) == (False, True)


def test_pages_ask_nothing_of_another_host_and_run_no_script():
    text = get("/docs/how-to/export").content.decode()

    assert re.findall(r'<script|src="|url\(', text) == []
    assert re.findall(r'<link[^>]+href="(?!/static/)', text) == []


def test_a_page_that_is_known_is_not_sent_again():
    first = get("/docs/how-to/export")

    assert get("/docs/how-to/export", **{"If-None-Match": first["ETag"]}).status_code == 304


def test_every_folder_of_the_documentation_is_a_section():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(SECTIONS)
