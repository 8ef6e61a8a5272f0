"""What changed in a session, turn by turn, and what was put back since: made of its events and what crashes left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.events import (
    Event,
    FileChange,
    FilesChanged,
    MessageDelivered,
    RunFinished,
    RunStarted,
    ToolFinished,
    ToolStarted,
)
from runner.messages import UserMessage
from runner.undo.disk import Blocked, read
from runner.undo.keeper import Keeper
from runner.undo.log import Restored, RestoreLog, TurnKey
from runner.undo.pending import CallRecord, Pending

KINDS = ("run_started", "message_delivered", "tool_started", "tool_finished", "files_changed", "run_finished")
"""The kinds of events that a history is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one file. turn: in which it was made, None for one that was put back (restore says by which).

    time: seconds since the epoch. certain: False of what was only announced before a crash.
    """

    change: FileChange
    time: float
    turn: TurnKey | None = None
    restore: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnChanges:
    """What one turn changed. time: of its last change, seconds since the epoch. prompt: the message it belongs to.

    tools: that changed something, in order. commands: some of it was found by comparing the work tree.
    uncovered: what is not known of it. workspace: the folder of the run. number: its place among the session's turns
    that changed something, from 1.
    """

    key: TurnKey
    number: int
    time: float
    prompt: str
    workspace: str
    tools: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    commands: bool = False
    uncovered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """steps: every change, in order of time. turns: oldest first. running: calls that go on now.

    undone: what of which turn was put back and not taken back since, and when (seconds since the epoch).
    """

    session_id: str = ""
    steps: tuple[Step, ...] = ()
    turns: tuple[TurnChanges, ...] = ()
    restores: tuple[Restored, ...] = ()
    running: tuple[str, ...] = ()
    undone: Mapping[tuple[TurnKey, str], float] = field(default_factory=dict[tuple[TurnKey, str], float])

    def is_undone(self, step: Step) -> bool:
        """Whether the change is no more: its turn may have changed the file again after it was put back."""
        return step.turn is not None and step.time <= self.undone.get((step.turn, step.change.path), 0.0)

    def since(self, key: TurnKey) -> frozenset[TurnKey]:
        """The turn and every later one, as a rewind takes them back. Empty where nothing changed from there on."""
        order: dict[str, int] = {}
        for turn in self.turns:
            order.setdefault(turn.key[0], len(order))
        if key[0] not in order:
            return frozenset()
        place = (order[key[0]], key[1])
        return frozenset(turn.key for turn in self.turns if (order[turn.key[0]], turn.key[1]) >= place)

    @property
    def redoable(self) -> Restored | None:
        """What was put back last and not taken back since."""
        reverted = {restored.reverts for restored in self.restores if restored.reverts}
        open_ones = [each for each in self.restores if not each.reverts and each.id not in reverted]
        return open_ones[-1] if open_ones else None


@dataclass(slots=True)
class _Turn:
    key: TurnKey
    prompt: str
    workspace: str
    time: float = 0.0
    tools: list[str] = field(default_factory=list[str])
    paths: list[str] = field(default_factory=list[str])
    uncovered: list[str] = field(default_factory=list[str])
    commands: bool = False

    def made(self, number: int) -> TurnChanges:
        return TurnChanges(
            key=self.key,
            number=number,
            time=self.time,
            prompt=self.prompt,
            workspace=self.workspace,
            tools=tuple(dict.fromkeys(self.tools)),
            paths=tuple(dict.fromkeys(self.paths)),
            commands=self.commands,
            uncovered=tuple(dict.fromkeys(self.uncovered)),
        )


def load(events: Iterable[Event], data_dir: Path, session_id: str) -> History:
    """The history of a session. events: of KINDS, run after run. Reads files, and compares a tree after a crash."""
    maker = _Maker()
    for event in events:
        maker.take(event)
    if maker.finished:
        pending = Pending(data_dir)
        Keeper(data_dir).recover(maker.finished)
        for run_id in maker.finished:
            for record in pending.records(run_id):
                maker.add_record(record)
    return maker.made(session_id, RestoreLog(data_dir, session_id).read())


class _Maker:
    def __init__(self) -> None:
        self.finished: list[str] = []
        self._turns: dict[TurnKey, _Turn] = {}
        self._steps: list[Step] = []
        self._recorded: set[tuple[str, str, str | None, str | None]] = set()
        self._tools: dict[tuple[str, str], str] = {}
        self._open: dict[tuple[str, str], str] = {}
        self._prompts: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._latest: dict[str, float] = {}

    def take(self, event: Event) -> None:
        run_id = event.run_id
        match event:
            case RunStarted():
                said = [message.text for message in event.input if isinstance(message, UserMessage)]
                self._prompts[run_id], self._folders[run_id] = (said[-1] if said else ""), event.workspace
            case MessageDelivered(by="user"):
                self._prompts[run_id] = event.text
            case ToolStarted():
                self._tools[run_id, event.call_id] = self._open[run_id, event.call_id] = event.tool
            case ToolFinished():
                self._open.pop((run_id, event.call_id), None)
            case RunFinished():
                self.finished.append(run_id)
                self._open = {key: tool for key, tool in self._open.items() if key[0] != run_id}
            case FilesChanged():
                self._take_changes(event)
            case _:
                pass

    def _take_changes(self, event: FilesChanged) -> None:
        run_id = event.run_id
        # A clock that was set back must not change the order of what one run did.
        time = max(event.time.timestamp(), self._latest.get(run_id, 0.0))
        self._latest[run_id] = time
        if event.by == "shell":
            self._recorded.add((run_id, event.call_id, None, None))
        for change in event.files:
            self._recorded.add((run_id, event.call_id, change.path, change.before))
        tool = self._tools.get((run_id, event.call_id), "")
        self._add((run_id, event.turn), time, event.files, tool, event.uncovered, event.by == "shell", certain=True)

    def add_record(self, record: CallRecord) -> None:
        """What was written down before a crash and never became a fact."""
        run_id, call_id = record.run_id, record.call_id
        if record.by_command and (run_id, call_id, None, None) in self._recorded:
            return
        files = [each for each in record.files if (run_id, call_id, each.path, each.before) not in self._recorded]
        if files or record.uncovered:
            tool = self._tools.get((run_id, call_id), "")
            key = (run_id, record.turn)
            self._add(key, record.time, files, tool, record.uncovered, record.by_command, certain=record.by_command)

    def _add(
        self,
        key: TurnKey,
        time: float,
        files: Sequence[FileChange],
        tool: str,
        uncovered: str,
        by_command: bool,
        *,
        certain: bool,
    ) -> None:
        run_id = key[0]
        turn = self._turns.setdefault(key, _Turn(key, self._prompts.get(run_id, ""), self._folders.get(run_id, "")))
        turn.time = max(turn.time, time)
        turn.tools += [tool] if tool else []
        turn.paths += [change.path for change in files]
        turn.uncovered += [uncovered] if uncovered else []
        turn.commands = turn.commands or by_command
        self._steps += [Step(change=change, time=time, turn=key, certain=certain) for change in files]

    def made(self, session_id: str, restores: Sequence[Restored]) -> History:
        steps = list(self._steps)
        for restored in restores:
            steps += [
                Step(change=change, time=restored.time, restore=restored.id, certain=restored.ended)
                for change in restored.files
            ]
        steps = _in_order(sorted(steps, key=lambda step: step.time))
        turns = sorted(self._turns.values(), key=lambda turn: turn.time)
        kept = _that_happened(steps)
        return History(
            session_id=session_id,
            steps=tuple(kept),
            turns=tuple(turn.made(number) for number, turn in enumerate(turns, 1)),
            restores=tuple(restores),
            running=tuple(self._open.values()),
            undone=_undone(restores, {(step.restore, step.change.path) for step in kept}),
        )


def _undone(restores: Sequence[Restored], done: Collection[tuple[str, str]]) -> dict[tuple[TurnKey, str], float]:
    """done: which restore really changed which path."""
    turns = {restored.id: restored.turns for restored in restores}
    found: dict[tuple[TurnKey, str], float] = {}
    for restored in restores:
        for path in (change.path for change in restored.files if (restored.id, change.path) in done):
            for turn in turns.get(restored.reverts, ()):
                found.pop((turn, path), None)
            found |= {(turn, path): restored.time for turn in restored.turns}
    return found


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """Two calls of one turn that changed a file at the same time are told in the order of their ends; what each began
    with says which came first.
    """
    ordered: list[Step] = []
    last: dict[str, int] = {}
    for step in steps:
        path = step.change.path
        at = last.get(path)
        last[path] = len(ordered)
        ordered.append(step)
        if at is None or ordered[at].turn is None or ordered[at].turn != step.turn:
            continue
        one, other = ordered[at].change, step.change
        if one.after != other.before and one.before == other.after:
            ordered[at], ordered[-1] = step, ordered[at]
    return ordered


def _that_happened(steps: Sequence[Step]) -> list[Step]:
    """Without what was announced before a crash and did not come to pass: the next change, or the disk, shows it."""
    following: dict[str, FileChange] = {}
    kept: list[Step] = []
    for step in reversed(steps):
        change = step.change
        if not step.certain:
            after = following.get(change.path)
            content = _content_now(change.path) if after is None else after.before
            if content == change.before:
                continue
        following[change.path] = change
        kept.append(step)
    return kept[::-1]


def _content_now(path: str) -> str | None:
    try:
        return read(path)[0].digest
    except Blocked:
        return ""
