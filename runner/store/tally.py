"""The summary columns of a run and its session, kept while events pass by, so that a list never folds events.

Tokens and money are not among them: those are sums over the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from runner.events import (
    AbortRequested,
    Event,
    MessageDelivered,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    Paused,
    Resumed,
    RunFinished,
    RunQueued,
    RunStarted,
    StatusChanged,
    StopRequested,
    ToolProposed,
)
from runner.messages import UserMessage
from runner.state import Reason, status_of
from runner.store.units import clean, micros

TITLE_LENGTH = 120
SEARCH_LENGTH = 4000
"""Characters of a session's first messages that a search by text looks at."""

_LIVE_STATUSES = frozenset({"running", "waiting_approval", "paused", "stopping"})

_SUMS = ("turns", "tool_calls")

RUN_SQL = f"""
    INSERT INTO runs(
        run_id, session_id, parent_run_id, owner_id, status, reason, finished, agent, model, started, updated,
        inherited, {", ".join(_SUMS)}
    ) VALUES ({", ".join("?" * (12 + len(_SUMS)))})
    ON CONFLICT(run_id) DO UPDATE SET
        status = excluded.status, reason = excluded.reason, finished = excluded.finished, agent = excluded.agent,
        model = excluded.model, updated = excluded.updated, inherited = max(inherited, excluded.inherited),
        {", ".join(f"{name} = excluded.{name}" for name in _SUMS)}
"""

SESSION_SQL = f"""
    INSERT INTO sessions(
        session_id, title, workspace, agent, models, created, updated, last_run_id, runs, search, {", ".join(_SUMS)}
    ) VALUES ({", ".join("?" * (10 + len(_SUMS)))})
    ON CONFLICT(session_id) DO UPDATE SET
        title = CASE WHEN title = '' THEN excluded.title ELSE title END,
        workspace = CASE WHEN excluded.workspace = '' THEN workspace ELSE excluded.workspace END,
        agent = CASE WHEN excluded.agent = '' THEN agent ELSE excluded.agent END,
        models = CASE
            WHEN excluded.models = '' OR instr(char(10) || models || char(10), char(10) || excluded.models || char(10))
            THEN models
            WHEN models = '' THEN excluded.models
            ELSE models || char(10) || excluded.models END,
        updated = max(updated, excluded.updated),
        last_run_id = CASE WHEN excluded.last_run_id = '' THEN last_run_id ELSE excluded.last_run_id END,
        runs = runs + excluded.runs,
        search = substr(search || excluded.search, 1, {SEARCH_LENGTH}),
        {", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)}
"""


def title_of(text: str) -> str:
    """The first line with something in it, its blanks made single."""
    for line in text.splitlines():
        words = " ".join(line.split())
        if words:
            return clean(words[:TITLE_LENGTH])
    return ""


@dataclass(slots=True)
class Tally:
    """One run's summary. `flushed` holds the sums that the database has, `dirty` says that it lacks something."""

    run_id: str
    session_id: str
    parent_run_id: str | None
    started: int
    updated: int
    status: str = "queued"
    reason: str = ""
    finished: bool = False
    agent: str = ""
    model: str = ""
    workspace: str = ""
    title: str = ""
    search: str = ""
    inherited: bool = False
    models: list[str] = field(default_factory=list[str])
    dirty: bool = True
    known: bool = False
    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))
    flushed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))

    @classmethod
    def of(cls, event: Event) -> Tally:
        """The tally of a run that the event is the first one of."""
        moment = micros(event.time)
        return cls(
            run_id=event.run_id,
            session_id=event.session_id,
            parent_run_id=event.parent_run_id,
            started=moment,
            updated=moment,
            agent=clean(event.agent),
        )

    def take(self, event: Event) -> None:
        """Count a fact."""
        match event:
            case ModelResponded():
                self.sums["turns"] += event.finish_reason != "interrupted"
            case ToolProposed():
                self.sums["tool_calls"] += 1
            case RunQueued() | RunStarted() | MessageDelivered():
                self._describe(event)
            case ModelRequested(model=model) | ModelSwitched(new=model):
                self._use(model)
            case StatusChanged() | StopRequested() | AbortRequested() | Paused() | Resumed() | RunFinished():
                self._move(event)
            case _:
                return
        self.agent = clean(event.agent) or self.agent
        self.updated = max(self.updated, micros(event.time))
        self.dirty = True

    def _describe(self, event: RunQueued | RunStarted | MessageDelivered) -> None:
        match event:
            case MessageDelivered(text=text, by=by):
                self._remember([text] if by == "user" else [])
            case RunQueued():
                self._use(event.model)
            case RunStarted():
                self.status = "running" if self.status == "queued" else self.status
                self.workspace = clean(event.workspace)
                self.inherited = bool(event.config.get("inherited"))
                self._use(event.model)
                self._remember([message.text for message in event.input if isinstance(message, UserMessage)])

    def _remember(self, texts: list[str]) -> None:
        for text in texts:
            self.title = self.title or title_of(text)
            self.search += clean(text[:SEARCH_LENGTH]).casefold() + "\n"

    def _use(self, model: str) -> None:
        self.model = clean(model) or self.model
        if self.model and self.model not in self.models:
            self.models.append(self.model)

    def _move(self, event: Event) -> None:
        match event:
            case RunFinished(reason=reason):
                self.finished = True
                self.reason = reason or "error"
                self.status = status_of(cast("Reason", self.reason))
            case StopRequested() | AbortRequested():
                self.status = "stopping"
            case Paused():
                self.status = "paused"
            case Resumed():
                self.status = "running"
            case StatusChanged(new=new) if new in _LIVE_STATUSES:
                self.status = new
            case _:
                return

    def run_row(self, owner_id: str) -> tuple[Any, ...]:
        return (
            self.run_id,
            self.session_id,
            self.parent_run_id,
            owner_id,
            self.status,
            self.reason,
            int(self.finished),
            self.agent,
            self.model,
            self.started,
            self.updated,
            int(self.inherited),
            *self.sums.values(),
        )

    def session_rows(self) -> list[tuple[Any, ...]]:
        """What this run adds to its session: sums as differences; one row for each model not yet told of."""
        top = self.parent_run_id is None
        new = not self.known
        first = (
            self.session_id,
            self.title if top else "",
            self.workspace if top else "",
            self.agent if top else "",
            self.models[0] if self.models else "",
            self.started,
            self.updated,
            self.run_id if top and new else "",
            int(top and new),
            self.search if top else "",
            *(self.sums[name] - self.flushed[name] for name in _SUMS),
        )
        nothing = (0,) * len(_SUMS)
        more = [
            (self.session_id, "", "", "", model, self.started, self.updated, "", 0, "", *nothing)
            for model in self.models[1:]
        ]
        return [first, *more]

    def stored(self) -> None:
        """The rows are in the database."""
        self.flushed = dict(self.sums)
        self.search = ""
        self.models = self.models[-1:]
        self.known = True
        self.dirty = False
