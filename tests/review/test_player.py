"""A recording at any position: always what a fold of all that came before gives, whichever way it got there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import (
    ApprovalRequested,
    AttemptDiscarded,
    ErrorInfo,
    ErrorOccurred,
    Event,
    MessageDelivered,
    MessageQueued,
    ModelResponded,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from runner.importing.build import runs_of
from runner.importing.codex import read_codex
from runner.log import AppendLog
from runner.messages import ToolCall
from runner.review import reel as reels
from runner.review.player import Player
from runner.review.reel import Position, Reel
from runner.state import RunState, TextItem, fold, reduce
from runner.store import Store
from tests.importing.test_reading import sample
from tests.store.making import Maker, write

CALL = ToolCall(call_id="c1", tool="shell", arguments_json='{"command": "ls"}', arguments={"command": "ls"})


class Slow(Maker):
    """Its clock stands still between two events that do not say how long it took."""

    passed = 0.0

    def add(self, event: Event, seconds: float = 0.0) -> Event:
        from dataclasses import replace

        self.passed += seconds
        super().add(event)
        moment = {"time": self.start + timedelta(seconds=self.passed), "mono": 100.0 + self.passed}
        self.events[-1] = replace(self.events[-1], **moment)
        return self.events[-1]

    def answered(self, seconds: float, first: float, text: str, calls: tuple[ToolCall, ...] = ()) -> None:
        self.add(
            ModelResponded(
                model="demo/pilot",
                text=text,
                reasoning="I think. " * 4,
                tool_calls=calls,
                finish_reason="tool_calls" if calls else "stop",
                seconds=seconds,
                first_token_seconds=first,
            ),
            seconds,
        )


def recorded(session_id: str = "session-1", workspace: str = "/somewhere") -> list[Maker]:
    """Three runs: an attempt that fails, an approval, a message while an answer is written; one that was cut off."""
    one = Slow(run_id="run-1", session_id=session_id)
    one.begin("look", workspace=workspace)
    one.begin_turn()
    one.request()
    one.add(
        AttemptDiscarded(model="demo/pilot", reason="overloaded", text="I have just begun to", reasoning="Hm. "), 1.0
    )
    one.request()
    one.answered(4.0, 1.5, "I look at what is there. " * 3, (CALL,))
    one.propose(CALL)
    one.add(ApprovalRequested(call_id="c1", tool="shell", request_id="r1", arguments={"command": "ls"}))
    one.add(ToolStarted(call_id="c1", tool="shell"), 600.0)
    one.add(ToolFinished(call_id="c1", tool="shell", output="a b"), 2.0)
    one.add(ErrorOccurred(error=ErrorInfo(type="tool", message="so it goes")))
    one.add(TurnFinished(tool_calls=1))
    one.begin_turn()
    one.request()
    one.add(MessageQueued(message_id="m1", text="and then?"), 1.0)
    one.answered(3.0, 0.2, "x" * 200)
    one.add(TurnFinished())
    one.add(MessageDelivered(message_id="m1", text="and then?", by="user"))
    one.end()
    two = Slow(run_id="run-2", session_id=session_id, start=one.start + timedelta(hours=9))
    two.begin("again", workspace=workspace)
    two.begin_turn()
    two.request()
    two.answered(0.0, 0.0, "At once.")
    two.add(TurnFinished())
    two.end()
    three = Slow(run_id="run-3", session_id=session_id, start=one.start + timedelta(hours=10))
    three.begin("cut off", workspace=workspace)
    three.begin_turn()
    three.request()
    for _ in range(5):
        three.add(TextDelta(text="piece "), 0.3)
    return [one, two, three]


def reel_of(runs: Sequence[Sequence[Event]]) -> Reel:
    return Reel((RunState(run_id=run[0].run_id, session_id=run[0].session_id), run) for run in runs)


RUNS = [maker.events for maker in recorded()]
IMPORTED = list(runs_of(read_codex(sample("codex"))))


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reels, "CHECKPOINT_EVERY", 4)


def straight(reel: Reel) -> Iterator[tuple[Position, tuple[RunState, ...]]]:
    """Every position with the fold of everything before it, pieces of answers included, from the beginning on."""
    states: dict[str, RunState] = {}
    yield Position(), ()
    for index, event in enumerate(reel.events):
        for number in range(reel.least(index), reel.most(index)):
            for piece in reel.pieces(index, number, number + 1):
                states[piece.run_id] = reduce(states[piece.run_id], piece)
            yield Position(index, number + 1), tuple(states.values())
        begun = RunState(run_id=event.run_id, session_id=event.session_id)
        states[event.run_id] = reduce(states.get(event.run_id, begun), event)
        yield Position(index + 1, reel.least(index + 1)), tuple(states.values())


@pytest.mark.parametrize("runs", [RUNS, IMPORTED], ids=["made", "imported"])
def test_every_position_is_the_fold_of_what_came_before(runs: list[list[Event]]) -> None:
    reel = reel_of(runs)
    wanted = list(straight(reel))
    player = Player(reel)
    for position, states in wanted:
        player.go(player.course.reached(position))
        if player.position == position:
            assert player.runs == states
    assert player.runs == tuple(fold(run, RunState(run_id=run[0].run_id)) for run in runs)
    # Each event by itself, those that came at the same moment too; backwards as well.
    facts = [(index, states) for (index, _), states in wanted if not index or not reel.events[index - 1].is_delta]
    by_index = {index: states for index, states in reversed(facts)}
    for index in [*by_index, *reversed(by_index)]:
        player.seek(index)
        assert player.runs == by_index[index], index


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_however_it_got_there_it_is_the_same(data: st.DataObject) -> None:
    reel = reel_of(RUNS)
    known = dict(straight(reel))
    player = Player(reel, longest=data.draw(st.sampled_from([2.0, 1e9])))
    moves = st.tuples(st.sampled_from(["go", "play", "step", "jump", "seek", "cut"]), st.floats(0, 1))
    for move, share in data.draw(st.lists(moves, max_size=25)):
        back = -1 if share < 0.5 else 1
        before = player.runs
        match move:
            case "go":
                player.go(share * player.course.length)
            case "play":
                was, moment = player.position, player.moment
                player.play(share * 3)
                assert player.position >= was
                assert player.moment >= moment
            case "step":
                player.step(back)
            case "jump":
                player.jump(back, ("turn", "prompt", "error"))
            case "seek":
                player.seek(round(share * len(reel)))
            case _:
                player.cut(share * 20)
                assert player.runs is before
        assert player.runs == known[player.position]
        assert 0 <= player.moment <= player.course.length
        assert player.course.position(player.moment) >= player.position


def test_the_end_is_what_the_store_says(tmp_path: Path) -> None:
    with Store.open(tmp_path / "sessions.db") as store:
        for maker in recorded():
            write(store, maker.events)
        reel = Reel(
            (RunState(run_id=run_id, session_id="session-1"), store.events("session-1", run_id))
            for run_id in store.run_ids("session-1")
        )
        player = Player(reel)
        player.go(player.course.length)
        assert player.at_end
        assert list(player.runs) == store.runs("session-1")


def test_playing_straight_on_shows_an_answer_grow_and_a_long_pause_is_cut() -> None:
    player = Player(reel_of(RUNS), longest=10.0)
    texts: list[str] = []
    clocks: list[float] = []
    while not player.at_end:
        player.play(0.05)
        live = [item for item in player.runs[0].live if isinstance(item, TextItem)]
        texts += [item.text for item in live if item.item_id == "run-1:t1.2:text"]
        clocks.append(player.now)
    grown = list(dict.fromkeys(texts))
    assert len(grown) > 20
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(grown))
    # 600 seconds for an approval and two nights became 10 seconds each; nothing else was cut.
    whole = sum(run[-1].mono - run[0].mono for run in RUNS)
    assert player.course.length == pytest.approx(whole - 590.0 + 20.0)
    # The clock of the first run stood where it was when the approval was decided.
    assert max(after - before for before, after in pairwise(clocks)) > 500


def test_a_pause_is_told_while_it_is_on_and_only_then() -> None:
    player = Player(reel_of(RUNS), longest=10.0)
    asked = next(mark.at for mark in player.reel.marks if mark.kind == "approval")
    player.seek(asked + 1)
    assert (player.gap.quiet, player.gap.kept) == (600.0, 10.0)
    player.play(9.0)
    assert player.now == pytest.approx(player.reel.events[asked].mono + 9.0)
    player.cut(1e9)
    assert player.gap.cut == 0.0
    assert player.now == pytest.approx(player.reel.events[asked].mono + 9.0)


def test_what_is_settled_stays_the_same_value_at_every_position() -> None:
    """Whoever draws it needs to draw nothing again."""
    player = Player(reel_of(RUNS))
    last = {id(item) for run in player.reel.last for item in run.settled}
    for index in range(len(player.reel), 0, -1):
        player.seek(index)
        assert {id(item) for run in player.runs for item in run.settled} <= last


def test_a_seek_costs_the_same_in_a_session_ten_times_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reels, "CHECKPOINT_EVERY", 64)
    folded: list[int] = []
    for count in (20, 200):
        maker = Slow()
        maker.begin()
        for _ in range(count):
            maker.begin_turn()
            maker.request()
            maker.answered(2.0, 0.5, "An answer of some words. " * 4)
        player = Player(reel_of([maker.events]))
        most = 0
        for share in range(97, 0, -7):
            done = 0

            def counted(state: RunState, event: Event) -> RunState:
                nonlocal done
                done += 1
                return reduce(state, event)

            monkeypatch.setattr("runner.review.player.reduce", counted)
            player.go(player.course.length * share / 100)
            most = max(most, done)
        folded.append(most)
    assert folded[1] <= 64 + 3 * 40 + 3
    assert folded[1] <= folded[0] * 2


def test_a_view_of_the_first_entries_of_a_log_is_one_of_its_own() -> None:
    log = AppendLog("abc")
    first = log.first(2)
    assert list(first) == ["a", "b"]
    assert list(first.append("x")) == ["a", "b", "x"]
    assert list(log) == ["a", "b", "c"]
    assert list(log.append("d")) == ["a", "b", "c", "d"]
    assert len(log.first(9)) == 3


def test_a_run_without_a_readable_event_is_there_at_the_end() -> None:
    empty = RunState(run_id="lost", session_id="session-1")
    reel = Reel([(RunState(run_id="run-2"), RUNS[1]), (empty, [])])
    player = Player(reel)
    player.seek(len(reel) - 1)
    assert len(player.runs) == 1
    player.go(player.course.length)
    assert player.runs[-1] == empty
    assert Player(Reel([])).runs == ()
