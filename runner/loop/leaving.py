"""What becomes of background processes when a run ends.

An abort ends those that the run itself started: stop means stop. Those of earlier runs of the session go on, and the
receipt names them. Any other end leaves them running: that is what they are for. Where a Runner was given no Background
the run has one of its own, which ends with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.agent import Agent
from runner.loop.core import RunCore

if TYPE_CHECKING:
    from runner.tools.background import Background


def own_background(agent: Agent) -> Background | None:
    """For a run whose Runner has none; an agent without tools starts nothing."""
    if not (agent.tools or agent.toolsets):
        return None
    from runner.tools.background import Background

    return Background()


async def end_processes(core: RunCore, *, aborted: bool) -> None:
    background: Background | None = core.background
    if background is None:
        return
    state = core.emitter.state
    if core.owns_background:
        core.receipt.background += await background.close()
    elif aborted:
        core.receipt.background += await background.end_run(state.run_id)
        core.receipt.still_running = [
            {"process_id": process.process_id, "name": process.name, "pid": process.pid}
            for process in background.running(state.session_id)
        ]
