"""Tool calls on one line and unfolded, and diffs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.log import AppendLog
from runner.messages import JsonObject
from runner.state import ApprovalView, CallItem
from tests.tui.transcript_runs import BEGINNING
from tui.render.call_view import CallView
from tui.render.calls import detail_lines, ending_lines, header_line, output_lines, result_lines
from tui.render.clean import Clean, clean
from tui.render.diff import diff_lines
from tui.render.ticking_view import LiveOutput

CALL = CallItem(item_id="c", call_id="c", tool="shell", time=BEGINNING, mono=0.0, arguments={"command": "make all"})
DONE = replace(CALL, phase="finished", status="ok", seconds=1.25)
APPROVAL = ApprovalView(
    request_id="r",
    call_id="c",
    tool="shell",
    agent="deck",
    arguments={},
    preview={},
    why="shell asks",
    options=(),
    time=BEGINNING,
    mono=0.0,
)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            replace(CALL, phase="writing", arguments="", written=AppendLog(('{"comm', 'and": "ma'))),
            '… shell {"command": "ma · writing',
        ),
        (CALL, "· shell make all · next"),
        (replace(CALL, phase="waiting"), "? shell make all · waits for you"),
        (replace(CALL, phase="running"), "● shell make all · running"),
        (
            replace(CALL, phase="running", activity="compiling", progress=0.5),
            "● shell make all · running · compiling · 50 %",
        ),
        (DONE, "✓ shell make all · done · 1.2 s"),
        (
            replace(DONE, status="error", output="\n  no such file\nmore"),
            "✗ shell make all · failed · no such file · 1.2 s",
        ),
        (replace(DONE, display={"type": "command_result", "exit_code": 2}), "! shell make all · exit 2 · 1.2 s"),
        (
            replace(DONE, status="timeout", side_effects="unknown"),
            "✗ shell make all · timed out · may have had effects · 1.2 s",
        ),
        (
            replace(DONE, status="denied", approval=replace(APPROVAL, reason="not now")),
            "⊘ shell make all · denied · not now",
        ),
        (replace(DONE, status="skipped", output="was not executed"), "○ shell make all · skipped"),
        (replace(DONE, display={"type": "diff", "added": 3, "removed": 1}), "✓ shell make all · done · +3 -1 · 1.2 s"),
        (replace(DONE, tool="search", arguments={"pattern": "a+", "path": "src"}), "✓ search a+ in src · done · 1.2 s"),
        (
            replace(DONE, tool="read_file", arguments={"path": "a.py", "start": 1, "end": 9}),
            "✓ read_file a.py:1-9 · done · 1.2 s",
        ),
        (replace(DONE, tool="other", arguments={"n": 1, "flag": True}), "✓ other n=1, flag=true · done · 1.2 s"),
        (replace(DONE, arguments={"command": "ls \x1b[2K\u202e"}), "✓ shell ls ␛⟦U+202E⟧ · done · 1.2 s"),
    ],
)
def test_the_short_form(call: CallItem, line: str) -> None:
    assert header_line(call, 100).text == line


# Characters that this Python's Unicode tables do not know count as not printable.
ASSIGNED = st.characters(exclude_categories=["Cn", "Co"])


@given(
    st.integers(20, 120), st.text(ASSIGNED, max_size=80), st.text(ASSIGNED, max_size=30), st.text(ASSIGNED, max_size=80)
)
def test_the_short_form_is_one_line_that_fits(width: int, argument: str, tool: str, output: str) -> None:
    call = replace(DONE, tool=tool, arguments={"command": argument}, status="error", output=output)
    line = header_line(call, width)
    assert line.cells <= width
    assert line.text.isprintable()
    assert " · failed" in line.text


def test_a_running_call_shows_for_how_long() -> None:
    view = CallView(replace(CALL, phase="running", started_mono=10.0))
    view.build()
    assert view.tick(14.9) == 0
    assert view.blocks[0].render(80)[0].text.endswith("running · 4 s")
    assert view.tick(14.95) == 1


def rows(lines: list[object]) -> list[str]:
    return [str(getattr(line, "text", "")) for line in lines]


def test_unfolded_it_shows_arguments_approval_output_and_end() -> None:
    call = replace(
        DONE,
        arguments={"command": "make\nmake install", "timeout": 5},
        approval=replace(APPROVAL, decision="allow", by="user", scope="run"),
        output="\x1b[32mok\x1b[0m\n 1 %\r 99 %\n",
        display={"type": "command_result", "exit_code": 0},
        truncated=True,
        artifact="a",
    )
    view = CallView(call)
    view.expanded = True
    view.build()
    assert [line.text for block in view.blocks for line in block.render(60)] == [
        "✓ shell make make install · done · 1.2 s",
        "    command ",
        "      make",
        "      make install",
        "    timeout 5",
        "    allowed by you for this run, after 0.0 s",
        "    ok",
        "     99 %",
        "    exit code 0 · the model read a shortened output, the",
        "    whole is stored",
    ]


def test_a_diff_takes_the_place_of_the_arguments_it_repeats() -> None:
    display: JsonObject = {"type": "diff", "path": "a", "diff": "@@ -1 +1 @@\n-a\n+b\n", "added": 1, "removed": 1}
    call = replace(DONE, tool="edit_file", arguments={"path": "a", "old": "a", "new": "b"}, display=display)
    assert [line.text for line in detail_lines(call, 60)] == ["    path a"]
    found = result_lines(call, 60)
    assert found is not None
    assert [line.text for line in found] == ["     @@ -1 +1 @@", "     -a", "     +b"]


def test_what_is_asked_for_shows_its_diff_before_it_is_done() -> None:
    approval = replace(APPROVAL, preview={"type": "diff", "diff": "@@ -0,0 +1 @@\n+new\n"})
    call = replace(CALL, phase="waiting", approval=approval)
    assert result_lines(call, 60) is not None
    assert "asks because shell asks" in [line.text.strip() for line in detail_lines(call, 60)]


def test_inside_a_hunk_its_counts_decide_what_a_line_is() -> None:
    diff = (
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a removed rule\n+++ an added one\n same\n\\ No newline at end of file\n"
    )
    inks = [line.spans[-1].ink.colour for line in diff_lines(Clean(diff), 80)]
    assert inks == ["muted", "muted", "diff.hunk", "diff.removed", "diff.added", "diff.context", "diff.context"]
    assert [line.ground for line in diff_lines(Clean(diff), 80)][3:5] == ["diff.removed_bg", "diff.added_bg"]


@given(st.text(st.sampled_from("@-+ ,1290a\n\\"), max_size=80))
def test_any_text_is_a_harmless_diff(text: str) -> None:
    assert "".join(line.plain for line in diff_lines(clean(text), 300)).replace("\n", "").replace(" ", "") in (
        text.removesuffix("\n").replace("\n", "").replace(" ", ""),
    )


def test_a_long_output_shows_its_end_and_counts_the_rest() -> None:
    lines = output_lines(Clean("\n".join(f"row {number}" for number in range(500))), 60, earlier=7)
    assert lines[0].text == "    … 307 earlier lines"
    assert lines[-1].text == "    row 499"


def test_live_output_goes_on_and_starts_again_when_it_was_cut() -> None:
    live = LiveOutput(kept=3)
    log: AppendLog[str] = AppendLog(("one\ntwo\n", "thr"))
    live.update(replace(CALL, live_output=log))
    assert live.text == "one\ntwo\nthr"
    log = log.append("ee\nfour\n 5 %\r 6 %")
    live.update(replace(CALL, live_output=log))
    assert (live.text, live.earlier) == ("two\nthree\nfour\n 6 %", 1)
    live.update(replace(CALL, live_output=AppendLog(("again\n",))))
    assert (live.text, live.earlier) == ("again", 0)


def test_nothing_below_a_call_that_ended_plainly() -> None:
    assert ending_lines(DONE, 60) == []
    assert rows(list(ending_lines(replace(DONE, display={"signal": "SIGKILL"}), 60))) == ["    ended by signal SIGKILL"]
