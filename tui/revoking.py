"""Takes grants back where they are: in a run that goes on, in a session's record, in the file of the lasting ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.errors import CommandError, StoreError
from runner.policy import GrantFile
from runner.store.paths import data_dir
from tui.standing import Entry, Standing, Where, gather

if TYPE_CHECKING:
    from tui.desk import Bench

TRIES = 40
PAUSE = 0.05
"""A live run takes a revocation in at its next moment; so often and so long somebody looks whether it did."""


class Revoker:
    def __init__(self, desk: Bench) -> None:
        self._desk = desk

    def file(self) -> GrantFile:
        return GrantFile(data_dir(self._desk.settings.environ) / "grants.json")

    def where(self) -> Where:
        """The session shown, those with a live run, and what these have cost."""
        deck, settings = self._desk.deck, self._desk.settings
        shown = deck.view().session_id
        live = {handle.session_id for handle in deck.handles}
        sessions = [*([shown] if shown else []), *sorted(live - {shown})]
        spent: dict[str, Decimal | None] = {run.run_id: run.cost.total for run in deck.view().runs}
        return Where(cwd=settings.cwd, environ=settings.environ, sessions=sessions, spent=spent)

    async def look(self) -> Standing:
        """All that counts now."""
        file, where, now = self.file(), self.where(), datetime.now(UTC)
        engine = self._desk.engine
        with suppress(StoreError):
            return await asyncio.wrap_future(engine.ask(lambda store: gather(store, file, where, now)))
        # Without a store nothing of a session is known, but the files are there.
        return await asyncio.wrap_future(engine.background(lambda: gather(None, file, where, now)))

    async def revoke(self, grants: Sequence[Entry], look: Callable[[], Awaitable[Standing]]) -> Standing:
        """Take them back and give what is left. Raises QuarterdeckError."""
        engine, cwd, file = self._desk.engine, self._desk.settings.cwd, self.file()
        handles = {handle.session_id: handle for handle in self._desk.deck.handles}
        for entry in grants:
            key = entry.key
            if entry.place == "file":
                await asyncio.wrap_future(engine.background(lambda key=key: file.revoke(key, cwd)))
            if entry.place == "session" and entry.session_id not in handles:
                session_id = entry.session_id
                await asyncio.wrap_future(engine.ask(lambda store, s=session_id, k=key: store.revoke_grants(s, k)))
                continue
            # A lasting grant counts in every run that began with it, so each of them must forget it.
            for session_id, handle in handles.items():
                if entry.session_id in ("", session_id):
                    try:
                        handle.revoke(key)
                    except CommandError as error:
                        # A run that ended a moment ago needs no telling.
                        self._desk.deck.say(str(error), "warning")
        return await self._settled({entry.key for entry in grants}, look)

    async def _settled(self, keys: set[str], look: Callable[[], Awaitable[Standing]]) -> Standing:
        left = await look()
        for _ in range(TRIES):
            if not any(entry.key in keys for entry in left.grants):
                break
            await asyncio.sleep(PAUSE)
            left = await look()
        return left
