"""What the engine needs of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from runner.agent import Agent
    from runner.config import RunConfig
    from runner.mcp.config import McpServer
    from runner.models.registry import ModelRegistry


class EngineSettings(Protocol):
    """What the engine needs of the settings."""

    @property
    def cwd(self) -> Path: ...

    def registry(self) -> ModelRegistry: ...

    def agent(self, name: str | None = None) -> Agent: ...

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig: ...

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]: ...

    def mcp_servers(self) -> tuple[McpServer, ...]: ...

    def agent_servers(self, name: str | None = None) -> Sequence[str]: ...
