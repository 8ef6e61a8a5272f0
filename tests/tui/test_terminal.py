"""The terminal: when the screen may be opened, what reaches it, and what its input can turn into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from tui.key_input import LONGEST_PASTE, PASTE_END, PASTE_START, PasteGuard
from tui.terminal import Streams, can_open, frames_per_second
from tui.wall import Wall


class Terminal:
    def __init__(self, is_terminal: bool = True) -> None:
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


GOOD = {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}
YES, NO = Terminal(), Terminal(False)


def test_an_ordinary_terminal_is_taken() -> None:
    assert can_open(GOOD, Streams(YES, YES, (80, 24))) is None
    assert can_open(GOOD, Streams(YES, YES, (40, 10))) is None
    assert can_open({"TERM": "tmux", "LC_ALL": "C.utf8"}, Streams(YES, YES, (80, 24))) is None


@pytest.mark.parametrize(
    ("environ", "streams", "wrong"),
    [
        (GOOD, Streams(NO, YES, (80, 24)), "standard input"),
        (GOOD, Streams(None, YES, (80, 24)), "standard input"),
        (GOOD, Streams(YES, NO, (80, 24)), "standard error"),
        ({**GOOD, "TERM": "dumb"}, Streams(YES, YES, (80, 24)), "TERM is dumb"),
        ({"LANG": "C.UTF-8"}, Streams(YES, YES, (80, 24)), "TERM is not set"),
        ({**GOOD, "LC_ALL": "de_DE.ISO-8859-1"}, Streams(YES, YES, (80, 24)), "UTF-8"),
        (GOOD, Streams(YES, YES, (39, 24)), "39x24"),
        (GOOD, Streams(YES, YES, (80, 9)), "80x9"),
    ],
)
def test_others_are_refused_in_one_line(environ: Mapping[str, str], streams: Streams, wrong: str) -> None:
    reason = can_open(environ, streams)
    assert reason is not None
    assert wrong in reason
    assert "\n" not in reason


def test_a_network_gets_fewer_frames() -> None:
    assert frames_per_second({"SSH_TTY": "/dev/pts/1"}) < frames_per_second({})


def parts(guard: PasteGuard, pieces: Iterable[str]) -> tuple[str, list[str]]:
    """What was keys, and the pastes."""
    keys, pastes = "", list[str]()
    for piece in pieces:
        for is_paste, text in guard.feed(piece):
            if is_paste:
                pastes.append(text)
            else:
                keys += text
    return keys, pastes


def test_a_paste_with_an_escape_in_it_is_no_key() -> None:
    keys, pastes = parts(PasteGuard(), [f"a{PASTE_START}abc\x1b[31my\x1b{PASTE_END}b"])
    assert keys == "ab"
    assert pastes == ["abc\x1b[31my\x1b"]


@given(
    st.lists(st.tuples(st.text("xy\x1b[20m~", max_size=8), st.text("yn\x1b[201\n", max_size=12)), max_size=4),
    st.lists(st.integers(1, 7), min_size=1),
)
def test_pastes_are_the_same_however_the_input_is_cut(sent: list[tuple[str, str]], cuts: list[int]) -> None:
    stream = "".join(f"{keys}{PASTE_START}{pasted}{PASTE_END}" for keys, pasted in sent)
    whole = parts(PasteGuard(), [stream])
    pieces: list[str] = []
    place, turn = 0, 0
    while place < len(stream):
        size = cuts[turn % len(cuts)]
        pieces.append(stream[place : place + size])
        place, turn = place + size, turn + 1
    assert parts(PasteGuard(), pieces) == whole


def test_an_escape_key_is_given_back_after_a_moment() -> None:
    guard = PasteGuard()
    assert list(guard.feed("\x1b")) == []
    assert guard.quiet(0.001) == ""
    assert guard.quiet(0.1) == "\x1b"
    assert guard.quiet(0.1) == ""
    list(guard.feed("\x1b[20"))
    assert guard.quiet(0.1) == ""
    assert guard.quiet(1.0) == "\x1b[20"
    list(guard.feed(PASTE_START + "half"))
    assert guard.quiet(9.0) == ""


def test_an_endless_paste_is_bounded_and_still_no_key() -> None:
    guard = PasteGuard()
    keys, pastes = parts(guard, [PASTE_START, *("y" * 1_000_000 for _ in range(20)), PASTE_END, "k"])
    assert keys == "k"
    assert len(pastes[0]) == LONGEST_PASTE


@given(st.text())
def test_nothing_passes_the_wall_that_a_terminal_would_obey(text: str) -> None:
    shown = Wall().apply([Segment(text), Segment("plain")], Color(0, 0, 0))
    joined = "".join(segment.text for segment in shown)
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in joined)
    assert not set(joined) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert len(joined) == len(text) + 5
