"""What the engine says to the screen. Plain data, made on the engine's thread and read on the screen's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from runner.control.handle import RunHandle
    from runner.hub import Subscription
    from runner.mcp.state import ServerState
    from runner.store.base import RecoveredRun
    from runner.tools.sandbox import SandboxStatus


@dataclass(frozen=True, slots=True)
class Warm:
    """The modules that the screen needs to show runs are loaded."""


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The model to start with, and why."""

    model: str
    why: str


@dataclass(frozen=True, slots=True)
class StoreOpened:
    """data_dir: where things are kept; problem: why nothing can be stored, "" where it can."""

    data_dir: Path | None
    recovered: tuple[RecoveredRun, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunBegan:
    """subscription: the run's events from the first one on; its notify is the engine's `on_events`."""

    handle: RunHandle
    subscription: Subscription


@dataclass(frozen=True, slots=True)
class RunRefused:
    """A run could not be started; texts are the messages that were meant for it."""

    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run's task is over. problem: a fault outside the run's own end, "" as a rule."""

    run_id: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class McpChanged:
    """All servers as they are now; everything in them is the servers' own text."""

    servers: tuple[ServerState, ...]


@dataclass(frozen=True, slots=True)
class ProcessesChanged:
    """A process in the background began, printed or ended."""


@dataclass(frozen=True, slots=True)
class SandboxKnown:
    """Whether commands will be caged here, and why not where they will not."""

    status: SandboxStatus


@dataclass(frozen=True, slots=True)
class EngineFault:
    """Something broke that is no run's own end: a broken installation, a wrong configuration, a bug of ours.

    fatal: nothing can be run any more.
    """

    problem: str
    error: BaseException | None = None
    fatal: bool = False


Notice: TypeAlias = (
    Warm
    | ModelChosen
    | StoreOpened
    | RunBegan
    | RunRefused
    | RunEnded
    | McpChanged
    | ProcessesChanged
    | SandboxKnown
    | EngineFault
)
