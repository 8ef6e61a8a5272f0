"""Copies links to the session that is shown, and to the item that a person looks at."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING

from runner.errors import QuarterdeckError
from tui.landing import made_by
from tui.render.clean import clean
from tui.render.groups import Together
from tui.session_link import SessionLink
from tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.state import Item, RunState
    from runner.store import Store
    from tui.desk import Desk
    from tui.widgets.transcript import Transcript


class Links:
    """Lives on the screen's thread; the store is read on another."""

    def __init__(self, desk: Desk, transcript: Transcript) -> None:
        self._desk = desk
        self._transcript = transcript

    def copy(self) -> None:
        """A link to the current item, where there is one, else to the session."""
        session_id = self._desk.deck.session_id
        if session_id is None:
            self._desk.deck.say("there is no session to link to yet")
            return
        item = self._transcript.current
        if isinstance(item, Together):
            first = item.events[0]
            self._give(SessionLink(session_id, first.run_id, first.seq))
        elif item is None or not (run_id := run_of(self._desk.deck.view().runs, item)):
            self._give(SessionLink(session_id))
        else:
            self._desk.host.work(self._find(session_id, run_id, item.item_id), "link")

    async def _find(self, session_id: str, run_id: str, item_id: str) -> None:
        try:
            seq = await asyncio.wrap_future(
                self._desk.engine.ask(lambda store: seq_of(store, session_id, run_id, item_id))
            )
        except QuarterdeckError as error:
            self._desk.deck.say(one_line(clean(str(error))), "warning")
            self._desk.repaint()
            return
        self._give(SessionLink(session_id, run_id, seq) if seq else SessionLink(session_id))

    def _give(self, link: SessionLink) -> None:
        self._desk.host.copy(str(link))
        what = "this place" if link.run_id else "the session"
        self._desk.deck.say(f"a link to {what} copied; /open or quarterdeck --session opens it")
        self._desk.repaint()


def run_of(runs: Sequence[RunState], item: Item) -> str:
    """The run that an item belongs to; "" where it is in none of them."""
    for run in reversed(runs):
        if any(each is item for each in chain(run.live, run.settled)):
            return run.run_id
    return next((run.run_id for run in reversed(runs) if _has(run, item.item_id)), "")


def _has(run: RunState, item_id: str) -> bool:
    return any(each.item_id == item_id for each in chain(run.live, run.settled))


def seq_of(store: Store, session_id: str, run_id: str, item_id: str) -> int:
    """The fact that made an item; 0 where none did. Blocks for the disk."""
    events = (event for event in store.events(session_id, run_id) if not event.is_delta)
    return next((event.seq for event in events if item_id in made_by(event)), 0)
