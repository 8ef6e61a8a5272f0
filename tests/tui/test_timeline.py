"""The pane of the tool calls: what runs and for how long, and what a call that was cut may have done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from runner.messages import SideEffects, ToolStatus
from runner.state import CallItem
from tests.tui.transcript_runs import BEGINNING
from tui.widgets.timeline import Timeline, effects_of, heading

CALL = CallItem(
    item_id="c",
    call_id="c",
    tool="shell",
    time=BEGINNING,
    mono=100.0,
    arguments={"command": "cd src && pytest -q"},
)
RUNS = replace(CALL, phase="running", started_mono=100.0)
CUT = replace(CALL, phase="finished", started_mono=100.0, seconds=11.0, status="interrupted")


def row(call: CallItem, width: int = 38, now: float = 112.5) -> str:
    timeline = Timeline()
    timeline._now = now  # pyright: ignore[reportPrivateUsage]
    drawn = timeline.draw(call, width, selected=False).plain
    assert cell_len(drawn) == width
    return " ".join(drawn.split())


def test_a_running_call_shows_its_process_and_seconds() -> None:
    assert row(RUNS) == "● running shell cd src && pytest… 12 s"
    assert row(replace(RUNS, process="pytest -q", pid=7)) == "● running shell pytest -q 12 s"
    assert row(replace(RUNS, process="pytest -q"), now=230.0) == "● running shell pytest -q 2 min 10 s"
    assert row(replace(CUT, status="ok", process="pytest -q")) == "✓ ok shell cd src && pytest… 11 s"
    assert row(CALL) == "○ queued shell cd src && pytest -q"


@pytest.mark.parametrize(
    ("status", "effects", "narrow", "wide"),
    [
        ("interrupted", "unknown", "effects?", "effects? 11 s"),
        ("interrupted", "none", "no effects", "no effects 11 s"),
        ("interrupted", "done", "had effects", "had effects 11 s"),
        ("cancelled", "unknown", "effects?", "effects? 11 s"),
        ("timeout", "unknown", "effects?", "effects? 11 s"),
        ("error", "unknown", "11 s", "11 s"),
        ("ok", "none", "11 s", "11 s"),
    ],
)
def test_a_call_that_was_cut_says_what_it_may_have_done(
    status: ToolStatus, effects: SideEffects, narrow: str, wide: str
) -> None:
    call = replace(CUT, status=status, side_effects=effects)
    assert row(call).endswith(f" {narrow}")
    assert row(call, 48).endswith(f" {wide}")
    short, sentence = effects_of(call)
    assert bool(short) == bool(sentence) == (status in ("interrupted", "cancelled", "timeout"))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (CALL, "shell has not run"),
        (RUNS, "shell prints"),
        (replace(RUNS, pid=4711), "shell prints · process 4711"),
        (replace(RUNS, activity="compiling", progress=0.5), "shell: compiling (50%)"),
        (replace(CUT, status="ok"), "shell gave"),
        (
            replace(CUT, side_effects="unknown"),
            "shell was cut: it may have had effects, check before relying on it",
        ),
        (replace(CUT, side_effects="none"), "shell was cut: it changed nothing"),
    ],
)
def test_the_output_below_says_what_it_is(call: CallItem, text: str) -> None:
    assert heading(call) == text
