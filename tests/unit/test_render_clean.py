"""The sanitiser: nothing that a terminal obeys or a person cannot see gets through, and it is said where it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.clean import Clean, Sanitiser, clean, clean_output, visible

# Format characters that have a shape of their own: signs above Arabic and Kaithi numbers.
SHOWN_FORMATS = {*range(0x600, 0x606), 0x6DD, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
INVISIBLE_LETTERS = {
    *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
    *(*range(0xFE00, 0xFE10), *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0)),
}

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\x1b[]PX^_\\;0m\x07\x9b\x9c\x9d\x90\r\n\t\b\x00\x7f\u202e\u2066\u200d\u200b\ufe0f\ufeff❤👨1é\u0301a "
        ),
        st.characters(exclude_categories=()),
    ),
    max_size=60,
)


def is_harmless(character: str) -> bool:
    code = ord(character)
    if character == "\n":
        return True
    if code in INVISIBLE_LETTERS:
        return False
    category = unicodedata.category(character)
    return category not in ("Cc", "Cs", "Zl", "Zp") and (category != "Cf" or code in SHOWN_FORMATS)


@given(HOSTILE)
def test_nothing_harmful_is_left(text: str) -> None:
    for cleaned in (clean(text), visible(text), clean_output(text)):
        assert [character for character in cleaned if not is_harmless(character)] == []


@given(HOSTILE, st.lists(st.integers(1, 7), max_size=40), st.booleans())
def test_where_a_stream_is_cut_changes_nothing(text: str, sizes: list[int], progress: bool) -> None:
    whole = Sanitiser(progress=progress)
    expected = whole.feed(text) + whole.finish()
    stream = Sanitiser(progress=progress)
    shown = ""
    at = 0
    for size in sizes:
        shown += stream.feed(text[at : at + size])
        at += size
    shown += stream.feed(text[at:]) + stream.finish()
    assert shown == expected
    assert stream.colours == whole.colours


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Po"]), max_size=60))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\rb", "b"),
        ("10 %\r20 %\r", "20 %"),
        ("a\r\nb", "a\nb"),
        ("\x1b[31mred\x1b[0m", "␛red␛"),
        ("\x9b31mred", "␛red"),
        ("\x1b]0;title\x07x", "␛x"),
        ("\x1b]8;;http://a.example\x1b\\link\x1b]8;;\x1b\\", "␛link␛"),
        ("\x1b]52;c;aGk=\x07", "␛"),
        ("\x1bP1;2q\x1b\\x", "␛x"),
        ("\x1b]0;never ends\nnext", "␛]0;never ends\nnext"),
        ("\x1b", "␛"),
        ("a\x00b\x07c\x7f", "a␀b␇c␡"),
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("pass\u200bword", "pass⟦U+200B⟧word"),
        ("\ud800", "⟦U+D800⟧"),
        ("\U000e0041", "⟦U+E0041⟧"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", "👨👩👧 ❤ 1\u20e3"),
        ("a\u200db a\ufe0f", "a⟦U+200D⟧b a⟦U+FE0F⟧"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0301" * 20, "z" + "\u0301" * 6 + "⟦+14 marks⟧"),
        ("a\tb\n\tc", "a       b\n        c"),
        ("\ufffd is shown", "\ufffd is shown"),
    ],
)
def test_what_is_shown_instead(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rm -rf x", "rm -rf x"),
        ("echo a\rrm -rf b", "echo a␍rm -rf b"),
        ("\x1b[2Kls", "␛[2Kls"),
        ("ls\u00a0-l", "ls⟦U+00A0⟧-l"),
        ("a\tb", "a⇥       b"),
        ("❤\ufe0f", "❤⟦U+FE0F⟧"),
        ("\u2800", "⟦U+2800⟧"),
        ("a\nb", "a\nb"),
        ("naïve 漢字", "naïve 漢字"),
    ],
)
def test_an_approval_hides_nothing(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_output_loses_its_colours_but_counts_them() -> None:
    sanitiser = Sanitiser(progress=True)
    assert sanitiser.feed("\x1b[32mok\x1b[0m\n") == "ok\n"
    assert sanitiser.colours == 2


def test_a_progress_line_shows_its_last_state() -> None:
    sanitiser = Sanitiser(progress=True)
    assert sanitiser.feed("start\n 10 %") == "start\n"
    assert sanitiser.partial == " 10 %"
    assert sanitiser.feed("\r 80 %") == ""
    assert sanitiser.partial == " 80 %"
    assert sanitiser.feed("\rdone\n") == "done\n"
    assert sanitiser.partial == ""


def test_tabs_go_on_where_the_last_piece_ended() -> None:
    sanitiser = Sanitiser(tab=4)
    assert sanitiser.feed("ab") + sanitiser.feed("\tc") == Clean("ab  c")


def test_an_endless_sequence_is_not_held_back_for_ever() -> None:
    sanitiser = Sanitiser()
    shown = sanitiser.feed("\x1b]0;") + "".join(sanitiser.feed("x" * 100) for _ in range(30))
    assert "x" * 1000 in shown
