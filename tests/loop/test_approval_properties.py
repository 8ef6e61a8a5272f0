"""Nothing runs twice, and nothing runs whose arguments nobody allowed: over random answers, grants, revocations, stops,
kills and runs after them."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner.errors import RateLimitError
from runner.testing import FakeClock, calls, reply, usage
from tests.conftest import soak_factor
from tests.loop.approval_lives import Act, Arguments, Life, World, live_through
from tests.loop.approval_oracle import check
from tests.loop.harness import BOUND

some_calls = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from([{"text": "a"}, {"text": "b"}, {"text": "fail"}])),
        st.tuples(st.just("write"), st.just({"text": "a"})),
        st.tuples(st.just("put"), st.sampled_from([{"path": "src/x"}, {"path": "src/y"}, {"path": "z"}])),
        st.tuples(st.sampled_from(["look", "wonder"]), st.just({"text": "?"})),
    ),
    min_size=1,
    max_size=3,
)
scripts = st.lists(
    st.one_of(
        *[some_calls.map(lambda wanted: reply(calls(*wanted), usage(10, 1)))] * 5,
        st.just(RateLimitError("busy", retry_after=0.001)),
    ),
    min_size=2,
    max_size=7,
)
BOUNDS: list[Arguments] = [
    *[{}] * 2,
    *[{"calls": 1}, {"calls": 2}, {"calls": 3}, {"calls": 4}],
    *[{"minutes": 5}, {"until_failure": True}],
]
MATCHES: list[Arguments] = [{}, {"match": "exact"}, {"match": "tool"}, {"patterns": ["below"]}, {"patterns": ["whole"]}]


def allowing(scope: str, match: Arguments, bound: Arguments) -> Arguments:
    return {"decision": "allow", "scope": scope, **match, **bound}


yes: st.SearchStrategy[Arguments] = st.builds(
    allowing,
    st.sampled_from(["run", "session", "session", "project", "user"]),
    st.sampled_from(MATCHES),
    st.sampled_from(BOUNDS),
)
OTHERS: list[Arguments] = [
    *[{"decision": "allow"}] * 3,
    {"decision": "deny"},
    {"decision": "deny", "scope": "run"},
    {"decision": "deny", "scope": "session", "match": "exact", "minutes": 5},
    {"decision": "deny", "scope": "project"},
    {"decision": "edit", "arguments": "b"},
    {"decision": "edit", "arguments": "src/y", "scope": "session", "match": "exact"},
    {"decision": "edit", "arguments": "fail", "scope": "run", "calls": 2},
    {"decision": "end_run"},
    {"decision": "answer", "arguments": {"answers": ["yes"]}},
]
answers = st.one_of(yes, yes, yes, st.sampled_from(OTHERS))
AFTER = ["again", "late", "revoke", "revoke_one", "time"]
ENDS = ["kill", "kill", "gone", "message", "stop", "abort", "pause", "wrap_up"]
then: st.SearchStrategy[tuple[str, ...]] = st.sampled_from(
    [*[()] * 12, *((name,) for name in AFTER * 2), *((name,) for name in ENDS)]
)
acts = st.lists(st.builds(Act, st.one_of(answers, answers, answers, st.none()), then), max_size=8)
lives = st.lists(
    st.builds(
        Life,
        script=scripts,
        acts=acts,
        questions=st.lists(st.sampled_from(["answer", "deny", "end_run", "answer"]), max_size=2),
        parallel=st.sampled_from([8, 8, 1]),
    ),
    min_size=1,
    max_size=3,
)


def writing(*texts: str) -> Any:
    return reply(calls(*(("write", {"text": text}) for text in texts)), usage(10, 1))


TIME_RUNS_OUT = Life(
    script=[writing("a"), writing("a"), writing("a")],
    acts=[Act({"decision": "allow", "scope": "session", "minutes": 5}, ("time",))],
    questions=(),
    parallel=8,
)
TAKEN_BACK_WHILE_A_CALL_WAITS = Life(
    script=[writing("a"), reply(calls(("write", {"text": "slow"}), ("write", {"text": "b"}), ("put", {"path": "z"})))],
    acts=[Act({"decision": "allow", "scope": "run"}), Act({"decision": "allow"}, ("revoke",))],
    questions=(),
    parallel=1,
)
COUNTED_OVER_A_KILL = [
    Life([writing("a"), writing("a")], [Act({"decision": "allow", "scope": "session", "calls": 3}, ("kill",))], (), 8),
    Life([writing("a"), writing("a"), writing("a")], [Act({"decision": "allow"}, ("revoke",))], (), 8),
    Life([writing("a")], [], (), 8),
]


@settings(max_examples=25 * soak_factor(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([TIME_RUNS_OUT, TIME_RUNS_OUT])
@example([TAKEN_BACK_WHILE_A_CALL_WAITS])
@example(COUNTED_OVER_A_KILL)
@given(lives)
def test_nothing_runs_twice_and_nothing_that_nobody_allowed(each: list[Life]) -> None:
    world = World()
    clock = FakeClock(datetime(2030, 1, 1, tzinfo=UTC), auto=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()

        async def all_lives() -> None:
            for number, life in enumerate(each):
                async with asyncio.timeout(BOUND):
                    await live_through(life, number, folder, world, clock)

        asyncio.run(all_lives())
        check(folder, world)
