"""The headless driver over a scenario: the program's own code from the run on, with a scripted model."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from runner.control.handle import RunHandle
from runner.store import Store
from tests.loop.driving import PROMPT, WatchedRunner
from tests.loop.scenario import Stage, load
from tui.headless import Headless, drive


def main(file: str, workspace: str) -> int:
    stage = Stage(load(Path(file).read_bytes()), Path(workspace))

    def note(handle: RunHandle) -> None:
        stage.handle = handle

    with Store.open() as store:
        job = Headless(
            runner=WatchedRunner(note, stage, store),
            agent=stage.agent(),
            prompt=PROMPT,
            config=stage.config(),
            json=True,
            control=True,
        )
        return asyncio.run(drive(job))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
