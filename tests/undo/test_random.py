"""Random edits by tools, commands and others, undone by turn and by file, against a log of what really happened."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.conftest import soak_factor
from tests.undo.support import Desk, repository

PATHS = ("a.txt", "docs/c.txt", "docs/new.txt")
CONTENTS = ("", "one\n", "two\n", "three\nfour\n", "\x00\x01binary")
TURNS = 3

paths = st.sampled_from(PATHS)
contents = st.sampled_from(CONTENTS)


@dataclass
class Done:
    """One change as it really was. by: "agent" in a turn, "other", or "undo". undone: it was taken back."""

    path: str
    before: str | None
    after: str | None
    by: str
    turn: int = 0
    undone: bool = False


class Machine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="undo-"))
        self.desk = Desk(repository(self.folder / "repo", {"a.txt": "one\n", "docs/c.txt": "two\n"}), self.folder / "d")
        self.log: list[Done] = []
        self.model: dict[str, str] = {"a.txt": "one\n", "docs/c.txt": "two\n"}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def put(self, path: str, content: str | None) -> None:
        """Change the disk, as somebody else than a file tool does."""
        place = self.desk.root / path
        if content is None:
            place.unlink(missing_ok=True)
        else:
            place.parent.mkdir(exist_ok=True)
            place.write_text(content)

    def note(self, path: str, content: str | None, by: str, turn: int = 0) -> None:
        before = self.model.get(path)
        if content is None:
            self.model.pop(path, None)
        else:
            self.model[path] = content
        if before != content:
            self.log.append(Done(path, before, content, by, turn))

    @rule(path=paths, content=contents)
    def a_tool_writes(self, path: str, content: str) -> None:
        self.desk.write(path, content)
        self.note(path, content, "agent", self.desk.turn)

    @rule(changes=st.dictionaries(paths, st.none() | contents, min_size=1, max_size=3))
    def a_command_changes(self, changes: dict[str, str | None]) -> None:
        with self.desk.window():
            for path, content in changes.items():
                self.put(path, content)
        for path, content in changes.items():
            self.note(path, content, "agent", self.desk.turn)

    @rule(path=paths, content=st.none() | contents)
    def somebody_else_changes(self, path: str, content: str | None) -> None:
        self.put(path, content)
        self.note(path, content, "other")

    @precondition(lambda self: self.desk.turn < TURNS)
    @rule()
    def a_turn_ends(self) -> None:
        self.desk.turn += 1

    @precondition(lambda self: self.log)
    @rule(
        turns=st.sets(st.integers(1, TURNS), min_size=1),
        only=st.none() | st.sets(paths, min_size=1),
        force=st.booleans(),
    )
    def undo(self, turns: set[int], only: set[str] | None, force: bool) -> None:
        before = dict(self.model)
        self.desk.undo(*turns, paths=only, force=PATHS if force else ())
        self.check(turns, only, force, before)
        now = self.on_disk()
        for path in PATHS:
            if now.get(path) != before.get(path):
                for done in self.log:
                    done.undone = done.undone or (done.path == path and done.by == "agent" and done.turn in turns)
            self.note(path, now.get(path), "undo")

    def check(self, turns: set[int], only: set[str] | None, force: bool, before: dict[str, str]) -> None:
        now = self.on_disk()
        for path in PATHS:
            history = [done for done in self.log if done.path == path]
            chosen = [at for at, done in enumerate(history) if self.is_chosen(done, turns)]
            was, found = before.get(path), now.get(path)
            if not chosen or (only is not None and path not in only):
                assert found == was, f"{path} was not asked for"
                continue
            target = history[chosen[0]].before
            assert found in (was, target), f"{path} is neither what it was nor what it was to be"
            if force:
                assert found == target
            within = history[chosen[0] :]
            if all(self.is_chosen(done, turns) or done.by == "undo" or done.undone for done in within):
                assert found == target, f"nobody else touched {path}, so it is put back"
            if not force and within[-1].by == "other" and was != history[chosen[-1]].after and was != target:
                assert found == was, f"what somebody else wrote to {path} was lost"
            if not force and found != was:
                for one, other in pairwise(within[: chosen[-1] - chosen[0] + 1]):
                    lost = one.by == "other" and other.by == "agent" and one.before != one.after
                    assert not lost, f"what somebody else wrote to {path} between two turns was lost"

    def is_chosen(self, done: Done, turns: set[int]) -> bool:
        return done.by == "agent" and done.turn in turns and not done.undone

    @precondition(lambda self: any(done.by == "agent" for done in self.log))
    @rule(turn=st.integers(1, TURNS))
    def undone_and_redone_is_as_it_was(self, turn: int) -> None:
        before = self.on_disk()
        outcome = self.desk.undo(turn, force=PATHS)
        if outcome.done:
            assert self.desk.redo().left == ()
        assert self.on_disk() == before

    @invariant()
    def the_disk_is_what_the_log_says(self) -> None:
        assert self.on_disk() == self.model

    def on_disk(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in PATHS:
            place = self.desk.root / path
            if place.exists():
                found[path] = place.read_text()
        return found


TestRandom = Machine.TestCase
TestRandom.settings = settings(
    max_examples=10 * soak_factor(),
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
