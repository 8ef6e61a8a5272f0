"""Checklists, answers, diffs of several files and pages in the transcript, whatever is in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.state import CallItem
from tests.tui.transcript_runs import BEGINNING
from tui.render.call_view import CallView
from tui.render.calls import header_line, result_lines
from tui.render.clean import clean
from tui.render.lines import Line, plain_text
from tui.render.results import Entry, checklist, entries_of, facts_of, list_words, special_lines, standing_lines
from tui.screens.viewer import call_body

HOSTILE = "\x1b[31mred\x1b]8;;http://evil\x07 [@click=app.quit]x[/] \u202e\u200b\r\tend"
TODO = {
    "type": "todo",
    "items": [
        {"text": "Read", "status": "done"},
        {"text": "Write the tests", "status": "active"},
        {"text": "Check", "status": "pending"},
    ],
}
CALL = CallItem(
    item_id="c",
    call_id="c",
    tool="todo",
    time=BEGINNING,
    mono=0.0,
    arguments={"items": TODO["items"]},
    phase="finished",
    status="ok",
    seconds=0.5,
    output="The list has 3 entries.",
    display=TODO,
)


def shown(lines: list[Line] | None) -> list[str]:
    return ["".join(span.text for span in line.spans) for line in lines or []]


def of(view: CallView, width: int = 60) -> list[str]:
    view.build()
    return [text for block in view.blocks for text in shown(block.render(width))]


def test_a_checklist_says_without_colour_what_is_done() -> None:
    assert shown(special_lines(TODO, 40)) == ["    ✓ Read", "    ▸ Write the tests", "    ○ Check"]
    assert shown(special_lines({"type": "todo", "items": []}, 40)) == ["    the list is empty"]


def test_a_list_stands_below_its_call_folded_and_unfolded_and_is_not_said_twice() -> None:
    view = CallView(CALL)
    header = "✓ todo 1/3 Write the tests · done · 0.5 s"
    assert of(view) == [header, "    ✓ Read", "    ▸ Write the tests", "    ○ Check"]
    view.fold(True)
    assert of(view) == [header, "    ✓ Read", "    ▸ Write the tests", "    ○ Check"]
    assert view.copy().split("\n") == [
        "✓ todo 1/3 Write the tests · done · 0.5 s",
        "✓ Read",
        "▸ Write the tests",
        "○ Check",
    ]


def test_a_long_list_is_short_while_it_is_folded() -> None:
    entries = [Entry(clean(f"entry {number}"), "done" if number < 5 else "pending") for number in range(20)]
    assert shown(checklist(entries, 40, whole=False)) == [
        "    ✓ 3 more done",
        *("    ✓ entry 3", "    ✓ entry 4"),
        *(f"    ○ entry {number}" for number in range(5, 11)),
        "    … 9 more to do",
    ]
    assert len(checklist(entries, 40, whole=True)) == 20


def test_a_long_entry_goes_on_below_its_text() -> None:
    entries = [Entry(clean("one two three four"), "active")]
    assert shown(checklist(entries, 18, whole=True)) == ["    ▸ one two", "      three four"]


@pytest.mark.parametrize(
    ("statuses", "line"),
    [
        ("", "empty"),
        ("ppp", "0/3 next: a"),
        ("dap", "1/3 b"),
        ("ddd", "3/3 done"),
        ("dpd", "2/3 next: b"),
    ],
)
def test_where_a_list_stands_in_one_line(statuses: str, line: str) -> None:
    names = {"d": "done", "a": "active", "p": "pending"}
    entries = [Entry(clean(text), names[status]) for text, status in zip("abc", statuses, strict=False)]
    assert list_words(entries) == line


def test_a_question_and_its_answer() -> None:
    display = {"type": "answers", "question": "Which?\nOf these", "answers": ["this", "that one"], "reason": ""}
    expected = ["    ? Which?", "      Of these", "    → this", "    → that one"]
    assert shown(special_lines(display, 40)) == shown(standing_lines(display, 40)) == expected
    short = display | {"question": "Which?"}
    assert shown(standing_lines(short, 40)) == ["    → this", "    → that one"]
    assert shown(special_lines(short, 40))[0] == "    ? Which?"
    declined = display | {"answers": [], "reason": "declined"}
    assert shown(special_lines(declined, 40))[-1] == "    → no answer: declined"


DIFFS: dict[str, Any] = {
    "type": "diffs",
    "files": [
        {
            "path": "a.py",
            "diff": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n",
            "added": 1,
            "removed": 1,
            "new_file": False,
        },
        {
            "path": "b.py",
            "diff": "--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+z\n",
            "added": 1,
            "removed": 0,
            "new_file": True,
        },
    ],
}


def test_diffs_of_several_files() -> None:
    call = replace(CALL, tool="edit_files", display=DIFFS, arguments={"edits": [{"path": "a.py"}, {"path": "b.py"}]})
    assert shown([header_line(call, 80)]) == ["✓ edit_files 2 files: a.py, b.py · done · +2 -1 · 0.5 s"]
    assert shown(result_lines(call, 40)) == [
        "    a.py +1 -1",
        *("     @@ -1 +1 @@", "     -x", "     +y"),
        "    b.py +1 -0 (new file)",
        *("     @@ -0,0 +1 @@", "     +z"),
    ]
    view = CallView(call)
    assert len(of(view)) == 1
    view.fold(True)
    assert "edits" not in "".join(of(view)[1:])


@pytest.mark.parametrize(
    ("display", "facts"),
    [
        ({"type": "page", "status": 200, "bytes": 12_345}, ["HTTP 200", "12 kB"]),
        ({"type": "page", "status": 302, "bytes": 5, "moved": "x"}, ["HTTP 302", "redirects elsewhere", "5 bytes"]),
        ({"type": "media", "what": "a PNG picture", "width": 3, "height": 4}, ["a PNG picture 3x4, not shown"]),
        ({"type": "diff", "added": 1, "removed": 2}, ["+1 -2"]),
        ({"type": "text"}, []),
    ],
)
def test_facts_of_a_result(display: dict[str, Any], facts: list[str]) -> None:
    assert facts_of(display) == facts


@pytest.mark.parametrize(
    "display",
    [
        {"type": "todo", "items": [{"text": HOSTILE, "status": HOSTILE}, {"text": 5}, "x", None]},
        {"type": "todo", "items": HOSTILE},
        {"type": "answers", "question": HOSTILE, "answers": [HOSTILE, None], "reason": HOSTILE},
        {"type": "answers", "answers": [], "reason": HOSTILE},
        {
            "type": "diffs",
            "files": [{"path": HOSTILE, "diff": HOSTILE + "\n" + HOSTILE, "added": HOSTILE, "new_file": 1}, 7],
        },
        {"type": "page", "status": HOSTILE, "bytes": "many", "moved": HOSTILE},
        {"type": "media", "what": HOSTILE, "width": HOSTILE, "height": []},
    ],
)
def test_hostile_results_are_shown_marked(display: dict[str, Any]) -> None:
    call = replace(
        CALL, display=display, output=HOSTILE, arguments={"question": HOSTILE, "items": display.get("items", [])}
    )
    for tool in ("todo", "ask_user", "edit_files", "web_fetch", HOSTILE):
        view = CallView(replace(call, tool=tool))
        for expanded in (False, True):
            view.fold(expanded)
            for width in (10, 60):
                for text in of(view, width):
                    assert clean(text) == text
                    assert "\n" not in text
            assert not set(view.copy()) & {"\x1b", "\x07", "\u202e", "\u200b", "\r", "\t"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["text", "status", "items", "files", "path", "diff", "answers"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["todo", "answers", "diffs", "diff", "page", "media"]),
    st.dictionaries(
        st.sampled_from(
            ["items", "files", "answers", "question", "reason", "diff", "added", "status", "bytes", "what"]
        ),
        _JSON,
    ),
)
def test_a_result_of_any_form_is_shown(kind: str, fields: dict[str, Any]) -> None:
    display = fields | {"type": kind}
    call = replace(CALL, display=display, arguments=fields)
    for width in (5, 50):
        for line in [header_line(call, width), *(special_lines(display, width) or []), *standing_lines(display, width)]:
            assert plain_text([line]) == clean(plain_text([line]))
    entries_of(display)


def test_the_screen_of_a_call_shows_the_changes_of_each_file() -> None:
    call = replace(CALL, tool="edit_files", display=DIFFS, arguments={"edits": []})
    body = call_body(call).plain
    assert "\nChanges\na.py  +1 -1\n" in body
    assert "b.py  new file, +1 -0\n@@ -0,0 +1 @@\n+z\n" in body
