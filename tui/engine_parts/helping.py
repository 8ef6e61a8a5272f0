"""Small helps of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.agent import Agent
    from runner.api import Runner
    from runner.config import RunConfig
    from runner.control.handle import RunHandle
    from tui.engine_parts.needs import EngineSettings
    from tui.person_shell import Shell


def import_all(names: tuple[str, ...]) -> None:
    import importlib

    for name in names:
        importlib.import_module(name)


def plain_error(error: BaseException) -> str:
    """An error in one line: ours say all by themselves, others need the name of their type."""
    from runner.errors import QuarterdeckError

    return str(error) if isinstance(error, QuarterdeckError) else f"{type(error).__name__}: {error}"


def load_provider(settings: EngineSettings, model: str) -> None:
    """Load what the model's provider needs; the demos need nothing."""
    from runner.errors import ConfigError
    from runner.models.provider_model import ProviderModel

    try:
        resolved = settings.registry().resolve(model)
    except ConfigError:
        # A name that means nothing is said when a run is to start with it.
        return
    if isinstance(resolved, ProviderModel):
        resolved.prepare()


def run_changes(model: str | None, session_id: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What of a run's configuration the person chose. settings: by the names of ModelSettings."""
    changes: dict[str, Any] = {"model": model, "session_id": session_id}
    if settings:
        from runner.models.base import ModelSettings

        changes["model_settings"] = ModelSettings(**settings)
    return changes


def begin_run(runner: Runner, agent: Agent, texts: Sequence[str], shell: Shell | None, config: RunConfig) -> RunHandle:
    """A run of messages, or of a shell command of the person's. Raises QuarterdeckError."""
    if shell is None:
        return runner.start(agent, [{"role": "user", "content": text} for text in texts], config)
    from runner.control.commands import PersonCommand

    return runner.start_command(agent, PersonCommand(command=shell.command, share=shell.share), config)
