"""A list of sessions: its order, its families, what each filter lets through, and the commands that show it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner.events import ModelRequested, RunStarted, ToolFinished, ToolProposed, TurnFinished
from runner.messages import UserMessage
from runner.store import SessionKey, Store
from runner.store.base import SessionSummary
from runner.store.query import FIELDS, SessionFilter, parse
from tests.store.making import USAGE, Maker, a_call, short_run, write
from tui.cli import main_with

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def run_of(number: int, **how: object) -> Maker:
    """A run of one turn and perhaps a call, a day older with each number. how: what is not as usual."""
    maker = Maker(
        run_id=f"run-{number}",
        session_id=f"s{number}",
        start=NOW - timedelta(days=number, hours=1),
        agent=str(how.get("agent", "deck")),
    )
    model = str(how.get("model", "demo/pilot"))
    maker.begin(str(how.get("text", "hello")), model, str(how.get("folder", "/home/sam/site")))
    maker.begin_turn()
    maker.request(model)
    cost = how.get("cost", Decimal("0.5"))
    usage = replace(USAGE, input=int(str(how.get("tokens", 100))))
    maker.answer(
        str(how.get("answer", "done")), cost=cost if isinstance(cost, Decimal) else None, usage=usage, model=model
    )
    if "tool" in how:
        arguments = {"path": how["path"]} if "path" in how else {"command": "ls"}
        call = replace(a_call(number, str(how["tool"])), arguments=arguments)
        maker.propose(call)
        maker.finish_call(call, str(how.get("output", "")))
    maker.add(TurnFinished(usage=usage))
    maker.end(str(how.get("reason", "complete")))
    return maker


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Eight sessions that differ in everything that a filter asks for; s8 lies in the trash."""
    with Store.open(tmp_path_factory.mktemp("filled") / "sessions.db") as store:
        runs = (
            run_of(1, model="anthropic/claude-opus-4", text="Fix the late_fee bug", cost=Decimal("2.5"), tool="shell"),
            run_of(
                2, model="openai/gpt-5", agent="reviewer", reason="error", tokens=50_000, answer="the kraken sleeps"
            ),
            run_of(3, cost=None, tool="read_file", path="src/main.py", output="raise Kraken"),
            run_of(4, folder="/home/sam/100%_sure", tool="mcp__git__log", reason="interrupted"),
            run_of(5, model="openai/gpt-5-mini", cost=Decimal(0), reason="max_turns_exceeded", text="über Ärger"),
            run_of(6, tool="edit_file", path="/home/sam/site/src/main.py", agent="Writer"),
            run_of(7, text="nothing of note"),
            run_of(8, text="kraken in the trash", tool="shell"),
        )
        for run in runs:
            write(store, run.events)
        second = Maker(run_id="run-1b", session_id="s1", start=NOW - timedelta(hours=2))
        second.begin("And once more", "demo/pilot", "/home/sam/site")
        second.end()
        write(store, second.events)
        store.tag("s3", "release")
        store.tag("s4", "release", "golden")
        store.set_note("s5", "Ask Ada about this")
        store.rename_session("s6", "Kraken hunt")
        store.pin("s7")
        store.trash("s8")
        with closing(sqlite3.connect(store.path)) as connection:
            connection.execute(
                "INSERT INTO imported_runs(run_id, session_id, source, digest) VALUES ('run-2', 's2', 'codex', '')"
            )
            connection.commit()
        yield store


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "s7 s1 s2 s3 s4 s5 s6"),
        ("model:opus", "s1"),
        ("model:OPUS,gpt-5", "s1 s2 s5"),
        ("-model:demo", "s2 s5"),
        ("model:demo model:opus", "s1"),
        ("agent:writer,review", "s2 s6"),
        ("tool:shell", "s1"),
        ("tool:git", "s4"),
        ("-tool:shell,read_file", "s7 s2 s4 s5 s6"),
        ("tool:%", ""),
        ("file:src/main.py", "s3 s6"),
        ("file:/home", "s6"),
        ("ended:failed", "s2 s4 s5"),
        ("ended:crashed,limit", "s4 s5"),
        ("-ended:complete -ended:error", "s4 s5"),
        ("tag:release", "s3 s4"),
        ("tag:#Release tag:golden", "s4"),
        ("tag:rel", ""),
        ("project:100%_", "s4"),
        ("project:site cost>1", "s1"),
        ("cost>1", "s1"),
        ("cost<=0.5", "s7 s2 s4 s5 s6"),
        ("cost=0", "s5"),
        ("-cost>1", "s7 s2 s4 s5 s6"),
        ("tokens>10k", "s2"),
        ("calls:1", "s1 s3 s4 s6"),
        ("turns>0 turns<2", "s7 s1 s2 s3 s4 s5 s6"),
        ("since:2026-03-12", "s1 s2 s3"),
        ("until:2026-03-11", "s7 s4 s5 s6"),
        ("since:2026-03-11 until:2026-03-11", "s4"),
        ("since:24h", "s1"),
        ("is:pinned", "s7"),
        ("is:imported,pinned", "s7 s2"),
        ("is:tagged", "s3 s4"),
        ("is:noted", "s5"),
        ("is:fork", ""),
        ("is:live", ""),
        ("id:s3", "s3"),
        ("is:deleted", "s8"),
        ("is:deleted kraken", "s8"),
        ("kraken", "s2 s3 s6"),
        ("kraken cost<1", "s2 s6"),
        ("late_fee", "s1"),
        ("late", "s1"),
        ("latexfee", ""),
        ("once more", "s1"),
        ('"kraken sleeps"', "s2"),
        ('"sleeps kraken"', ""),
        ("ärger", "s5"),
        ("ada", "s5"),
        ("100%", "s4"),
    ],
)
def test_what_each_filter_lets_through(filled: Store, query: str, expected: str) -> None:
    wanted = parse(query, NOW)
    assert wanted.problems == ()
    found = filled.keys(wanted)
    assert [key.session_id for key in found] == expected.split()
    assert filled.keys(wanted, limit=2) == found[:2]
    summaries = filled.summaries([key.session_id for key in found])
    assert [(each.updated, each.created, each.pinned) for each in summaries] == [
        (key.updated, key.created, key.pinned) for key in found
    ]


