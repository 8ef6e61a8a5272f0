"""Markdown to lines: what each construct looks like, and that streaming it changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.log import AppendLog
from tui.render.blocks import TextStream, prose_blocks
from tui.render.clean import Clean, clean
from tui.render.code import LEXERS, highlighted, language_of
from tui.render.lines import Line, plain_text
from tui.render.markdown import chunk_lines
from tui.render.splitter import CHUNK_CHARACTERS, SLICE_LINES, Chunk, Splitter, split


def lines_of(text: str, width: int = 40) -> list[Line]:
    return [line for block in prose_blocks(clean(text, tab=4)) for line in block.render(width)]


def rows_of(text: str, width: int = 40) -> list[str]:
    return [line.text for line in lines_of(text, width)]


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("plain text", ["plain text"]),
        ("one\ntwo", ["one", "two"]),
        ("one\n\n\n\ntwo", ["one", "", "two"]),
        ("# Title\ntext", ["Title", "text"]),
        ("text\n# Title", ["text", "", "Title"]),
        ("Title\n===", ["Title"]),
        ("a **b** *c* ~~d~~ `e`", ["a b c d e"]),
        ("- a\n- b\n  - c\n    - d", ["• a", "• b", "  ◦ c", "    ▪ d"]),
        ("3. a\n4. b\n   - c", ["3. a", "4. b", "   ◦ c"]),
        ("1. a\n  - b", ["1. a", "  • b"]),
        ("- a\n\n  more of a\n\n- b", ["• a", "", "  more of a", "", "• b"]),
        ("- [ ] open\n- [x] done", ["☐ open", "☑ done"]),
        ("> quote\n> more\n\nafter", ["▎ quote", "▎ more", "", "after"]),
        ("> - a\n>\n> b", ["▎ • a", "▎ ", "▎ b"]),
        ("```py\nx = 1\n```", [" py", " x = 1"]),
        ("```\nx\n\n  y\n```", [" x", " ", "   y"]),
        ("~~~\n```\n~~~", [" ```"]),
        ("- a\n  ```\n  x\n  ```", ["• a", "   x"]),
        ("- ```sh\n  ls\n  ```", ["• ", "   sh", "   ls"]),
        ("text\n\n    code", ["text", "", " code"]),
        ("a | b\n--|--\n1 | 2", ["a │ b", "──┼──", "1 │ 2"]),
        ("|n|\n|-:|\n|100|", ["  n", "───", "100"]),
        ("[text](https://a.example/x)", ["text (https://a.example/x)"]),
        ("<https://a.example>", ["https://a.example"]),
        ("[https://good.example](https://bad.example)", ["https://good.example (https://bad.example)"]),
        ("[me](javascript:alert)", ["[me](javascript:alert)"]),
        ("![alt](a.png)", ["[image: alt] (a.png)"]),
        ("[a][1]\n\n[1]: https://a.example", ["[a][1]", "", "[1]: https://a.example"]),
        ("<b>bold</b> &amp; &lt;", ["<b>bold</b> & <"]),
        ("a &#x202e; &#13;b &#8203;", ["a ⟦U+202E⟧  b ⟦U+200B⟧"]),
        ("It was\n2019. A year", ["It was", "2019. A year"]),
        ("text\n1. a", ["text", "1. a"]),
        ("***", ["─" * 60]),
        ("\x1b[1mbold\x1b[0m", ["␛bold␛"]),
        ("snake_case_name and 2*3*4", ["snake_case_name and 234"]),
        ("```py\nnever closed", [" py", " never closed"]),
    ],
)
def test_constructs(source: str, rows: list[str]) -> None:
    assert rows_of(source, 60) == rows


def test_wide_characters_are_counted_in_cells() -> None:
    assert rows_of("| 名前 | n |\n|--|--|\n| ab | 1 |") == ["名前 │ n", "─────┼──", "ab   │ 1"]
    assert all(line.cells <= 9 for line in lines_of("漢字漢字漢字 👍👍👍👍👍👍", 9))


def test_a_table_wraps_its_widest_column() -> None:
    rows = rows_of("| a | b |\n|--|--|\n| x | one two three four five six seven |", 24)
    assert rows == ["a │ b", "──┼─────────────────────", "x │ one two three four", "  │ five six seven"]


def test_a_table_without_room_becomes_a_list() -> None:
    rows = rows_of("| Name | Text | More |\n|--|--|--|\n| abc | some longer text | and some more |", 22)
    assert rows == ["· Name: abc", "  Text: some longer", "  text", "  More: and some more"]


def test_a_copy_holds_no_padding_bars_or_labels() -> None:
    source = "- item one that is wrapped\n\n> quoted\n\n```py\nx = 1\ny = 2\n```"
    assert plain_text(lines_of(source, 14)) == "• item one that is wrapped\n\nquoted\n\nx = 1\ny = 2"


def test_code_is_coloured_once_its_lexer_is_there() -> None:
    LEXERS.load("python")
    inks = {
        str(span.text): span.ink.colour for span in highlighted(Clean("def f():\n    return 'abc' # b"), "python")[1]
    }
    assert inks["return"] == "syntax.keyword"
    assert inks["abc"] == "syntax.string"
    assert inks["# b"] == "syntax.comment"


def test_code_of_an_unknown_language_is_plain() -> None:
    assert [[span.text for span in line] for line in highlighted(Clean("a b\nc"), "nosuch")] == [["a b"], ["c"]]


@pytest.mark.parametrize(
    ("info", "language"),
    [("python", "python"), ("python:a.py", "python"), ("{.rust}", "rust"), ("js {1,3}", "js"), ("", "")],
)
def test_the_language_in_an_info_string(info: str, language: str) -> None:
    assert language_of(info) == language


BLOCK_PIECES = ["- ", "1. ", "  ", "    ", "```", "~~~", "# ", "> ", "|", "|-|-|", "---", "==", "\n", "\n\n", "\r\n"]
INLINE_PIECES = ["a", "word ", "**b** ", "`c`", "py", "[x](y)", "漢字", "👍", "<b>", "&amp;", "\\", "x" * 300 + " "]
PIECES = st.sampled_from([*BLOCK_PIECES, *INLINE_PIECES, "\t", "\x1b[1m", "\u202e"])
SOURCE = st.lists(PIECES, max_size=60).map("".join)
SIZES = st.lists(st.integers(1, 60), max_size=80)


@given(SOURCE, SIZES, st.integers(4, 60))
def test_streaming_gives_the_lines_of_the_whole(text: str, sizes: list[int], width: int) -> None:
    stream = TextStream()
    log: AppendLog[str] = AppendLog()
    at = 0
    for size in sizes:
        if at >= len(text):
            break
        log = log.append(text[at : at + size])
        at += size
        shown = list(stream.blocks)
        first = stream.update(log, done=False)
        assert stream.blocks[:first] == shown[:first]
    stream.update(log.append(text[at:]), done=True)
    whole = TextStream()
    whole.update(AppendLog((text,)), done=True)

    def seen(source: TextStream) -> list[tuple[object, ...]]:
        return [(line.spans, line.lead, line.joiner, line.ground) for b in source.blocks for line in b.render(width)]

    assert seen(stream) == seen(whole)


@given(SOURCE, st.integers(1, 60))
def test_every_line_fits_and_is_clean(text: str, width: int) -> None:
    for line in lines_of(text, width):
        assert line.text.isprintable()
        # Below a few cells there is no room for margins and markers; the widget is never that narrow.
        assert line.cells <= max(width, 24)


@given(st.lists(st.sampled_from(["- ", "1. ", "  ", "    ", "\n", "\n\n", "> ", "# ", "w "]), max_size=60))
def test_no_word_is_lost(pieces: list[str]) -> None:
    """Whatever the blocks around them, the words come out, in their order."""
    count = 0
    source = ""
    for piece in pieces:
        count += piece == "w "
        source += f"w{count} " if piece == "w " else piece
    rendered = " ".join(line.text for line in lines_of(source, 60)).split()
    assert [word for word in rendered if word.startswith("w")] == [f"w{number}" for number in range(1, count + 1)]


def test_chunks_stay_small_however_long_the_text_is() -> None:
    texts = {
        "one line": "word " * 5000,
        "one word": "x" * 20_000,
        "one paragraph": "some words\n" * 3000,
        "one list item": "- item\n" + "  more\n" * 3000,
        "one code block": "```\n" + "line of code\n" * 3000 + "```",
        "one table": "|a|b|\n|-|-|\n" + "|1|2|\n" * 3000,
        "one quote": "> words\n" * 3000,
    }
    for name, text in texts.items():
        chunks = split(Clean(text))
        assert max(len(chunk.text) for chunk in chunks) <= 2 * CHUNK_CHARACTERS, name
        assert (
            max(chunk.text.count("\n") for chunk in chunks if chunk.kind == "code") <= SLICE_LINES
            if "code" in name
            else True
        )


def test_a_long_line_is_one_line_in_a_copy() -> None:
    text = "word " * 3000
    assert plain_text(lines_of(text, 50)).split() == text.split()
    assert "\n" not in plain_text(lines_of(text, 50))


def test_a_long_table_keeps_one_head() -> None:
    rows = rows_of("|a|b|\n|-|-|\n" + "|1|2|\n" * 1000)
    assert rows.count("a │ b") == 1
    assert rows.count("1 │ 2") == 1000


def test_a_line_that_may_become_a_marker_is_held_back() -> None:
    splitter = Splitter()
    splitter.feed(Clean("Some text\n-"))
    assert [chunk.text for chunk in splitter.tail()] == ["Some text"]
    splitter.feed(Clean(" item"))
    assert [chunk.text for chunk in splitter.tail()] == ["Some text", "- item"]


def test_a_hostile_chunk_is_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(chunk: Chunk, width: int, base: object) -> list[Line]:
        raise RecursionError

    monkeypatch.setattr("tui.render.blocks.chunk_lines", broken)
    assert rows_of("**text**") == ["**text**"]


def test_nesting_without_end_is_harmless() -> None:
    assert chunk_lines(Chunk(kind="prose", text=Clean(">" * 2000 + " deep")), 40)
    assert lines_of("[" * 2000 + "](x)" * 100, 40)
    assert lines_of("- " * 1000, 40)
