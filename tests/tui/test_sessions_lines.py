"""The list of sessions as pure functions: how it is grouped, what there is room for, what a line says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from runner.store import Store
from runner.store.base import SessionKey, SessionSummary
from runner.store.search import Around, Hit
from runner.usage import Usage
from tests.tui.recorded import record
from tui.key_presets import PRESETS
from tui.keymap import keymap
from tui.remembered import Remembered
from tui.sessions import columns as columns_of
from tui.sessions.columns import Look, columns, cost_words, heading, length, session_line
from tui.sessions.fields import FieldSuggester, field_line
from tui.sessions.finder import Found, Wish, find
from tui.sessions.hits import hit_line, snippet
from tui.sessions.lines import Grouping, Heading, HitLine, Line, MoreLine, SessionLine, at, day, listed, when
from tui.sessions.memory import SessionMemory
from tui.sessions.preview import Preview, body, read
from tui.sessions.telling import Mode, detail, empty_words, hint_line, title_line

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTILE = "a\x1b[31mb\x9b2Jc‮d\te\nf"


def key(
    name: str, hours: float, root: str = "", depth: int = 0, *, pinned: bool = False, folder: str = "/h/a"
) -> SessionKey:
    moment = NOW - timedelta(hours=hours)
    return SessionKey(
        session_id=name,
        root_id=root or name,
        updated=moment,
        created=moment,
        pinned=pinned,
        workspace=folder,
        depth=depth,
    )


def summary(**changes: object) -> SessionSummary:
    fields: dict[str, object] = {
        "session_id": "s",
        "title": "月と潮 what has the moon to do with the tides of the sea?",
        "name": "",
        "workspace": "/h/a",
        "agent": "deck",
        "models": ("anthropic/claude-opus-4", "openai/gpt-5.1"),
        "created": NOW - timedelta(hours=3),
        "updated": NOW - timedelta(hours=2),
        "runs": 1,
        "turns": 12,
        "tool_calls": 3,
        "usage": Usage(input=12_000, output=345),
        "cost_usd": Decimal("0.3127"),
        "status": "completed",
        "reason": "complete",
        "live": False,
        "tags": ("release", "later"),
        "seconds": 3600.0,
    }
    return SessionSummary(**fields | changes)  # pyright: ignore[reportArgumentType]


def hit(text: tuple[tuple[str, bool], ...], part: str = "said", tool: str = "") -> Hit:
    return Hit(session_id="s", run_id="r", seq=3, part=part, tool=tool, time=NOW, snippet=text)  # pyright: ignore[reportArgumentType]


KEYS = [
    key("moon", 900, pinned=True),
    key("root", 30),
    key("fork", 2, "root", 1),
    key("deeper", 3, "root", 2),
    key("b", 4, folder="/h/b"),
    key("c", 26),
    key("d", 24 * 5, folder="/h/b"),
    key("e", 24 * 400),
]


def told(lines: list[Line]) -> list[str]:
    names: list[str] = []
    for line in lines:
        match line:
            case Heading(text, number):
                names.append(f"{text} {number}")
            case SessionLine(name, depth, forks):
                names.append(f"{'-' * depth}{name}{f' +{forks}' if forks else ''}")
            case HitLine(name, number):
                names.append(f"{name}/{number}")
            case MoreLine(name, left):
                names.append(f"{name}/… {left}")
    return names


@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        (
            "day",
            "Pinned 1,moon,Today 4,root +2,-fork,--deeper,b,Yesterday 1,c,Mon 16 November 1,d,Fri 17 October 2025 1,e",
        ),
        ("project", "Pinned 1,moon,~/a 5,root +2,-fork,--deeper,c,e,~/b 2,b,d"),
    ],
)
def test_families_stay_together_under_their_day_or_their_project(grouping: Grouping, expected: str) -> None:
    assert told(listed(KEYS, grouping, NOW, home="/h")) == expected.split(",")


def test_what_was_found_stands_under_its_session() -> None:
    found: Mapping[str, int] = {"fork": 2, "b": 4, "c": 9}
    lines = listed(KEYS[1:6], "day", NOW, hits=found, opened={"c": 8})
    today = ["Today 4", "root +2", "-fork", "fork/0", "fork/1", "--deeper", "b", "b/0", "b/1", "b/2", "b/3"]
    assert told(lines) == [*today, "Yesterday 1", "c", *(f"c/{number}" for number in range(9))]
    lines = listed(KEYS[1:6], "day", NOW, hits=found)
    assert told(lines)[-4:] == ["c/0", "c/1", "c/2", "c/… 6"]
    # The same line again, or its session where it is not shown any more; "more" gives way to what it stood for.
    assert at(lines, HitLine("b", 1)) == 8
    assert at(lines, HitLine("c", 7)) == 12
    assert at(lines, SessionLine("c", 0, 5)) == 12
    assert [at(lines, MoreLine("c", 1)), at(lines, HitLine("gone", 0)), at(lines, lines[0]), at(lines, None)] == [
        None
    ] * 4


def test_moments_and_lengths_are_short() -> None:
    assert [day(NOW, NOW), day(NOW - timedelta(days=1), NOW)] == ["Today", "Yesterday"]
    moments = [when(NOW - timedelta(days=days), NOW) for days in (0, 30, 400)]
    assert moments == ["12:00", "22 Oct", "17 Oct 25"]
    assert [length(seconds) for seconds in (-1, 12, 150, 7500, 90_000)] == ["0 s", "12 s", "2 min", "2 h 05", "1 d"]
    costs = [cost_words(None if text == "-" else Decimal(text)) for text in ("-", "0", "0.00001", "0.5", "1234.567")]
    assert costs == ["unknown", "$0", "<$0.0001", "$0.5000", "$1234.57"]


@settings(max_examples=40)
@given(st.integers(20, 250), st.text(max_size=60), st.booleans())
def test_a_line_fills_its_width_whatever_is_in_it(width: int, text: str, selected: bool) -> None:
    shown = columns(width)
    look = Look(now=NOW, grouping="day", mark="A", selected=selected)
    of = summary(title=text or HOSTILE, agent=text, models=(text,), tags=(text,) if text.strip() else ())
    for line in (SessionLine("s", 0, 2), SessionLine("s", 9, 0)):
        drawn = session_line(of, line, shown, look).plain
        assert cell_len(drawn) == width
        assert not set(drawn) & set("\n\t\x1b\x9b‮")
    pieces = ((text, False), (text or "tide", True), (HOSTILE, False))
    for drawn in (snippet(pieces, width).plain, hit_line(hit(pieces, tool=text), width, NOW, selected).plain):
        assert cell_len(drawn) == width
        assert not set(drawn) & set("\n\t\x1b\x9b‮")


def test_columns_go_by_the_width() -> None:
    names = {width: [column.name for column in columns(width)] for width in (40, 78, 106, 156)}
    assert names == {
        40: ["name", "when"],
        78: ["name", "models", "when", "cost", "ended"],
        106: ["name", "models", "when", "length", "turns", "tokens", "cost", "ended"],
        156: ["name", "agent", "models", "when", "length", "turns", "tokens", "cost", "ended", "tags"],
    }
    shown = columns(156)
    look = Look(now=NOW, grouping="project", current=True)
    words = session_line(summary(), SessionLine("s", 0, 2), shown, look).plain
    for text in ("▸ 月と潮", "2 forks", "deck", "gpt-5.1 +1", "10:00", "1 h 00", "12", "12.3k", "$0.3127", "done"):
        assert text in words
    assert words.rstrip().endswith("#release #later")
    # The names of columns stand over what is in them.
    assert heading(shown).plain.index("ended") == cell_len(words[: words.index("done")])
    narrow = session_line(summary(live=True, imported="codex"), SessionLine("s", 1, 0), columns(78), look).plain
    assert narrow.startswith(" ● └ 月と潮")
    assert "running" in narrow
    for sign, changes in (("★", {"pinned": True}), ("↓", {"imported": "codex"})):
        plain = Look(now=NOW, grouping="day")
        assert session_line(summary(**changes), SessionLine("s", 0, 0), shown, plain).plain[1] == sign
    assert columns_of.end_of(summary(reason="", status="paused")) == ("paused", "state-failed")


def test_what_was_searched_for_is_in_sight() -> None:
    long = (("and so on " * 40, False), ("albatross", True), (" flew by " * 40, False))
    shown = snippet(long, 60)
    assert "albatross" in shown.plain
    assert shown.plain.startswith("…")
    assert shown.plain.endswith("…")
    short = snippet((("an ", False), ("albatross", True), (" flew", False)), 60)
    assert short.plain.rstrip() == "an albatross flew"
    assert any("bold" in str(span.style) for span in short.spans)
    said = hit_line(hit((("the tide", True),), "output", "search"), 80, NOW, False).plain
    assert said.split() == ["output", "search", "the", "tide", "12:00"]


def found(**changes: object) -> Found:
    fields: dict[str, object] = {
        "lines": [SessionLine("s", 0, 0)],
        "words": "",
        "problems": (),
        "sessions": 3,
        "places": 0,
        "everything": True,
        "deleted": False,
        "behind": 0,
    }
    return Found(**fields | changes)  # pyright: ignore[reportArgumentType]


def test_the_screen_says_what_it_shows_and_what_keys_do() -> None:
    assert title_line(found(sessions=None), "day", 0).plain == "Sessions  newest first"
    told = title_line(found(sessions=12_000, places=1, words="tide"), "project", 312).plain
    assert told == "Sessions  12,000 sessions · 1 place · by project · still reading 312 runs"
    assert "sessions import --from codex" in empty_words(found(), settled=True)
    none = found(everything=False, words="x", behind=4)
    assert "still being read" in empty_words(none, settled=False)
    assert empty_words(none, settled=True) == "Nothing matches this filter."
    assert "trash is empty" in empty_words(found(everything=False, deleted=True), settled=True)
    writing = Mode(writing=True, editing=False, restorable=False)
    for preset in PRESETS:
        keys = keymap(preset=preset)
        for width in (40, 76, 106, 156):
            for mode in (writing, Mode(writing=False, editing=False, restorable=True)):
                lines = hint_line(keys, width, found(), mode).plain.split("\n")
                assert len(lines) <= 2
                assert max(map(len, lines)) <= width
                assert lines[-1].endswith("esc closes")
    keys = keymap({"list.preview": "f5", "list.export": "", "list.note": "n"})
    words = hint_line(keys, 300, found(), writing).plain
    assert "f5 preview" in words
    assert "export" not in words
    # A key that is a letter is none where letters write.
    assert "note" not in words
    assert "n note" in hint_line(keys, 300, found(), Mode(writing=False, editing=False, restorable=False)).plain
    about = detail(summary(note="a\nb\x1b", imported="codex"), None, NOW, "/h", "s", 200).plain
    assert about.startswith("shown now · imported from Codex · note: a b␛ · 1 run, 12 turns")
    assert cell_len(detail(summary(), None, NOW, "/h", None, 30).plain) <= 30


def test_the_line_under_the_filter_offers_and_corrects() -> None:
    assert field_line("", 0, (), 100).plain.startswith("model:  agent:  tool:  ended:failed")
    assert field_line("two words mod", 13, (), 100).plain.startswith("model:  a part of a model's name")
    assert "or" in field_line("is:", 3, (), 100).plain or field_line("is:p", 4, (), 100).plain.startswith("pinned")
    wrong = field_line("cost>x", 6, ("cost needs a number", "another"), 100).plain
    assert wrong == "cost needs a number (and 1 more)"
    for width in (20, 40, 80):
        for text in ("", "ended:", "mod"):
            assert cell_len(field_line(text, len(text), ("no " * 90,) if text == "mod" else (), width).plain) <= width

    def offered(text: str) -> str | None:
        return asyncio.run(FieldSuggester().get_suggestion(text))

    assert offered("tide mo") == "tide model:"
    assert offered("is:pin") == "is:pinned"
    assert (offered(""), offered("tide "), offered('"mo')) == (None, None, None)


def test_a_preview_tells_how_it_began_and_ended(tmp_path: Path) -> None:
    with Store.open(tmp_path / "deck.db") as store:
        record(store, NOW)
        spring, gauge = read(store, "spring"), read(store, "gauge")
        seen = find(store, Wish(text="tag:release mean_level", grouping="day", opened={}), NOW, "")
        some = find(store, Wish(text="", grouping="day", opened={}), NOW, "", limit=2)
    assert spring.asked.startswith("the spring tide is too low")
    assert spring.answer.startswith("height() in tides.py uses 1.7")
    assert spring.files == (
        ("/home/ada/tidewater/tides.py", "changed"),
        ("/home/ada/tidewater/tests/test_tides.py", "changed"),
    )
    around = Around(
        before=((("before\x1b", False),),), line=(("it is ", False), ("here", True)), after=((("", False),),)
    )
    text = body(spring, NOW, "/home/ada", around).plain
    for words in ("Found here\nbefore␛\nit is here\n", "~/tidewater", "#release #reviewed", "Note", "2 files changed"):
        assert words in text
    assert "Last error\nthe provider answered 529: overloaded" in body(gauge, NOW).plain
    long = Preview(
        summary=summary(), asked="x" * 9000, later=2, answer="y" * 9000, error="", files=(("/a", "new"),) * 50
    )
    text = body(long, NOW).plain
    for words in ("and 2 messages after it", "… 5,000 more characters", "and 10 more"):
        assert words in text
    assert (seen.sessions, seen.places, seen.words) == (1, 10, "mean_level")
    assert told(list(seen.lines))[1:] == ["spring", "spring/0", "spring/1", "spring/2", "spring/… 7"]
    assert (some.sessions, len(some.lines)) == (None, 4)


def test_the_grouping_is_remembered(tmp_path: Path) -> None:
    memory = SessionMemory(Remembered(tmp_path))
    assert memory.grouping == "day"
    memory.group_by("project")
    assert memory.grouping == "project"
    (tmp_path / "ui").mkdir(exist_ok=True)
    kept = Remembered(tmp_path / "other")
    kept.write("sessions", {"grouping": 7})
    assert SessionMemory(kept).grouping == "day"
