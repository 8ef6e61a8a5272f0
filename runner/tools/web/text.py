"""What a fetched body is, and its text for a model."""

from __future__ import annotations

import codecs
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolError
from runner.tools.base import ToolContext
from runner.tools.media import media_of
from runner.tools.process import run_process
from runner.tools.threads import in_thread
from runner.tools.web import html_worker
from runner.tools.web.fetch import Fetched, has_wide_characters

SECONDS = 25.0
"""For making text of a page."""

PATIENCE = 10.0
"""Seconds after which the words of a page are enough."""

_OUTPUT = 12 * 1024 * 1024
_LIBRARIES = ("bs4", "lxml", "markdownify")
_THEIRS = ("soupsieve", "six", "typing_extensions")
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXTS = re.compile(
    r"text/.*|.*[/+](?:json|xml|yaml|x-yaml|toml|javascript|ecmascript|x-javascript|typescript|x-sh|sql|x-ndjson)"
    r"|application/(?:json.*|graphql|rtf|x-www-form-urlencoded|x-tex|x-httpd-php)|image/svg\+xml"
)
_KIND = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.ASCII | re.IGNORECASE)
# Codecs of Python that are no charsets of the web; some of them take minutes for a large input.
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "unicode_escape", "raw-unicode-escape", "undefined"})
_BEGINS_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """kind: "html", "text" or "media". media: what a body is that is not shown."""

    kind: str
    text: str = ""
    title: str = ""
    media: str = ""
    replaced: bool = False


async def page_text(ctx: ToolContext, page: Fetched, *, raw: bool) -> PageText:
    """raw: HTML as it was sent. Raises ToolError where a page cannot be made into text."""
    kind, charset = content_type(page.content_type)
    media = None if has_wide_characters(page.content_type) else media_of(page.body)
    if media is not None:
        return PageText(kind="media", media=media.described)
    is_html = kind in _HTML or (kind in ("", "application/octet-stream") and bool(_BEGINS_HTML.match(page.body[:1024])))
    if is_html and not raw and page.body.strip():
        # What is valid UTF-8 and says nothing else is that; guessing by statistics is for the rest.
        guess = charset or _declared(page.body) or ("utf-8" if _is_utf8(page.body) else "")
        return await _from_html(ctx, page, guess)
    if kind and not _TEXTS.fullmatch(kind) and not _is_utf8(page.body):
        return PageText(kind="media", media=f"a file of the type {kind}")
    text, replaced = await in_thread(lambda: decoded(page.body, charset or _declared(page.body)), name="tool-web")
    return PageText(kind="text", text=text, replaced=replaced)


def content_type(header: str) -> tuple[str, str]:
    """Media type and charset, each "" where it is not given or makes no sense."""
    kind = header.partition(";")[0].strip().lower()
    charset = _CHARSET.search(header)
    return kind if _KIND.fullmatch(kind) else "", _known(charset[1]) if charset is not None else ""


def _known(charset: str) -> str:
    name = charset.strip("\"' ").lower()
    try:
        known = codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):
        return ""
    return "" if known in _NO_CHARSETS or known.replace("_", "-") in _NO_CHARSETS else known


def _declared(data: bytes) -> str:
    found = re.search(
        rb"<\?xml[^>]{0,200}encoding=[\"']([\w.-]{1,40})|<meta[^>]{0,200}charset=[\"']?([\w.-]{1,40})", data[:2048]
    )
    return _known((found[1] or found[2]).decode("ascii", "ignore")) if found is not None else ""


def decoded(data: bytes, charset: str) -> tuple[str, bool]:
    """The text, by its byte order mark, its charset, as UTF-8; and whether bytes had to be replaced."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            data, charset = data[len(mark) :], name
            break
    for name in (charset, "utf-8") if charset else ("utf-8",):
        try:
            return data.decode(name), False
        except (UnicodeError, LookupError):
            continue
    try:
        text = data.decode(charset or "utf-8", "replace")
    except (UnicodeError, LookupError):
        text = data.decode("utf-8", "replace")
    return text, True


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True


async def _from_html(ctx: ToolContext, page: Fetched, charset: str) -> PageText:
    argv = [sys.executable, "-I", "-S", html_worker.__file__]
    folders = _library_folders()
    path = await in_thread(lambda: _kept(page.body), name="tool-web")
    try:
        ending = await run_process(
            [*argv, f"{PATIENCE:g}", path, page.url, charset, *folders],
            ctx,
            name="page to text",
            cwd=Path(path).parent,
            timeout=SECONDS,
            live=False,
            output_limit=_OUTPUT,
        )
    finally:
        os.unlink(path)
    if ending.timed_out or ending.exit_code != 0:
        why = f"not within {SECONDS:g} s" if ending.timed_out else ending.output.strip()[-300:]
        raise ToolError(f"The page came, but could not be made into text ({why}). raw=true shows it as it is.")
    title, _, text = ending.output.partition("\n")
    return PageText(kind="html", text=text.strip("\n"), title=title.strip())


def _kept(data: bytes) -> str:
    fd, path = tempfile.mkstemp(prefix="quarterdeck-page-", suffix=".html")
    with open(fd, "wb") as file:
        file.write(data)
    return path


def _library_folders() -> Sequence[str]:
    """Where the libraries of the worker are, which is started without its site."""
    found: dict[str, None] = {}
    for name in (*_LIBRARIES, *_THEIRS):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            if name in _THEIRS:
                continue
            raise ToolError(f"Making text of a page needs {name}, which is not installed. raw=true shows it as it is.")
        inside = spec.submodule_search_locations is not None
        found[str(Path(spec.origin).parent.parent if inside else Path(spec.origin).parent)] = None
    return list(found)
