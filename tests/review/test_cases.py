"""Tagged turns as test cases: what is in one, that it can be run again, and that nothing of it is lost on the way."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import Agent, Runner, Store, tool
from runner.errors import InputError
from runner.events import MessageDelivered
from runner.inputs import read_input
from runner.messages import AssistantMessage, ToolResult, UserMessage
from runner.review.cases import Case, CaseMetadata, Expected, ExpectedCall, cases, from_jsonl, to_jsonl
from runner.testing import ScriptedModel, calls, reply
from runner.usage import Price, Usage
from tests.store.making import Maker, a_call, short_run, write
from tests.store.random_runs import random_run
from tui.cli import main_with

SECRET = "sk-abcdefghijklmnopqrstuvwx"
PRICE = Price(input=Decimal(1), output=Decimal(1))


@tool(read_only=True)
def depth(place: str) -> str:
    """How deep the water is.

    Args:
        place: of the harbour
    """
    return f"{len(place)} m"


def harbour(*responses: Any) -> Agent:
    model = ScriptedModel(responses, price=PRICE)
    return Agent(name="pilot", instructions="You know the harbour.", model=model, tools=[depth])


async def test_a_tagged_turn_is_run_again_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], isolated_environment: Path
) -> None:
    sounding = reply(calls(("depth", {"place": "quay"}), ("depth", {"place": "pier"})))
    with Store.open() as store:
        runner = Runner(store=store)
        first = await runner.run(harbour(reply(calls(("depth", {"place": "bar"}))), "Three."), f"My key is {SECRET}.")
        again = runner.start(harbour(sounding, "Four and four."), "And quay and pier?", _in(first.session_id))
        second = await again.result()
        store.tag(first.session_id, "deep", run_id=second.run_id, turn=2)
        store.tag(first.session_id, "deep", "slow", run_id=second.run_id, turn=1)
        store.tag(first.session_id, "deep", run_id=first.run_id, turn=2)
        store.tag(first.session_id, "deep")
        store.set_note(first.session_id, "both at once", run_id=second.run_id, turn=1)
        found = list(cases(store, "#Deep", redact=False))
        masked = list(cases(store, "deep"))
    one, two = found
    assert [(case.run_id, case.turn, case.id) for case in found] == [
        (first.run_id, 2, f"{first.run_id}:2"),
        (second.run_id, 1, f"{second.run_id}:1"),
    ]
    assert [message["role"] for message in two.input] == ["user", "assistant", "tool", "assistant", "user"]
    assert two.expected == Expected(
        answer="Four and four.",
        calls=(
            ExpectedCall(tool="depth", arguments={"place": "quay"}, status="ok", output="4 m"),
            ExpectedCall(tool="depth", arguments={"place": "pier"}, status="ok", output="4 m"),
        ),
        reason="complete",
    )
    assert (two.agent, two.model) == ("pilot", "test/scripted")
    assert (two.metadata.tags, two.metadata.notes) == (("deep", "slow"), ("both at once",))
    assert (two.metadata.usage, two.metadata.cost_usd) == (second.usage, second.cost_usd)
    assert (one.metadata.turns, two.metadata.turns) == (2, 2)
    # Another model is given the same, and what it does is set beside what was expected.
    for reason, responses in (("", (sounding, "Four and four.")), ("answer", ("No idea.",))):
        with Store.open(tmp_path / f"again{reason}") as store:
            done = await Runner(store=store).run(harbour(*responses), list(two.input))
            assert done.history[: len(two.input)] == read_input(two.input)
            store.tag(done.session_id, "tried", run_id=done.run_id, turn=1)
            (tried,) = cases(store, "tried", redact=False)
        assert tried.input == two.input
        assert (tried.expected == two.expected) == (not reason)
    assert SECRET in one.input[0]["content"]
    assert masked[0].input[0]["content"] == "My key is [masked: API key]."
    assert masked[1].expected == two.expected
    _command_writes_the_same(tmp_path, capsys, found, masked)


def _in(session_id: str) -> Any:
    from runner import RunConfig

    return RunConfig(session_id=session_id)


def _command_writes_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], found: list[Case], masked: list[Case]
) -> None:
    file = folder / "deep.jsonl"
    assert main_with(["sessions", "cases", "deep", "-o", str(file)]) == 0
    with file.open(encoding="utf-8") as lines:
        assert list(from_jsonl(lines)) == masked
    assert file.stat().st_mode & 0o777 == 0o600
    assert main_with(["sessions", "cases", "deep", "-o", str(file)]) == 2
    capsys.readouterr()
    assert main_with(["sessions", "cases", "deep", "--no-redact"]) == 0
    assert list(from_jsonl(capsys.readouterr().out.splitlines())) == found
    assert main_with(["sessions", "cases", "shallow"]) == 1
    assert "nothing is tagged shallow" in capsys.readouterr().err


def test_a_case_begins_at_the_prompt_of_its_turn_and_ends_before_the_next(tmp_path: Path) -> None:
    maker = Maker()
    maker.begin("first")
    maker.begin_turn()
    maker.request()
    maker.answer("one", cost=Decimal(1))
    maker.add(MessageDelivered(message_id="m1", text="second"))
    maker.begin_turn()
    maker.request()
    maker.answer("", calls=(a_call(),), cost=Decimal(2))
    maker.propose(a_call())
    maker.finish_call(a_call())
    maker.add(MessageDelivered(message_id="m2", text="go on", by="runner"))
    maker.begin_turn()
    maker.request()
    maker.answer("two", cost=None)
    unfinished = short_run("run-2", text="third")
    unfinished.events = unfinished.events[:-1]
    with Store.open(tmp_path) as store:
        write(store, maker.events)
        write(store, unfinished.events)
        for turn in (1, 3):
            store.tag("session-1", "x", run_id="run-1", turn=turn)
        store.tag("session-1", "x", run_id="run-2", turn=1)
        # What goes on still has no end that could be expected.
        assert [case.turn for case in cases(store, "x")] == [1]
        maker.end("error")
        write(store, maker.events[-3:])
        one, two = cases(store, "x")
    assert [(case.input[-1]["content"], case.expected.answer, case.expected.reason) for case in (one, two)] == [
        ("first", "one", ""),
        ("second", "two", "error"),
    ]
    assert [call.tool for call in two.expected.calls] == ["shell"]
    assert (one.metadata.cost_usd, two.metadata.cost_usd, two.metadata.turns) == (Decimal(1), None, 2)
    assert one.input == two.input[:1]


def test_every_turn_of_any_run_makes_a_case_that_a_runner_takes(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        made = [random_run(random.Random(seed), f"run-{seed}", f"session-{seed % 2}") for seed in range(10)]
        for maker in made:
            write(store, maker.events)
            for turn in range(1, maker.turn + 1):
                store.tag(maker.session_id, "all", run_id=maker.run_id, turn=turn)
        found = list(cases(store, "all", redact=False))
    by_run = {maker.run_id: [case for case in found if case.run_id == maker.run_id] for maker in made}
    assert sum(map(len, by_run.values())) == len(found) > 5
    for maker in made:
        mine = by_run[maker.run_id]
        assert sum(case.metadata.turns for case in mine) <= maker.turn
        assert sum(case.metadata.usage.total for case in mine) <= maker.state.usage.total
    for case in found:
        messages = read_input(case.input)
        assert isinstance(messages[-1], UserMessage)
    assert list(from_jsonl(to_jsonl(found))) == found


_TEXT = st.text(max_size=8) | st.just("\ud800")
_ARGUMENTS = st.dictionaries(_TEXT, st.integers() | _TEXT | st.lists(st.booleans() | st.none(), max_size=2), max_size=2)
_CASES = st.builds(
    Case,
    id=_TEXT,
    session_id=_TEXT,
    run_id=_TEXT,
    turn=st.integers(0, 9),
    agent=_TEXT,
    model=_TEXT,
    input=st.lists(_ARGUMENTS, max_size=2).map(tuple),
    expected=st.builds(
        Expected,
        answer=_TEXT,
        reason=_TEXT,
        calls=st.lists(
            st.builds(
                ExpectedCall,
                tool=_TEXT,
                arguments=st.none() | _ARGUMENTS,
                status=st.sampled_from(("ok", "error", "skipped")),
                output=_TEXT,
            ),
            max_size=2,
        ).map(tuple),
    ),
    metadata=st.builds(
        CaseMetadata,
        tags=st.lists(_TEXT, max_size=2).map(tuple),
        notes=st.lists(_TEXT, max_size=2).map(tuple),
        turns=st.integers(0, 9),
        usage=st.builds(Usage, input=st.integers(0, 10**12)),
        cost_usd=st.none() | st.decimals(0, 10**6, places=12),
        seconds=st.floats(0, 1e6),
        workspace=_TEXT,
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_CASES, max_size=2))
def test_lines_of_json_give_the_same_cases_back(found: list[Case]) -> None:
    lines = list(to_jsonl(found))
    assert all("\n" not in line for line in lines)
    assert list(from_jsonl(["", *lines, "\n"])) == found


def test_what_cannot_be_read_is_refused_with_its_line() -> None:
    known = {"format": 1, "id": "a"}
    for line, said in (
        ("[]", "a case is a JSON object"),
        ("{", "line 2: Expecting"),
        (json.dumps({**known, "format": 2}), "its format is 2; this program reads 1"),
        (json.dumps(known), "line 2: .*session_id"),
    ):
        with pytest.raises(InputError, match=said):
            list(from_jsonl(["", line]))


def test_messages_with_calls_are_taken_as_json() -> None:
    call = {"call_id": "c1", "tool": "depth", "arguments": {"place": "quay"}}
    user = {"role": "user", "content": "how deep?"}
    asked = {"role": "assistant", "content": "", "tool_calls": [call]}
    told = {"role": "tool", "content": "4 m", "call_id": "c1", "tool": "depth", "status": "error"}
    _, assistant, result, _ = read_input([user, asked, told, user])
    assert isinstance(assistant, AssistantMessage)
    assert (assistant.finish_reason, assistant.tool_calls[0].arguments) == ("tool_calls", {"place": "quay"})
    assert result == ToolResult(call_id="c1", tool="depth", output="4 m", status="error")
    wrongs: tuple[tuple[dict[str, Any], str], ...] = (
        ({**asked, "tool_calls": {}}, "message 1: tool_calls is dict, not a list"),
        ({**asked, "tool_calls": ["x"]}, "message 1: a tool call is str"),
        ({**asked, "tool_calls": [{**call, "arguments": "{}"}]}, "arguments are str, not an object"),
        ({**asked, "tool_calls": [{**call, "arguments": {"x": {1}}}]}, "are no JSON"),
        ({**asked, "tool_calls": [{**call, "tool": ""}]}, "message 1: tool is '', not a text"),
        (asked, "the call of 'depth' before it has no result"),
        ({**told, "status": "fine"}, "status is 'fine'; give one of cancelled, denied"),
        ({**told, "call_id": None}, "call_id is None"),
        ({"role": "system", "content": ""}, "give user, assistant or tool"),
    )
    for wrong, said in wrongs:
        with pytest.raises(InputError, match=said):
            read_input([user, wrong, user])
