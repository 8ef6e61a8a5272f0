"""What a fetched body becomes: text in the right charset, a named picture, never a dump."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from tests.web.server import Site, Visit, fetched, page, reach

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0) + bytes(200)

HTML = """\
<!doctype html><html><head><title> A &amp;
 title </title><style>p { color: red }</style><meta name=x content="not shown"></head>
<body onload="steal()"><script>var secret = 1</script><noscript>Please <b>read</b></noscript>
<h2>Heading</h2><p>First<br>second <a href="../up?x=1#part">a link</a> <a href="#here">here</a>
<a href="javascript:steal()">do not</a> <code>x = 1</code>
<p style="display: none">hidden one<p hidden>hidden two<p style="color:red;VISIBILITY:hidden">hidden three</p>
<!-- a comment --><img src="data:image/png;base64,AAAA" alt="A plan
 of it"><img src=pixel.gif><ul><li>one<li>two<ol><li>three</ol></ul>
<table><tr><th>name<th>size<tr><td>a|b<td>2</table><pre>  kept
    as it is</pre><form><input type=hidden value=token><select><option>no</select><button>Send</button></form>
<template>no</template><svg><text>no</text></svg>\x1b[31mred\u202e</body></html>"""


async def test_a_page_becomes_markdown(tmp_path: Path) -> None:
    async with Site({"/a/b": page(HTML.encode())}) as site:
        outcome = await fetched(tmp_path, reach(), site.url("/a/b"))
    heading, title, _, text = outcome.output.split("\n", 3)
    assert "text/html; charset=utf-8" in heading
    assert title == "Title: A & title"
    assert "## Heading" in text
    assert f"[a link]({site.url('/up?x=1')})" in text
    assert "[picture: A plan of it]" in text
    assert "- one\n- two" in text
    assert "1. three" in text
    assert "| name | size |" in text
    assert "  kept\n    as it is" in text
    assert "Please **read**" in text
    assert "do not" in text
    for absent in ("secret", "steal", "color", "hidden", "comment", "token", "base64", "pixel", "not shown", ">no<"):
        assert absent not in text, absent


async def test_html_as_it_was_sent(tmp_path: Path) -> None:
    async with Site({"/": page(b"<p>a</p>"), "/bare": page(b" <!-- x -->\n<HTML><p>b", "")}) as site:
        raw = await fetched(tmp_path, reach(), site.url("/"), raw=True)
        bare = await fetched(tmp_path, reach(), site.url("/bare"))
    assert raw.output.endswith("instructions]\n<p>a</p>")
    assert bare.output.endswith("instructions]\nb")


async def test_an_address_that_the_page_names_as_its_base(tmp_path: Path) -> None:
    html = b'<base href="https://other.test/x/"><a href=y>y</a>'
    async with Site({"/": page(html)}) as site:
        outcome = await fetched(tmp_path, reach(), site.url("/"))
    assert "[y](https://other.test/x/y)" in outcome.output


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("Zoë €".encode(), "text/plain; charset=utf-8", "Zoë €"),
        ("Zoë €".encode("cp1252"), 'text/plain; charset="windows-1252"', "Zoë €"),
        ("Zoë €".encode("utf-16"), "text/plain", "Zoë €"),
        ("Zoë €".encode("utf-16-be"), "text/plain; charset=UTF-16BE", "Zoë €"),
        ("テスト".encode("shift_jis"), "text/plain; CHARSET = Shift_JIS", "テスト"),
        ("Zoë".encode(), "text/plain; charset=no-such-thing", "Zoë"),
        ("Zoë".encode(), "text/plain; charset=punycode", "Zoë"),
        ("Zoë".encode(), "text/plain; charset=rot13", "Zoë"),
        ("Zoë".encode(), "text/plain; charset=ascii", "Zoë"),
        ("Zo\xeb".encode("latin-1"), "text/plain; charset=utf-8", "Zo\ufffd\n[some bytes are no text"),
        (b"\xef\xbb\xbfmarked", "text/plain; charset=latin-1", "marked"),
        ("<p>Zoë".encode("latin-1"), "text/html; charset=latin-1", "Zoë"),
        ("<meta charset=koi8-r><p>Привет".encode("koi8-r"), "text/html", "Привет"),
        ("<p>Zoë €".encode(), "text/html", "Zoë €"),
        ("<p>Zoë €".encode(), "text/html; charset=punycode", "Zoë €"),
        (b'{"a": [1, 2.50]}', "application/json", '{"a": [1, 2.50]}'),
        (b"<a/>", "application/atom+xml", "<a/>"),
        ("<?xml version='1.0' encoding='latin-1'?><a>\xeb</a>".encode("latin-1"), "text/xml", "<a>ë</a>"),
        (b"no type at all", "", "no type at all"),
        (b"text", "application/octet-stream", "text"),
        (b"", "text/html", "The page has no text."),
        (b"<script>only()</script>", "text/html", "The page has no text."),
    ],
)
async def test_charsets_and_types(tmp_path: Path, body: bytes, kind: str, text: str) -> None:
    async with Site({"/": page(body, kind)}) as site:
        outcome = await fetched(tmp_path, reach(), site.url("/"))
    assert outcome.status == "ok"
    shown = outcome.output.split("instructions]\n", 1)[-1]
    assert text in shown


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (PNG, "image/png", "It is a PNG picture, 640x480 pixels."),
        (PNG, "text/html", "It is a PNG picture, 640x480 pixels."),
        (b"%PDF-1.7\nplain words", "application/pdf", "It is a PDF document."),
        (b"PK\x03\x04" + bytes(40), "application/zip", "It is a ZIP archive."),
        (bytes(range(256)), "", "It is a binary file."),
        (b"\x80\x81\x82", "audio/x-odd", "It is a file of the type audio/x-odd."),
    ],
)
async def test_pictures_and_other_files_are_named(tmp_path: Path, body: bytes, kind: str, words: str) -> None:
    async with Site({"/": page(body, kind)}) as site:
        outcome = await fetched(tmp_path, reach(), site.url("/"))
    assert outcome.output.endswith(f"{words} Its content is not shown.")
    assert f"{len(body):,} bytes" in outcome.output
    assert outcome.display is not None
    assert outcome.display["type"] == "page"


async def test_of_a_large_picture_only_the_beginning_is_fetched(tmp_path: Path) -> None:
    sent = 0

    async def large(visit: Visit) -> None:
        nonlocal sent
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 900000000\r\n\r\n" + PNG)
        while True:
            await visit.send(bytes(65536))
            sent += 65536

    async with Site({"/": large}) as site:
        outcome = await fetched(tmp_path, reach(), site.url("/"))
        await asyncio.wait_for(site.gone.wait(), 5)
    assert "900,000,000 bytes" in outcome.output
    assert "a PNG picture, 640x480 pixels" in outcome.output
    # What the sockets hold between them is all that is sent beyond the beginning.
    assert sent < 20_000_000


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000 + "deep" + "</div>" * 50_000,
        "<table>" * 2_000 + "deep",
        "<b>" * 20_000 + "deep",
        "deep" + "<" * 100_000,
        "deep" + "&#0;&#xd800;&#x1b;&#9999999999;" * 100,
        "deep<!--" + "<!--" * 50_000,
        "deep<a " + "a='b' " * 50_000 + ">",
    ],
    ids=["nested", "tables", "bold", "less-than", "characters", "comments", "attributes"],
)
async def test_hostile_markup_gives_text_or_an_error_in_words(tmp_path: Path, html: str) -> None:
    async with Site({"/": page(html.encode())}) as site:
        outcome = await fetched(tmp_path, reach(), site.url("/"))
    assert outcome.status == "ok"
    assert "deep" in outcome.output


async def test_a_charset_cannot_be_made_to_take_for_ever(tmp_path: Path) -> None:
    """punycode is quadratic: with it a megabyte would hold the interpreter for minutes."""
    body = b"a-" * 500_000
    async with Site({"/": page(body, "text/plain; charset=punycode")}) as site:
        outcome = await asyncio.wait_for(fetched(tmp_path, reach(), site.url("/")), 10)
    assert outcome.status == "ok"
