"""The tags and notes of the session shown, at the times of the turns they were given to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.errors import QuarterdeckError
from tui.render.clean import clean
from tui.words import cut, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.store.base import Annotation
    from tui.engine import Engine
    from tui.ports import Host
    from tui.widgets.transcript import Transcript

_NOTE = 40


class Marks:
    """Lives on the screen's thread; the store is read on another."""

    def __init__(self, host: Host, engine: Engine, transcript: Transcript) -> None:
        self._host = host
        self._engine = engine
        self._transcript = transcript
        self._session_id: str | None = None

    def follow(self, session_id: str | None) -> None:
        """This session is shown."""
        if session_id != self._session_id:
            self._session_id = session_id
            self._transcript.set_marks({})
            self.again()

    def again(self) -> None:
        """Something was marked."""
        if self._session_id is not None:
            self._host.work(self._read(self._session_id), "marks")

    async def _read(self, session_id: str) -> None:
        # Where there is no store nothing is marked, and that is said elsewhere.
        with suppress(QuarterdeckError):
            found = await asyncio.wrap_future(self._engine.ask(lambda store: store.annotations(session_id)))
            if session_id == self._session_id:
                self._transcript.set_marks(words_of(found))


def words_of(found: Sequence[Annotation]) -> dict[tuple[str, int], str]:
    """What stands at each turn, by its run and its number there: its tags, then its note. Clean."""
    listed: dict[tuple[str, int], list[str]] = {}
    for note in sorted(found, key=lambda note: note.kind == "note"):
        text = f"#{note.text}" if note.kind == "tag" else f"“{cut(one_line(note.text), _NOTE)}”"
        listed.setdefault((note.run_id, note.turn), []).append(text)
    return {place: clean(" ".join(words)) for place, words in listed.items() if place[1]}
