"""What runs use besides models and the store: servers, processes in the background, the sandbox, what undo keeps.

Made in one place for the screen, `quarterdeck run` and the commands about servers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.api import Runner
from runner.mcp.config import Timing
from runner.mcp.hub import McpHub
from runner.policy.grants import GrantFile
from runner.tools.background import Background
from runner.undo.keeper import Keeper

if TYPE_CHECKING:
    from runner.agent import Agent
    from runner.mcp.state import ServerState
    from runner.store import Store
    from runner.tools.sandbox import SandboxStatus
    from tui.engine_parts.needs import EngineSettings

CLOSE_SECONDS = 5.0
"""How long ending servers and processes may take in all; each of them is bounded by a grace of its own."""


UNATTENDED_WAIT = 30.0
"""Seconds that a run without a screen waits for servers that start: nobody can ask again when they are there."""


def make_hub(
    settings: EngineSettings,
    data_dir: Path,
    on_change: Callable[[], None] | None = None,
    *,
    only: str = "",
    prepare: float | None = None,
) -> McpHub | None:
    """The servers of the settings, or one of them, which then is switched on; None where there are none.

    prepare: seconds that a run waits for servers that start; None: as the hub thinks fit.
    """
    servers = settings.mcp_servers()
    if only:
        servers = tuple(replace(server, enabled=True) for server in servers if server.name == only)
    if not servers:
        return None
    return McpHub(
        servers,
        workspace=settings.cwd,
        book=data_dir / "mcp-tools.json",
        log_dir=data_dir / "mcp",
        on_change=on_change,
        timing=None if prepare is None else Timing(prepare=prepare),
    )


class Services:
    """Made, and asked to recover, in a thread; `open`, `leave_session` and `close` belong to the loop of the runs.

    on_servers: called on that loop when a server changed; on_processes: from any thread.
    prepare: see make_hub.
    """

    def __init__(
        self,
        settings: EngineSettings,
        data_dir: Path,
        *,
        on_servers: Callable[[], None] | None = None,
        on_processes: Callable[[], None] | None = None,
        prepare: float | None = None,
    ) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._ledger = data_dir / "background"
        self.hub = make_hub(settings, data_dir, on_servers, prepare=prepare)
        self.keeper = Keeper(data_dir)
        self.background = Background(ledger=self._ledger)
        if on_processes is not None:
            self.background.subscribe(on_processes)

    def recover(self, run_ids: Sequence[str]) -> None:
        """After a death of the program: end what it left running, and see what its commands changed. Blocks."""
        from runner.tools.recorded import end_recorded

        end_recorded(self._ledger)
        self.keeper.recover(run_ids)

    def sandbox(self) -> SandboxStatus:
        """Whether commands will be caged. Blocks a moment."""
        from runner.tools.sandbox import status

        return status(self._settings.run_config().sandbox)

    def runner(self, store: Store | None) -> Runner:
        return Runner(
            store=store,
            models=self._settings.registry(),
            grants=GrantFile(self._data_dir / "grants.json"),
            keeper=self.keeper,
            background=self.background,
        )

    def equipped(self, agent: Agent) -> Agent:
        """The agent with the tools of the servers that it uses."""
        names = tuple(self._settings.agent_servers(agent.name))
        if self.hub is None or not names:
            return agent
        return replace(agent, toolsets=(*agent.toolsets, self.hub.toolset(names)))

    @property
    def servers(self) -> tuple[ServerState, ...]:
        return () if self.hub is None else self.hub.servers()

    async def open(self) -> None:
        """Begin to start the servers; returns at once."""
        if self.hub is not None:
            await self.hub.start()

    async def leave_session(self, session_id: str) -> None:
        """Nobody looks at the session any more: what runs in its background ends."""
        await self.background.close_session(session_id)

    async def close(self) -> None:
        """End servers and processes, after the runs; bounded in time."""
        closing = [self.background.close()]
        if self.hub is not None:
            closing.append(self.hub.close())  # pyright: ignore[reportArgumentType]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*closing)
        await asyncio.to_thread(self.keeper.close)
