"""HTML to Markdown, as a program: worker SECONDS FILE URL CHARSET FOLDER... (the folders that hold the libraries).

SECONDS: what the conversion may take; a page that is too large or too odd for that gives its words alone.

A program of its own, because a page can be made so that its parser takes minutes, and a child can be ended. Prints the
title on the first line, then the text. Nothing of the page is run, and nothing is fetched for it.
"""

from __future__ import annotations

import logging
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_DROPPED = (
    *("script", "style", "template", "svg", "canvas", "object", "embed", "applet", "iframe", "audio", "video"),
    *("select", "datalist", "dialog", "math", "head", "map", "progress", "meter"),
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?<![-\w])opacity\s*:\s*0(?:\.0*)?\s*(?:;|!|$)"
)
_BLANK_LINES = re.compile(r"\n{3,}")
_TITLE = 300


def main(arguments: Sequence[str]) -> int:
    seconds, file, url, charset, *folders = arguments
    # What the libraries remark about a page would stand in the middle of its text.
    logging.disable()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_slow)
    sys.path.extend(folders)
    with open(file, "rb") as source:
        title, text = to_text(source.read(), url, charset, float(seconds))
    sys.stdout.buffer.write(f"{title}\n{text}\n".encode("utf-8", "replace"))
    return 0


class TooSlow(Exception):
    pass


def _too_slow(number: int, frame: object) -> None:
    raise TooSlow


def to_text(data: bytes, url: str, charset: str, seconds: float) -> tuple[str, str]:
    from bs4 import BeautifulSoup, Comment, Tag

    # The charset of the header counts before that of the page, as in a browser.
    soup = BeautifulSoup(data, "lxml", from_encoding=charset or None)
    base = soup.find("base", href=True)
    if isinstance(base, Tag):
        url = urljoin(url, str(base["href"]))
    title = soup.find("title")
    words = " ".join(title.get_text().split())[:_TITLE] if title is not None else ""
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in list(soup.find_all(list(_DROPPED))) + list(soup.find_all(_is_hidden)):
        tag.decompose()
    _links(soup, url)
    return words, _BLANK_LINES.sub("\n\n", _markdown(soup, seconds)).strip()


def _is_hidden(tag: Tag) -> bool:
    """What a person who looks at the page would not see."""
    if tag.has_attr("hidden") or tag.name == "input":
        return True
    return _HIDDEN.search(str(tag.get("style", "")).casefold()) is not None


def _links(soup: BeautifulSoup, url: str) -> None:
    """Whole addresses, because the reader knows of no page that they are relative to; pictures by their words alone."""
    for link in soup.find_all("a", href=True):
        whole = _joined(url, str(link["href"]))
        if whole is None or whole == url:
            del link["href"]
        else:
            link["href"] = whole
    for picture in soup.find_all("img"):
        alt = " ".join(str(picture.get("alt", "")).split())
        picture.replace_with(f"[picture: {alt}]" if alt else "")


def _joined(base: str, href: str) -> str | None:
    try:
        whole = urljoin(base, href.strip()).partition("#")[0]
    except ValueError:
        return None
    return whole if whole.startswith(("http://", "https://")) and len(whole) < 2000 else None


def _markdown(soup: BeautifulSoup, seconds: float) -> str:
    from markdownify import MarkdownConverter

    make: Callable[..., Any] = MarkdownConverter
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return str(make(heading_style="atx", bullets="-", escape_misc=False).convert_soup(soup))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except (RecursionError, TooSlow):
        # Nested deeper than any real page, or larger; its words are still there.
        return "\n".join(_pieces(soup))


def _pieces(soup: BeautifulSoup) -> Iterator[str]:
    for text in soup.find_all(string=True):
        line = " ".join(str(text).split())
        if line:
            yield line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
