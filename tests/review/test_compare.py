"""Two sessions side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.importing.build import runs_of
from runner.importing.codex import read_codex
from runner.log import AppendLog
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.review import aligning
from runner.review.compare import compare, steps_of
from runner.state import RunState
from runner.store import Store
from runner.usage import Cost
from tests.importing.test_reading import sample
from tui.cli import main_with


def run(*messages: Message, **more: Any) -> RunState:
    return replace(RunState(history=AppendLog(messages)), **more)


def asks(tool: str, call_id: str, text: str = "", /, **arguments: object) -> AssistantMessage:
    return AssistantMessage(text=text, tool_calls=(ToolCall(call_id=call_id, tool=tool, arguments=arguments),))


def gives(call_id: str, output: str = "done") -> ToolResult:
    return ToolResult(call_id=call_id, tool="", output=output)


GO = UserMessage(text="go")
BYE = AssistantMessage(text="bye")


def test_where_they_part_and_what_only_one_did() -> None:
    a = [run(GO, asks("read", "1", path="x"), gives("1"), asks("shell", "2", command="ls"), gives("2"), BYE)]
    b = [run(GO, asks("read", "9", path="x"), gives("9", "gone"), asks("read", "8", path="y"), gives("8"), BYE)]
    found = compare(a, b)
    assert [(row.same, row.same_outcome) for row in found.rows] == [
        (True, True),
        (True, False),
        (False, False),
        (False, False),
        (True, True),
    ]
    assert found.parted == 2
    assert [step.tool for step in found.only("a")] == ["shell"]
    assert [(step.tool, step.turn) for step in found.only("b")] == [("read", 2)]


def test_what_differs_stands_beside_what_took_its_place() -> None:
    a = [run(GO, asks("shell", "1", command="ls"), gives("1"), AssistantMessage(text="three files"))]
    b = [run(GO, asks("shell", "1", command="ls -a"), gives("1"), AssistantMessage(text="five files"))]
    _, call, answer = compare(a, b).rows
    assert call.a is not None
    assert call.b is not None
    assert ("ls" in call.a.text, "ls -a" in call.b.text, call.same) == (True, True, False)
    assert (answer.a, answer.b) == (steps_of(a)[-1], steps_of(b)[-1])


def test_the_order_of_arguments_and_the_ids_of_calls_mean_nothing() -> None:
    a = [run(GO, asks("edit", "1", path="x", text="y"), gives("1"))]
    b = [run(GO, asks("edit", "2", text="y", path="x"), gives("2"))]
    assert compare(a, b).parted is None
    assert compare(a, b).rows[-1].same_outcome


def test_totals_are_those_of_the_runs() -> None:
    a = [
        run(cost=Cost(known=Decimal("0.25")), turns_accepted=2, tool_calls=1),
        run(cost=Cost(unknown=1), turns_accepted=3, active_seconds=2.5),
    ]
    total = compare(a, []).a
    assert (total.runs, total.turns, total.calls, total.seconds) == (2, 5, 1, 2.5)
    assert (total.cost.known, total.cost.total) == (Decimal("0.25"), None)


STEPS = st.lists(st.sampled_from("abc"), max_size=12)


@settings(deadline=None, max_examples=60)
@given(a=STEPS, b=STEPS)
def test_nothing_is_lost_doubled_or_moved(a: list[str], b: list[str]) -> None:
    one = [run(*(AssistantMessage(text=text) for text in a))]
    other = [run(*(asks(text, str(number)) for number, text in enumerate(b)))]
    for left, right in ((one, one), (one, other), (other, one)):
        found = compare(left, right)
        assert [row.a for row in found.rows if row.a] == steps_of(left)
        assert [row.b for row in found.rows if row.b] == steps_of(right)
        assert all(row.a or row.b for row in found.rows)
    assert compare(one, one).parted is None


@settings(deadline=None, max_examples=80)
@given(a=STEPS, b=STEPS, most=st.sampled_from([aligning.MOST_CELLS, 6]))
def test_what_both_have_is_as_long_as_it_can_be(a: list[str], b: list[str], most: int) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aligning, "MOST_CELLS", most)
        found = aligning.common(a, b)
    assert len(found) == table[-1][-1]
    assert all(a[i] == b[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))


def test_thousands_of_steps_that_are_mostly_alike_are_aligned_at_once() -> None:
    a = [AssistantMessage(text="abc"[number % 3]) for number in range(5000)]
    b = [AssistantMessage(text="abcd"[number % 4]) for number in range(5000)]
    found = compare([run(*a)], [run(*b)])
    assert sum(row.same for row in found.rows) >= 3333
    assert compare([run(*a)], [run(*a)]).parted is None


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The ids of two sessions: the second is the first without its second run."""
    for name in ("HOME", "QUARTERDECK_DATA", "QUARTERDECK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    lines = sample("codex")
    with Store.open(tmp_path) as store:
        a = store.bring_in("codex", list(runs_of(read_codex(lines))))
        shorter = [line.replace("8ea6a8411e9c", "8ea6a8411e9d") for line in lines[:34]]
        b = store.bring_in("codex", list(runs_of(read_codex(shorter))))
    return a.session_id, b.session_id


def test_the_commands(stored: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    a, b = stored
    assert main_with(["compare", a, b]) == 0
    text = capsys.readouterr().out
    assert "They part at turn 3, after 6 steps in common." in text
    assert "> now something else" in text
    assert main_with(["compare", a, a, "--all"]) == 0
    text = capsys.readouterr().out
    assert "the same from beginning to end" in text
    assert "hello-from-logprobe" in text
    assert main_with(["compare", a, b, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["parted"], len(found["rows"]), found["a"]["turns"], found["b"]["turns"]) == (6, 8, 4, 3)
    assert main_with(["replay", b, "--speed", "max"]) == 0
    played = capsys.readouterr()
    assert played.out.count("ZQSTARTL1QZ") == 1
    assert "> please run the probe" in played.out
    assert "completed: 3 turns" in played.err
    assert main_with(["replay", b, "--json", "--speed", "100x"]) == 0
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert (kinds[0], kinds[-1], "text_delta" in kinds) == ("run_started", "run_finished", False)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["replay", "x", "--speed", "0"], "--speed: '0' is not a speed"),
        (["replay", "x", "--speed", "nan"], "--speed: 'nan' is not a speed"),
        (["replay", "x", "--max-wait", "-1"], "--max-wait: '-1' is not a time"),
        (["replay", "nothing"], "no session has the id 'nothing'"),
        (["compare", "nothing", "nowhere"], "no session has the id 'nothing'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: list[str], problem: str, stored: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(stored) == 2
    assert main_with(words) == 2
    said = capsys.readouterr().err
    assert problem in said
    assert said.count("\n") == 1
