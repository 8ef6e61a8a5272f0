"""An agent: a frozen description, no state, reusable in any number of runs at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.errors import ConfigError
from runner.models.base import Model, ModelSettings
from runner.tools.base import Tool, Toolset


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """name: shown to people. instructions: the system prompt, or a function of the run's context that makes it.

    model: a name for the Runner's models to resolve, or a Model. fallback_models: tried in order when it is given up.
    tools: made by `@tool` or from `runner.tools`; names must be unique. toolsets: tools that come and go; one whose
    name is taken already is left out.
    """

    name: str
    instructions: str | Callable[[Any], str] = ""
    model: str | Model = "demo/pilot"
    fallback_models: Sequence[str | Model] = ()
    model_settings: ModelSettings = field(default_factory=ModelSettings)
    tools: Sequence[Tool] = ()
    toolsets: Sequence[Toolset] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ConfigError("an agent needs a name", where="Agent.name")
        names = [tool.name for tool in self.tools]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"two tools are called {twice[0]!r}", where=f"Agent {self.name!r} tools")
