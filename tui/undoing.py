"""Undo between the screen and the files: loading, planning and putting back, all of it off the screen's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.undo.blobs import Blobs
from runner.undo.history import KINDS, History, load
from runner.undo.plan import FileDiff, FilePlan, Plan, Selection, file_diff, undo_plan
from runner.undo.restore import Outcome, restore
from runner.undo.words import TOLD, listed
from tui.undo_words import shown_path

if TYPE_CHECKING:
    from runner.store import Store
    from tui.desk import Bench

MOST_DIFFS = 100
"""Files whose diffs are shown in one view."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan with the diffs of its first files."""

    plan: Plan
    diffs: tuple[tuple[FilePlan, FileDiff], ...]


class Undoing:
    """One session's undo. Every coroutine raises QuarterdeckError where the store or the disk fails."""

    def __init__(self, desk: Bench, session_id: str) -> None:
        self._desk = desk
        self._session = session_id
        self._data: Path | None = None
        self._elsewhere = False
        self.history = History()

    async def load(self) -> History:
        def read(store: Store) -> tuple[Path, History]:
            from runner.store.paths import data_dir

            folder = data_dir()
            return folder, load(store.facts(self._session, KINDS), folder, self._session)

        # A run that goes on in this program is asked itself; of one elsewhere only its facts tell.
        self._elsewhere = self._desk.deck.view().live is None
        self._data, self.history = await asyncio.wrap_future(self._desk.engine.ask(read))
        return self.history

    async def plan(self, selection: Selection) -> Shown:
        def work(data: Path, history: History) -> Shown:
            blobs = Blobs(data)
            plan = undo_plan(history, blobs, selection)
            return Shown(plan, tuple((file, file_diff(file, blobs)) for file in plan.files[:MOST_DIFFS]))

        assert self._data is not None
        data, history = self._data, self.history
        return await asyncio.wrap_future(self._desk.engine.background(lambda: work(data, history)))

    async def restore(self, plan: Plan, force: Collection[str]) -> Outcome:
        assert self._data is not None
        data = self._data
        outcome = await asyncio.wrap_future(self._desk.engine.background(lambda: restore(plan, data, force=force)))
        if outcome.done:
            folder = self._desk.deck.view().workspace
            names = [shown_path(change.path, folder) for change in outcome.done]
            self._desk.deck.tell_model(self._session, TOLD.format(files=listed(names)))
        return outcome

    def busy(self) -> str:
        """Why nothing may be put back now, "" where it may."""
        view = self._desk.deck.view()
        running = [call.tool for call in view.running_calls] if view.session_id == self._session else []
        if self._elsewhere:
            running += self.history.running
        return f"{', '.join(dict.fromkeys(running))} runs now; put files back when it has ended" if running else ""
