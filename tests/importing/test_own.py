"""Our own export taken in again: the same session, once, whatever has become of the file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.events.codec import dump_json
from runner.importing.own import read_own
from runner.store import Store
from runner.store.own import take_in
from tests.store.making import Maker, short_run, write
from tests.store.random_runs import random_run
from tests.store.test_export import SECRETS, leaky_run
from tui.cli import main_with


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "here.db") as opened:
        yield opened


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "there.db") as opened:
        yield opened


def exported(store: Store, *, redact: bool = False) -> list[str]:
    return "".join(store.export("session-1", "jsonl", redact)).splitlines(keepends=True)


def filled(store: Store, number: int = 12) -> list[Maker]:
    makers = [random_run(random.Random(seed), f"run-{seed}") for seed in range(number)]
    for maker in makers:
        write(store, maker.events)
    return makers


def test_what_was_exported_comes_back_as_it_was(here: Store, there: Store) -> None:
    makers = filled(here)
    here.rename_session("session-1", "A look at the tides")
    here.tag("session-1", "tides", "harbour")
    here.tag("session-1", "good", run_id="run-3", turn=1)
    here.set_note("session-1", "look at this\nagain")
    (session,) = read_own(exported(here)).sessions
    done = take_in(there, session)
    assert (done.session_id, done.added, done.changed, done.same) == ("session-1", len(makers), 0, 0)
    ended = [maker.run_id for maker in makers if maker.state.finished]
    again = {run.run_id: run for run in there.runs("session-1")}
    assert list(again) == [maker.run_id for maker in makers]
    for run in here.runs("session-1"):
        assert again[run.run_id].finished
        if run.run_id in ended:
            assert again[run.run_id] == run
    summary, before = there.session("session-1"), here.session("session-1")
    assert (summary.imported, summary.live, before.imported) == ("quarterdeck", False, "")
    assert (summary.name, summary.tags, summary.note) == ("A look at the tides", ("harbour", "tides"), before.note)
    assert [each.text for each in there.annotations("session-1", tag="good")] == ["good"]
    assert there.problems == ()
    # What was paid elsewhere is no spending here; and it can be exported again, and is the same.
    assert there.usage("session") == []
    if len(ended) == len(makers):
        assert exported(there) == exported(here)


def test_it_is_never_there_twice_and_what_grew_is_taken(here: Store, there: Store) -> None:
    write(here, short_run("run-1").events)
    first = exported(here)
    assert take_in(there, read_own(first).sessions[0]).added == 1
    assert take_in(there, read_own(first).sessions[0]).same == 1
    write(here, short_run("run-2", text="and more").events)
    done = take_in(there, read_own(exported(here)).sessions[0])
    assert (done.added, done.same) == (1, 1)
    assert (there.session("session-1").runs, there.session("session-1").turns) == (2, 2)
    # The very session, where it is at home, stays as it is.
    before = exported(here)
    done = take_in(here, read_own(exported(here, redact=True)).sessions[0])
    assert (done.added, done.changed, done.same, done.kept_back) == (0, 0, 0, 2)
    assert (exported(here), here.session("session-1").imported) == (before, "")


def test_a_run_that_is_here_in_another_session_is_left_alone(here: Store, there: Store) -> None:
    write(there, short_run("run-1", "session-other").events)
    write(here, short_run("run-1").events)
    before = "".join(there.export("session-other", "jsonl"))
    with pytest.raises(ConfigError, match="run run-1 of it is here already, in session session-other"):
        take_in(there, read_own(exported(here)).sessions[0])
    assert "".join(there.export("session-other", "jsonl")) == before
    assert [each.session_id for each in there.sessions()] == ["session-other"]


def test_what_was_masked_stays_masked(here: Store, there: Store) -> None:
    write(here, leaky_run(SECRETS["github"]).events)
    take_in(there, read_own(exported(here, redact=True)).sessions[0])
    assert there.runs("session-1")[0].final_output == here.runs("session-1")[0].final_output
    whole = "".join(there.export("session-1", "jsonl", redact=False))
    assert SECRETS["github"] not in whole
    assert "My key is [masked: GitHub token]" in whole


JUNK = st.one_of(
    st.sampled_from(
        ["{", "[]", "null", '{"kind": 5}', '{"kind": "text_delta", "session_id": "s", "run_id": "r"}', "\x00"]
    ),
    st.text(max_size=40),
)


@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_damaged_lines_are_told_and_the_rest_is_taken(data: st.DataObject) -> None:
    makers = [random_run(random.Random(seed), f"run-{seed}") for seed in range(2)]
    lines = [dump_json(event).decode() for maker in makers for event in maker.facts]
    kept = list(lines)
    damage = 0
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(kept) - 1))
        match data.draw(st.sampled_from(["cut", "junk", "lost", "twice", "foreign", "changed"])):
            case "cut":
                kept[at] = kept[at][: data.draw(st.integers(0, len(kept[at])))]
            case "junk":
                kept.insert(at, data.draw(JUNK).replace("\n", " ").replace("\r", " "))
            case "lost":
                del kept[at]
            case "twice":
                kept.insert(at, kept[at])
            case "foreign":
                kept.insert(
                    at,
                    json.dumps(
                        {
                            "v": 9,
                            "kind": "dream",
                            "run_id": "run-0",
                            "session_id": "session-1",
                            "seq": 10**6 + at,
                            "deep": {},
                        }
                    ),
                )
            case _:
                place = data.draw(st.integers(0, max(0, len(kept[at]) - 1)))
                kept[at] = kept[at][:place] + data.draw(st.sampled_from('"0,{x')) + kept[at][place + 1 :]
        damage += 1
    log = read_own(line + "\n" for line in kept)
    read = sum(len(run) for session in log.sessions for run in session.runs)
    assert log.lines == len(kept)
    assert read + len(log.damaged) <= len(kept)
    assert read >= len(lines) - damage
    for damaged in log.damaged:
        assert 1 <= damaged.line <= len(kept)
        assert "\n" not in damaged.why
    with closing(Store.open(_fresh())) as store:
        for session in log.sessions:
            take_in(store, session)
            assert take_in(store, session).same == len(session.runs)
            # Everything that was taken can be read, and has an end.
            assert all(run.finished for run in store.runs(session.session_id))
        # A line that was lost leaves a hole, and the store says so.
        assert all(problem.gone for problem in store.problems)


_FOLDER: list[Path] = []


def _fresh() -> Path:
    path = _FOLDER[-1] / f"{len(list(_FOLDER[-1].iterdir()))}"
    path.mkdir()
    return path


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER.append(tmp_path_factory.mktemp("damage"))


def test_the_command_says_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "a"))
    with Store.open() as store:
        write(store, short_run("run-1").events)
        write(store, [replace(event) for event in short_run("run-9", "session-9", text="another").facts[:-2]])
    exports = tmp_path / "exports"
    exports.mkdir()
    for name in ("session-1", "session-9"):
        assert main_with(["sessions", "export", name, "-o", str(exports / f"{name}.jsonl")]) == 0
    (exports / "session-1.jsonl").open("a").write('{"kind": "dream"}\n{broken\n')
    capsys.readouterr()
    assert main_with(["sessions", "import", str(exports / "session-1.jsonl")]) == 0
    assert "this very session is here already, as your own" in capsys.readouterr().out
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "b"))
    assert main_with(["sessions", "import", str(exports), "--dry-run"]) == 0
    assert capsys.readouterr().out.count("would take") == 2
    assert main_with(["sessions", "import", str(exports)]) == 0
    said = capsys.readouterr()
    assert said.out.count("1 new run  (Quarterdeck session-") == 2
    assert "session-1.jsonl, line 11: not JSON" in said.err
    assert main_with(["sessions", "import", str(exports), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["from"], row["added"], row["same"]) for row in rows] == [("quarterdeck", 0, 1)] * 2
    assert main_with(["sessions", "list", "--json"]) == 0
    rows = {row["session_id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (rows["session-1"]["imported"], rows["session-9"]["reason"]) == ("quarterdeck", "interrupted")
    assert main_with(["sessions", "export", "session-9"]) == 0
    assert main_with(["sessions", "show", "quarterdeck://session/session-1#run-1.2"]) == 0