ORACLES: dict[str, Callable[[SessionSummary], bool]] = {
    "model:gpt": lambda each: any("gpt" in model for model in each.models),
    "cost>0.1": lambda each: each.cost_usd is not None and each.cost_usd > Decimal("0.1"),
    "tokens>1000": lambda each: each.usage.total > 1000,
    "calls>0": lambda each: each.tool_calls > 0,
    "ended:failed": lambda each: each.status == "failed",
    "tag:release": lambda each: "release" in each.tags,
    "since:2026-03-12": lambda each: each.updated >= datetime(2026, 3, 12).astimezone(),
    "is:imported": lambda each: bool(each.imported),
    "project:site": lambda each: "site" in each.workspace,
}


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chosen=st.lists(st.tuples(st.sampled_from(sorted(ORACLES)), st.booleans()), max_size=4, unique_by=lambda x: x[0])
)
def test_filters_together_mean_what_the_summaries_say(filled: Store, chosen: list[tuple[str, bool]]) -> None:
    query = " ".join(f"{'-' * excluded}{text}" for text, excluded in chosen)
    found = {key.session_id for key in filled.keys(parse(query, NOW))}
    unknown = {text for text, excluded in chosen if excluded and text == "cost>0.1"}
    expected = {
        each.session_id
        for each in filled.sessions()
        if all(ORACLES[text](each) is not excluded for text, excluded in chosen)
        and not (unknown and each.cost_usd is None)
    }
    assert found == expected


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.lists(
        st.tuples(
            st.sampled_from(["", "-"]), st.sampled_from([*FIELDS, ""]), st.sampled_from(":>"), st.text(max_size=9)
        ),
        max_size=3,
    ).map(lambda parts: " ".join("".join(part) for part in parts))
)
@example(text=f"tag:{','.join(f'{number:x}' for number in range(400))}")
@example(text="a " * 500)
@example(text="-is:fork " * 100)
@example(text='% _ \\ " \0 tool:\0 file:"%"')
def test_no_filter_is_an_error(filled: Store, text: str) -> None:
    assert {key.session_id for key in filled.keys(parse(text, NOW))} <= {f"s{number}" for number in range(1, 9)}


def test_a_run_that_goes_on_and_one_whose_program_died(tmp_path: Path) -> None:
    with Store.open(tmp_path / "sessions.db") as store:
        write(store, short_run("run-1", "alive").events[:4])
        assert [key.session_id for key in store.keys(parse("is:live ended:running", NOW))] == ["alive"]
        with closing(sqlite3.connect(store.path)) as connection:
            connection.execute("UPDATE owners SET started = 'never'")
            connection.commit()
        assert store.keys(parse("is:live", NOW)) == []
        assert [key.session_id for key in store.keys(parse("ended:interrupted", NOW))] == ["alive"]


