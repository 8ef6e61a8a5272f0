"""What the parts of the loop share: one run's collaborators, and how a run ends from inside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from runner.agent import Agent
from runner.clock import Clock
from runner.config import RunConfig
from runner.control.commands import LimitName
from runner.control.inbox import Inbox
from runner.events import ErrorInfo, LeftOut, StatusChanged
from runner.ids import IdSource
from runner.loop.emit import Emitter
from runner.loop.limits import Hit
from runner.loop.timer import ActiveTimer
from runner.messages import JsonObject, Message
from runner.models.base import Model, ModelResolver
from runner.policy.base import Grant
from runner.policy.uses import NO_USES, Uses
from runner.state import FINAL, Reason, Status
from runner.state.compacted import effective_history
from runner.tools.base import FileKeeper, ProcessEnd, Tool


class EndRun(Exception):
    """Raised inside the loop to end the run in order; never leaves it."""

    def __init__(self, reason: Reason, error: ErrorInfo | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.error = error


class Archive(Protocol):
    """What the loop asks of a store besides its journal; the methods block and are called in a thread."""

    def put_artifact(self, run_id: str, call_id: str, text: str) -> str: ...


class Grants(Protocol):
    """Where grants that outlive a session are kept; the methods block and are called in a thread."""

    def add(self, grant: Grant, workspace: Path) -> None: ...

    def revoke(self, key: str, workspace: Path) -> object: ...


@dataclass(slots=True)
class Receipt:
    """What an abort closed, for the person."""

    requests: list[JsonObject] = field(default_factory=list[JsonObject])
    processes: list[ProcessEnd] = field(default_factory=list[ProcessEnd])
    tools: list[JsonObject] = field(default_factory=list[JsonObject])
    background: list[ProcessEnd] = field(default_factory=list[ProcessEnd])
    commands: list[ProcessEnd] = field(default_factory=list[ProcessEnd])
    still_running: list[JsonObject] = field(default_factory=list[JsonObject])


@dataclass(slots=True, kw_only=True)
class RunCore:
    """One run while it lives. Nothing in here outlives it; two runs share only what is read-only.

    gate: whoever asks a person about a limit, or waits through a pause, holds it. holding: somebody does. attended:
    there is somebody to ask. announced: the limit that was said last. wrapping: the answer that comes is the last;
    granted: somebody allowed it at a limit, so limits do not keep it from being asked for.
    repaired: the models whose history goes out bare, because they refused it once.
    offered: the tools that the last request named. keeper, background: see ToolContext. owns_background: it ends with
    the run.
    sampling: whoever asks the model for somebody else holds it. closers: by call, what closes a request of such a kind.
    uses: the ledger of the grants. recalled: those of the session and of the files are among the grants; revoked: the
    keys that a person took back; grant_changes counts what was added or taken back; keeping: the last change of a file.
    ended: a person ended the run in place of a decision.
    """

    agent: Agent
    config: RunConfig
    workspace: Path
    emitter: Emitter
    inbox: Inbox
    clock: Clock
    ids: IdSource
    models: ModelResolver
    timer: ActiveTimer
    random: Callable[[], float]
    archive: Archive | None
    lasting_grants: Grants | None
    model: Model
    fallbacks: Sequence[Model]
    prior: Sequence[Message] = ()
    grants: list[Grant] = field(default_factory=list[Grant])
    uses: Uses = NO_USES
    recalled: bool = False
    revoked: set[str] = field(default_factory=set[str])
    grant_changes: int = 0
    keeping: asyncio.Future[None] | None = None
    approver_present: bool = False
    limits: dict[LimitName, Decimal] = field(default_factory=dict[LimitName, Decimal])
    warned: set[str] = field(default_factory=set[str])
    requests: int = 0
    calls_started: int = 0
    running_tools: int = 0
    waiting: int = 0
    scratch: dict[str, Any] = field(default_factory=dict[str, Any])
    receipt: Receipt = field(default_factory=Receipt)
    limit_hit: Hit | None = None
    ended: bool = False
    announced: Hit | None = None
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    holding: bool = False
    attended: bool = True
    wrapping: bool = False
    granted: bool = False
    wrap_reason: Reason = "complete"
    repaired: set[str] = field(default_factory=set[str])
    told_left_out: tuple[str, tuple[LeftOut, ...]] | None = None
    offered: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    keeper: FileKeeper | None = None
    background: Any = None
    owns_background: bool = False
    sampling: asyncio.Lock = field(default_factory=asyncio.Lock)
    closers: dict[str, Callable[[], None]] = field(default_factory=dict[str, Callable[[], None]])

    def offer(self) -> list[Tool]:
        """The tools for the next request. An agent's own tools come first: a toolset's cannot take their names."""
        found = {tool.name: tool for tool in self.agent.tools}
        for toolset in self.agent.toolsets:
            for tool in toolset.tools():
                found.setdefault(tool.name, tool)
        self.offered = found
        return list(found.values())

    @property
    def history(self) -> list[Message]:
        """What the next request sends: the session's earlier messages and this run's, the older part summarised."""
        return effective_history(self.prior, self.emitter.state)

    @property
    def asks(self) -> bool:
        """Whether a limit is a question to somebody instead of the end."""
        if self.inbox.requests.stop or self.limit_hit is not None:
            return False
        return self.config.on_limit == "ask" and self.attended

    def set_status(self, new: Status, detail: str = "") -> None:
        """Record a change of status; a stopping or ended run keeps its own."""
        old = self.emitter.state.status
        if old == new or old in FINAL or (old == "stopping" and new not in FINAL):
            return
        self.emitter.fact(StatusChanged(old=old, new=new, detail=detail))

    def update_timer(self) -> None:
        """Time counts unless the run only waits for a person."""
        waits = self.holding or self.waiting > 0
        self.timer.set_active(self.running_tools > 0 or not waits)

    def update_activity(self) -> None:
        """Bring clock and status in line with what the run does now."""
        self.update_timer()
        if self.holding:
            self.set_status("paused")
        else:
            self.set_status("waiting_approval" if self.waiting > 0 else "running")
