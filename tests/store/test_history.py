"""A history that every provider takes, whatever happened to its rows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runner import Agent, RunConfig, Runner
from runner.clock import SystemClock
from runner.config import Compaction
from runner.events import CompactionFinished, CompactionStarted, RunStarted, TurnFinished
from runner.ids import SequentialIds
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.store import Store
from runner.store.history import NO_RESULT, valid_history
from runner.testing.invariants import check_history
from runner.testing.scripted import ScriptedModel, reply, text, usage
from runner.usage import Usage
from tests.store.making import Maker, a_call, kill_owner, write


def asks(*calls: str) -> AssistantMessage:
    return AssistantMessage(text="t", tool_calls=tuple(ToolCall(call_id=call, tool="t") for call in calls))


def result(call: str, output: str = "o") -> ToolResult:
    return ToolResult(call_id=call, tool="t", output=output)


USER = UserMessage(text="u")


def test_a_valid_history_comes_back_as_it_is() -> None:
    messages: list[Message] = [USER, asks("a", "b"), result("b"), result("a"), asks("c"), result("c"), asks(), USER]
    assert valid_history(messages) == messages
    assert valid_history([]) == []


def test_what_is_missing_is_made_and_what_is_late_moves_up() -> None:
    messages: list[Message] = [USER, asks("a", "b", "c"), result("b"), USER, result("a"), asks()]
    made = ToolResult(call_id="c", tool="t", output=NO_RESULT, status="interrupted")
    assert valid_history(messages) == [USER, asks("a", "b", "c"), result("b"), result("a"), made, USER, asks()]


def test_orphans_and_second_results_are_left_out() -> None:
    messages: list[Message] = [result("x"), USER, asks("a"), result("a", "first"), result("a", "second"), result("y")]
    assert valid_history(messages) == [USER, asks("a"), result("a", "first")]


@given(data=st.data())
def test_any_damage_is_mended(data: st.DataObject) -> None:
    whole: list[Message] = [USER, asks("a", "b"), result("a"), result("b"), asks("c"), USER, result("c"), asks("d")]
    kept = [message for message in whole if data.draw(st.booleans())]
    damaged = data.draw(st.permutations(kept)) if data.draw(st.booleans()) else kept
    mended = valid_history(damaged)
    assert check_history(mended) == []
    assert [message for message in mended if not isinstance(message, ToolResult)] == [
        message for message in damaged if not isinstance(message, ToolResult)
    ]


def run_of(number: int, *, recalls: bool = True) -> Maker:
    """A run of two turns, not yet ended."""
    maker = Maker(run_id=f"run-{number}")
    config = {"include_context": recalls}
    maker.add(RunStarted(input=(UserMessage(text=f"question {number}"),), model="demo/pilot", config=config))
    call = a_call(run_id=maker.run_id)
    for said, calls in ((f"looking {number}", (call,)), (f"answer {number}", ())):
        maker.begin_turn()
        maker.request()
        maker.answer(said, calls)
        for each in calls:
            maker.propose(each)
            maker.finish_call(each)
        maker.add(TurnFinished())
    return maker


def compact(maker: Maker, summary: str, prior_dropped: int, dropped: int) -> Maker:
    maker.add(CompactionStarted(tokens_before=9, model="demo/pilot"))
    maker.add(
        CompactionFinished(
            tokens_before=9,
            summary=summary,
            prior_dropped=prior_dropped,
            dropped=dropped,
            model="demo/pilot",
            usage=Usage(input=9),
            cost_usd=Decimal(0),
        )
    )
    return maker


def texts(store: Store) -> list[str]:
    history = store.history("session-1")
    assert check_history(history) == []
    said = [message.output if isinstance(message, ToolResult) else message.text for message in history]
    return [each.rpartition("\n")[2] for each in said]


def test_a_summary_stands_in_the_place_of_what_it_sums_up(store: Store) -> None:
    """Over several runs, of which one did not recall what was before it; nothing stored is changed by it."""
    first = run_of(1)
    first.end()
    write(store, first.events)
    assert texts(store) == ["question 1", "looking 1", "done", "answer 1"]
    second = compact(run_of(2), "of run 1 and the start of run 2", prior_dropped=4, dropped=3)
    second.end()
    write(store, second.events)
    assert texts(store) == ["of run 1 and the start of run 2", "answer 2"]
    alone = compact(run_of(3, recalls=False), "of run 3", prior_dropped=0, dropped=3)
    alone.end()
    write(store, alone.events)
    assert texts(store) == ["of run 1 and the start of run 2", "answer 2", "of run 3", "answer 3"]
    # The last summary of a run counts from the start of what the run recalled.
    fourth = compact(compact(run_of(4), "not enough", 2, 0), "of nearly all", 3, 0)
    fourth.end()
    write(store, fourth.events)
    assert texts(store) == ["of nearly all", "answer 3", "question 4", "looking 4", "done", "answer 4"]
    assert [len(state.history) for state in store.runs("session-1")] == [4, 4, 4, 4]
    exported = "".join(store.export("session-1", "markdown"))
    assert "question 1" in exported
    assert "of run 1 and the start of run 2" in exported


def test_a_run_cut_in_the_middle_keeps_its_summary(store: Store) -> None:
    maker = compact(run_of(1), "of the start", prior_dropped=0, dropped=3)
    call = a_call(9)
    maker.begin_turn()
    maker.request()
    maker.answer("cut here", (call,))
    write(store, maker.events)
    kill_owner(store.path)
    store.recover(SystemClock())
    assert texts(store)[:3] == ["of the start", "answer 1", "cut here"]
    assert len(texts(store)) == 4


async def test_what_the_store_recalls_is_what_the_last_run_had_in_mind(store: Store, tmp_path: Path) -> None:
    """The loop and the store apply a summary in the same way, whatever was said in between."""
    answers = [reply(text(f"answer {number} " + "x" * 400), usage(2000, 100)) for number in range(40)]
    model = ScriptedModel(answers, name="demo/small", context_window=1500)
    runner = Runner(store=store, ids=SequentialIds())
    agent = Agent(name="deck", model=model)
    summaries = 0
    for number in range(6):
        config = RunConfig(
            workspace=tmp_path,
            session_id="session-1",
            compaction=Compaction(at=0.3, keep_turns=1),
            include_context=number != 3,
        )
        result = await runner.run(agent, f"question {number} " + "y" * 400, config)
        assert result.status == "completed"
        (state,) = (state for state in store.runs("session-1") if state.run_id == result.run_id)
        summaries += state.compacted is not None
        recalled = store.history("session-1")
        assert recalled[-len(result.history) :] == result.history
        if number != 3:
            assert recalled == result.history
        assert check_history(recalled) == []
    assert summaries >= 2