def insert(database: Path, rows: list[tuple[str, str, str, int, bool]]) -> None:
    """Sessions without events: id, root, what it was forked from, when, whether it is pinned."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM sessions")
        connection.executemany(
            "INSERT INTO sessions(session_id, root_id, forked_from, updated, created, pinned)"
            " VALUES (?, ?, ?, ?, 0, ?)",
            rows,
        )
        connection.commit()


FAMILIES = st.lists(st.tuples(st.integers(-1, 7), st.integers(0, 20), st.booleans()), max_size=12)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=FAMILIES, hidden=st.sets(st.integers(0, 11), max_size=3))
def test_forks_stand_under_what_they_were_made_of(
    store: Store, made: list[tuple[int, int, bool]], hidden: set[int]
) -> None:
    parents = [parent if parent < number else -1 for number, (parent, _, _) in enumerate(made)]
    rows: list[tuple[str, str, str, int, bool]] = []
    for number, (_, updated, pinned) in enumerate(made):
        root = number
        while parents[root] >= 0:
            root = parents[root]
        parent = parents[number]
        rows.append(
            (f"s{number}", f"s{root}" if parent >= 0 else "", f"s{parent}" if parent >= 0 else "", updated, pinned)
        )
    insert(store.path, rows)
    for number in hidden:
        if number < len(rows):
            store.trash(f"s{number}")
    keys = store.keys()
    assert sorted(key.session_id for key in keys) == sorted(
        row[0] for number, row in enumerate(rows) if number not in hidden
    )
    for limit in (0, 1, 3, 50):
        assert store.keys(limit=limit) == keys[:limit]
    families: dict[str, list[SessionKey]] = {}
    for key in keys:
        families.setdefault(key.root_id, []).append(key)
    assert [key for family in families.values() for key in family] == keys, "a family stands together"
    order = [(any(key.pinned for key in family), max(key.updated for key in family)) for family in families.values()]
    assert order == sorted(order, reverse=True)
    for family in families.values():
        assert [key.depth == 0 for key in family] == [True] + [False] * (len(family) - 1)
        depths = {key.session_id: key.depth for key in family}
        for key in family[1:]:
            above = rows[int(key.session_id[1:])][2]
            assert depths[key.session_id] == depths.get(above, 0) + 1


def test_what_is_damaged_hides_no_other_session(store: Store) -> None:
    insert(store.path, [("a", "b", "b", 3, False), ("b", "a", "a", 2, False), ("c", "c", "c", 1, False)])
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("UPDATE sessions SET updated = 'yesterday', workspace = x'ff' WHERE session_id = 'c'")
        connection.commit()
    for keys in (store.keys(SessionFilter()), store.keys(limit=10)):
        assert {key.session_id for key in keys} == {"a", "b", "c"}


def test_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        for number in (1, 2, 3):
            write(store, run_of(number, cost=Decimal(number), answer=f"one\ntwo\nthe kraken {number}\nfour").events)
        fork = store.fork("s1", run_id="run-1", turn=1, name="Another way")

    def say(*arguments: str) -> tuple[int, str, str]:
        code = main_with(["sessions", *arguments])
        read = capsys.readouterr()
        return code, read.out, read.err

    code, out, _ = say("list", "cost>1.5 kraken", "--json")
    assert (code, [json.loads(line)["session_id"] for line in out.splitlines()]) == (0, ["s2", "s3"])
    code, out, _ = say("list", "project:site -cost>1", "--limit", "2")
    first, _, second, *_ = out.splitlines()
    assert first.startswith("s1 ")
    assert second.startswith(fork[:13])
    assert second.endswith("└ Another way")
    for query, told in (("modle:x", "did you mean model?"), ("cost>", "cost needs a number")):
        for action in ("list", "search"):
            code, out, err = say(action, query)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert told in err
    code, _, err = say("search", "cost>1")
    assert (code, "no word" in err) == (2, True)
    code, out, _ = say("search", "kraken cost>1.5", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["session_id"] for each in found] == ["s2", "s3"]
    with Store.open() as store:
        (event,) = [event for event in store.events("s3", "run-3") if event.seq == found[1]["seq"]]
        assert event.kind == "model_responded"
    code, out, _ = say("search", "kraken", "--session", "s2", "--context", "1")
    assert [line.strip() for line in out.splitlines()[1:]] == ["run run-2, event 5", "two", "the kraken 2", "four"]


def test_what_a_fork_took_over_is_found_where_it_was_said(store: Store) -> None:
    maker = run_of(1, answer="the kraken sleeps", tool="shell")
    write(store, maker.events)
    fork = store.fork("s1", run_id="run-1", turn=1)
    assert store.search.catch_up() == 0
    index = store.search
    assert [hit.session_id for hit in index.find("kraken")] == ["s1"]
    assert index.sessions("kraken") == {"s1": 1}
    assert index.sessions_saying("kraken") == index.sessions_using("shell") == {"s1"}
    assert [hit.session_id for hit in index.find("kraken", session_id=fork)] == [fork]
    assert index.find("kraken", session_id=fork, inherited=False) == []
    assert [(each.tool, each.calls) for each in store.tool_sums()] == [("shell", 1)]
    store.trash("s1")
    assert [hit.session_id for hit in index.find("kraken")] == [fork]
    store.delete_session("s1")
    assert index.catch_up() == 0
    assert index.sessions("kraken") == {fork: 1}


def test_the_events_made_here_are_what_they_seem(filled: Store) -> None:
    kinds = {type(event) for event in filled.events("s1")}
    assert {RunStarted, ModelRequested, ToolProposed, ToolFinished} <= kinds
    assert isinstance(next(iter(filled.events("s1"))), RunStarted)
    assert UserMessage(text="Fix the late_fee bug") in next(iter(filled.runs("s1"))).history
