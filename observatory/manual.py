"""The documentation, served at /docs: the Markdown files of `docs/` as pages, their links leading to one another."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from errors.catalog import RESOURCE_NOT_FOUND
from errors.exceptions import ApiError
from observatory.env import BASE_DIR
from observatory.pages.errors import error_page

FOLDER = BASE_DIR / "docs"
SECTIONS: Mapping[str, str] = {
    "tutorial": "Begin",
    "how-to": "How to",
    "explanation": "How it works, and why",
    "reference": "Look it up",
    "adr": "Decisions",
}
_CACHED = {"Cache-Control": "public, max-age=3600", "Vary": "Accept, Accept-Encoding"}
_MOST_FOUND, _MOST_WORDS, _AROUND = 30, 16, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file: its place (`how-to/export`), its title, its body as HTML, its words as they are shown when found.

    The search compares `folded`.
    """

    place: str
    title: str
    html: str
    words: str
    folded: str

    @property
    def section(self) -> str:
        return self.place.partition("/")[0]


@cache
def pages() -> Mapping[str, Page]:
    """Return place -> page of every file, in the order of the sections and of the titles."""
    found = [_page(path) for section in SECTIONS for path in (FOLDER / section).glob("*.md")]
    ranks = {section: rank for rank, section in enumerate(SECTIONS)}
    ordered = sorted(found, key=lambda page: (ranks[page.section], page.section == "adr" or page.title, page.place))
    return {page.place: page for page in ordered}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Answer with the list of pages, or with those that hold every word of `q`."""
    words = list(dict.fromkeys(request.GET.get("q", "").split()))[:_MOST_WORDS]
    shown = {"sections": _sections(), "q": " ".join(words), "found": [*_search(words)] if words else None}
    return _answer(request, "manual/index.html", shown)


@require_safe
def page(request: HttpRequest, place: str) -> HttpResponse:
    """Answer with one page; 404 for a place without one."""
    found = pages().get(place)
    if found is None:
        request.error_page = partial(error_page, request)  # type: ignore[attr-defined]  # `errors` asks for it by this name
        raise ApiError(RESOURCE_NOT_FOUND, details=place[:200])
    return _answer(request, "manual/page.html", {"page": found, "sections": _sections()})


def _answer(request: HttpRequest, template: str, shown: Mapping[str, Any]) -> HttpResponse:
    response = render(request, template, dict(shown))
    for name, value in _CACHED.items():
        response[name] = value
    return response


def _sections() -> list[tuple[str, list[Page]]]:
    return [
        (title, [page for page in pages().values() if page.section == section]) for section, title in SECTIONS.items()
    ]


def _search(words: list[str]) -> Iterator[tuple[Page, str]]:
    """Yield pages that hold every word in any case, those with one in the title first, with the text around a word."""
    wanted = [word.casefold() for word in words]
    hits = [page for page in pages().values() if all(word in page.folded for word in wanted)]
    hits.sort(key=lambda page: not any(word in page.title.casefold() for word in wanted))
    for page in hits[:_MOST_FOUND]:
        at = page.folded.find(wanted[0])
        yield page, page.words[max(0, at - _AROUND) : at + _AROUND]


def _page(path: Path) -> Page:
    place = str(PurePosixPath(path.relative_to(FOLDER)).with_suffix(""))
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(re.sub(r"^<!--.*?-->\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
    title = next(tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open")
    _name_headings(tokens)
    _lead_links(tokens, place)
    text = " ".join(token.content for token in tokens if token.type in ("inline", "fence"))
    words = " ".join(re.sub(r"[`*]|\]\([^)]*\)", "", text).replace("[", "").split())
    return Page(
        place=place,
        title=title.replace("`", ""),
        html=_scrolling(markdown.renderer.render(tokens, markdown.options, {})),
        words=words,
        folded=words.casefold(),
    )


def _name_headings(tokens: list[Token]) -> None:
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slugify(tokens[at + 1].content))


def _lead_links(tokens: list[Token], place: str) -> None:
    """Let links between files lead to their pages; one to a file that is no page becomes plain text."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                target = str(child.attrGet("href") or "")
                child.attrSet("href", address_of(target, place))


def address_of(target: str, place: str) -> str:
    """Return where a link of the page at `place` leads to on this site."""
    if re.match(r"[a-z]+:|#|/", target):
        return target
    path, mark, anchor = target.partition("#")
    resolved = normpath(str(PurePosixPath(place).parent / path)).removesuffix(".md")
    if resolved.startswith("../"):  # a file of the repository that is no page
        return "/docs"
    return f"/docs/{resolved}{mark}{anchor}" if "/" in resolved else f"/docs#{resolved}"


def _scrolling(html: str) -> str:
    """Let wide tables scroll in themselves, so that the page does not."""
    opened = '<div class="wide" tabindex="0" role="region" aria-label="table"><table>'
    return html.replace("<table>", opened).replace("</table>", "</table></div>")
