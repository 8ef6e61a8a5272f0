"""What the terminal is told around the screen: to whom, in which words, how often; and the words of a crash."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from runner.events import ApprovalRequested, RunFinished, ToolProposed
from tests.e2e.written import unmeant
from tests.tui.transcript_runs import Feed
from tui.key_input import Keys
from tui.manners.abilities import Abilities, NoticeKind, abilities, outer_notice
from tui.manners.crash import KEPT, Crash, kind, last_words, write_log
from tui.manners.sequences import LONGEST, POP_TITLE, PUSH_TITLE, ProgressKind, notice, plain, progress, through_tmux
from tui.manners.sequences import title as title_sequence
from tui.manners.telling import NOTICE_EVERY, Surroundings, Telling
from tui.output import LATE, LOADED, Flow
from tui.settings.values import TerminalSettings
from tui.terminal import frame_time
from tui.view import View

XTERM = {"TERM": "xterm-256color"}
HOSTILE = "w\x1b]0;x\x07o\u202er\nk\x9b31m;<b>&`$(id)"


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, Abilities()),
        ({"TERM": "dumb"}, Abilities()),
        ({"TERM": "linux", "WT_SESSION": "x"}, Abilities()),
        ({"TERM": "vt220"}, Abilities()),
        (XTERM, Abilities(title=True, bell=True)),
        (XTERM | {"WT_SESSION": "x"}, Abilities(title=True, bell=True, progress=True)),
        ({"TERM": "xterm-kitty"}, Abilities(title=True, bell=True, notice="99")),
        ({"TERM": "foot"}, Abilities(title=True, bell=True, notice="777")),
        (
            {"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.2.3"},
            Abilities(title=True, bell=True, notice="777", progress=True),
        ),
        (XTERM | {"TERM_PROGRAM": "iTerm.app"}, Abilities(title=True, bell=True, notice="9")),
        (
            XTERM | {"TERM_PROGRAM": "iTerm.app", "TERM_FEATURES": "T3CwP"},
            Abilities(title=True, bell=True, notice="9", progress=True),
        ),
        (
            XTERM | {"TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20240203-110809"},
            Abilities(title=True, bell=True, notice="777"),
        ),
        (XTERM | {"VTE_VERSION": "7603"}, Abilities(title=True, bell=True, notice="777")),
        (XTERM | {"VTE_VERSION": "8000"}, Abilities(title=True, bell=True, notice="777", progress=True)),
        # What the terminal around tmux left behind says nothing about the one that shows it today.
        (
            {"TERM": "tmux-256color", "TMUX": "/s,1,0", "KITTY_WINDOW_ID": "1", "WT_SESSION": "x"},
            Abilities(title=True, bell=True, tmux=True),
        ),
        ({"TERM": "screen"}, Abilities(title=True, bell=True)),
    ],
)
def test_only_a_terminal_that_is_known_to_understand_it_gets_it(environ: Mapping[str, str], found: Abilities) -> None:
    assert abilities(environ) == found


def test_through_tmux_goes_only_what_is_allowed_and_understood() -> None:
    assert outer_notice("on|kitty(0.32.2)|xterm-kitty\n") == "99"
    assert outer_notice("all|iTerm2 3.5|xterm-256color") == "9"
    assert outer_notice("off|kitty(0.32.2)|xterm-kitty") == ""
    assert outer_notice("on||xterm-256color") == ""
    assert outer_notice("") == ""
    assert through_tmux(notice("9", "done")) == "\x1bPtmux;\x1b\x1b]9;Quarterdeck: done\x1b\x1b\\\x1b\\"
    assert through_tmux(notice("99", "done")).count("\x1bPtmux;") == 2


@given(st.text(max_size=300))
def test_a_text_outside_of_the_screen_is_one_line_without_anything_to_obey(text: str) -> None:
    for said in (text, text + HOSTILE):
        found = plain(said)
        assert len(found) <= LONGEST
        assert found.isprintable()
        assert not set(found) & set(";<>&`$\\")
        name = found or "x"
        kinds: tuple[NoticeKind, ...] = ("9", "99", "777")
        written = [notice(kind, f"done after 2.0 s - {name}") for kind in kinds]
        assert unmeant("".join([title_sequence(f"Quarterdeck: ready - {name}"), *written]).encode()) == []


def test_the_allowlist_of_the_terminal_tests_is_no_wider_than_what_is_meant() -> None:
    states: tuple[ProgressKind, ...] = ("busy", "waiting", "failed", "")
    assert unmeant("".join([PUSH_TITLE, *map(progress, states), title_sequence(""), POP_TITLE]).encode()) == []
    for wrong in (
        "\x1b]2;rm -rf\x1b\\",
        "\x1b]2;Quarterdeck: ready - a;b\x1b\\",
        "\x1b]0;Quarterdeck: ready - a\x1b\\",
        "\x1b]9;anything\x1b\\",
        "\x1b]777;notify;Quarterdeck;the model says so - a\x1b\\",
        "\x1b]52;c;aGk=\x1b\\",
        "\x07",
    ):
        assert unmeant(wrong.encode()), wrong


class Window:
    """A terminal that writes down what it is told, and a clock."""

    def __init__(self, can: Abilities, wants: TerminalSettings | None = None, *, tmux: str = "") -> None:
        self.greeting = self.farewell = ""
        self.written: list[str] = []
        self.now = 100.0
        self.focused = True
        self.tmux = tmux
        self._later: list[tuple[float, Callable[[], None]]] = []
        around = Surroundings(
            now=lambda: self.now,
            later=lambda seconds, function: self._later.append((self.now + seconds, function)),
            focused=lambda: self.focused,
            ask_tmux=lambda then: then(self.tmux),
        )
        self.telling = Telling(self, can, wants or TerminalSettings(), around, folder=f"/srv/{HOSTILE}")

    def write(self, data: str) -> None:
        self.written.append(data)

    def new(self) -> str:
        """What was written since the last look."""
        found, self.written = "".join(self.written), []
        return found

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = [function for at, function in self._later if at <= self.now]
        self._later = [(at, function) for at, function in self._later if at > self.now]
        for function in due:
            function()


ALL = Abilities(title=True, bell=True, notice="777", progress=True)


def asks(feed: Feed, number: int) -> View:
    """One more call that waits for the person."""
    feed(
        ToolProposed(call_id=f"c{number}", tool="shell", arguments={"command": HOSTILE}),
        ApprovalRequested(call_id=f"c{number}", request_id=f"r{number}", tool="shell"),
    )
    return View(runs=(feed.state,), store_open=True)


def test_a_run_is_told_by_title_progress_and_notices_and_never_too_often() -> None:
    window, feed = Window(ALL), Feed()
    tell = window.telling.show
    assert "Quarterdeck: starting - w" in window.greeting
    assert window.farewell.endswith(POP_TITLE)
    tell(View(store_open=True))
    assert "]2;Quarterdeck: ready - work" in window.new()
    feed.begin()
    for _ in range(50):
        window.pass_time(0.02)
        feed.stream("word ")
        tell(View(runs=(feed.state,), store_open=True))
    assert window.new().count("\x1b]2;") == 1, "the title changes with the words, not with the frames"
    tell(asks(feed, 1))
    assert "777;" not in window.new(), "nobody is told what he sees"
    window.pass_time(1)
    window.focused = False
    tell(asks(feed, 2))
    said = window.new()
    assert "waiting for you (2) - work" in said
    assert "notify;Quarterdeck;waiting for you: 2 approvals - work" in said
    assert "\x1b]9;4;4;100" not in said, "progress did not change"
    tell(asks(feed, 3))
    assert "777;" not in window.new(), "only one in a while"
    window.pass_time(NOTICE_EVERY)
    assert "waiting for you: 3 approvals" in window.new()
    feed(RunFinished(status="completed", reason="complete", seconds=4.0))
    tell(View(runs=(feed.state,), store_open=True))
    assert "\x1b]9;4;0;0" in window.new()
    window.pass_time(NOTICE_EVERY)
    said = window.new()
    assert said.count("777;") == 1
    assert "done after 4.0 s - work" in said
    tell(View(runs=(feed.state,), store_open=True))
    window.pass_time(NOTICE_EVERY)
    assert window.new() == ""
    assert unmeant((window.greeting + said + window.farewell).encode()) == []


def test_an_old_session_that_is_opened_is_no_news_and_an_answered_question_is_taken_back() -> None:
    window, feed = Window(ALL), Feed()
    window.focused = False
    feed.answer("hello")
    feed(RunFinished(status="completed", reason="complete", seconds=4.0))
    window.telling.show(View(store_open=True))
    window.telling.show(View(runs=(feed.state,), store_open=True))
    assert "777;" not in window.new()
    other = Feed("run-2")
    window.telling.show(asks(other, 1))
    assert "777;" in window.new()
    window.telling.show(asks(other, 2))
    window.telling.show(View(runs=(other.state,), store_open=True, sent=frozenset({"r1", "r2"})))
    window.pass_time(NOTICE_EVERY)
    assert "777;" not in window.new()


@pytest.mark.parametrize(
    ("can", "wants", "focused", "tmux", "wanted"),
    [
        (ALL, TerminalSettings(bell="unfocused", notices=False), False, "", "\x07"),
        (ALL, TerminalSettings(bell="unfocused", notices=False), True, "", ""),
        (ALL, TerminalSettings(bell="always", notices=False), True, "", "\x07"),
        (replace(ALL, tmux=True, notice=""), TerminalSettings(), False, "off|kitty|xterm-kitty", ""),
        (replace(ALL, tmux=True, notice=""), TerminalSettings(), False, "on|kitty|xterm-kitty", "\x1bPtmux;"),
        (Abilities(), TerminalSettings(bell="always"), False, "", ""),
    ],
)
def test_bell_and_notice_by_choice_and_ability(
    can: Abilities, wants: TerminalSettings, focused: bool, tmux: str, wanted: str
) -> None:
    window = Window(can, replace(wants, title=False, progress=False), tmux=tmux)
    assert window.greeting == window.farewell == ""
    window.focused = focused
    window.telling.show(View(store_open=True))
    window.telling.show(asks(Feed(), 1))
    said = window.new()
    assert said.startswith(wanted)
    assert bool(said) == bool(wanted)


def test_what_a_terminal_takes_is_measured() -> None:
    now = [10.0]
    flow = Flow(lambda: now[0])
    flow.queued(100)
    assert (flow.behind, flow.waiting, flow.drain) == (False, 100, 0.0)
    now[0] += LATE + 0.01
    assert flow.behind, "it takes nothing"
    flow.taken(100, 10.0)
    assert (flow.behind, flow.waiting) == (False, 0)
    slow = flow.drain
    assert 0 < slow < LATE
    assert frame_time(0.04, 0.0) == 0.04
    assert frame_time(0.04, slow) == 2 * slow
    assert frame_time(0.04, 60.0) == 1.0
    for _ in range(30):
        flow.queued(1)
        flow.taken(1, now[0])
    assert frame_time(0.04, flow.drain) == 0.04, "the link is quick again"
    flow.queued(LOADED + 1)
    assert flow.behind, "however short the time"


@pytest.mark.parametrize(
    ("data", "key", "character"),
    [
        (b"\x1b<", "alt+less_than_sign", None),
        (b"\x1b1", "alt+1", None),
        (b"\x1bf", "alt+f", None),
        (b"\x1b[A", "up", None),
        (b"\x1bOP", "f1", None),
        (b"x", "x", "x"),
    ],
)
def test_alt_is_kept_with_signs_digits_and_letters(data: bytes, key: str, character: str | None) -> None:
    got: list[object] = []
    Keys(got.append, False).feed(data)
    assert [(event.key, event.character) for event in got if isinstance(event, events.Key)] == [(key, character)]


def raised() -> ValueError:
    secret = "local-value-in-a-frame"
    try:
        raise ValueError(f"sk-{'a1' * 20} and hunter2hunter2 in {len(secret)}")
    except ValueError as error:
        return error


def test_a_crash_leaves_a_log_without_secrets_and_words_without_values(tmp_path: Path) -> None:
    error = raised()
    environ = {"DEMO_API_KEY": "hunter2hunter2", "TERM": "xterm"}
    folder = tmp_path / "crashes"
    folder.mkdir()
    for number in range(KEPT + 5):
        (folder / f"2020-{number:03d}.log").touch()
    log = write_log(error, tmp_path, environ)
    assert log is not None
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert "ValueError" in text
    assert "in raised" in text
    assert "hunter2hunter2" not in text
    assert "a1a1a1" not in text
    assert "local-value" not in text
    assert len(list(folder.iterdir())) == KEPT
    crash = Crash(error=error, session_id="01abc", live=True, folder="/srv/a b")
    words = "\n".join(last_words(crash, log))
    assert kind(error).startswith("ValueError in test_manners.py, line ")
    assert "hunter2" not in words
    assert str(log) in words
    assert "aborted" in words
    assert "quarterdeck --cwd '/srv/a b' --session 01abc" in words
    (tmp_path / "file").touch()
    assert write_log(error, tmp_path / "file", environ) is None
    assert "--debug" in "\n".join(last_words(Crash(error=error), None))
