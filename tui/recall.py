"""Searching the earlier messages, in the place of the message that is being written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from runner.errors import QuarterdeckError
from tui import history
from tui.fuzzy import best
from tui.render.clean import visible
from tui.widgets.completion import Candidate, Remark
from tui.words import cut, one_line

if TYPE_CHECKING:
    from tui.engine import Engine
    from tui.widgets.composer import Composer

MOST = 50
MATCHED = 400
"""Characters of a message that are matched and shown."""

TITLE = "search earlier messages"


class Place(Protocol):
    """Where the message is written; a draft that was put aside comes back."""

    @property
    def composer(self) -> Composer: ...

    def put_aside(self, instead: str) -> None: ...

    def taken(self, text: str) -> None: ...

    def bring_back(self) -> None: ...


class Recall:
    """Implements `composer.Search`. widen_key: how the key that looks at all folders is called."""

    def __init__(self, writing: Place, engine: Engine, widen_key: str) -> None:
        self._writing = writing
        self._composer = writing.composer
        self._engine = engine
        self._widen_key = widen_key
        self._folder: Path | None = None
        self._all: list[str] | None = None
        self._wide = False

    def open(self, folder: Path) -> None:
        """folder: where the messages of all folders are kept."""
        self._folder = folder

    def begin(self) -> None:
        if self._composer.searching is not None:
            self.widen()
            return
        self._wide, self._all = False, None
        self._writing.put_aside("")
        self._composer.searching = self
        self._show_title()
        self._composer.focus()
        self._composer.look_at_word()

    def take(self, text: str) -> None:
        """The message that was found is written now; what was being written comes back after it."""
        self._end()
        self._writing.taken(text)

    def leave(self) -> None:
        self._end()
        self._writing.bring_back()

    def widen(self) -> None:
        """Look at the messages of all folders, or of this one again."""
        self._wide = not self._wide
        self._show_title()
        self._composer.look_at_word(again=True)

    def _end(self) -> None:
        self._composer.searching = None
        self._composer.border_title = self._composer.border_subtitle = ""
        self._composer.close_completion()
        self._composer.replace_all("")

    def _show_title(self) -> None:
        other = "this folder only" if self._wide else "all folders"
        widen = f" · {self._widen_key} {other}" if self._widen_key else ""
        self._composer.border_title = Content(f"{TITLE}{' of all folders' if self._wide else ''}")
        self._composer.border_subtitle = Content(f"enter takes it · esc gives your draft back{widen}")

    async def candidates(self, query: str) -> list[Candidate | Remark]:
        """The newest first for an empty query, else the best."""
        entries = self._composer.history_of_messages.entries
        if self._wide:
            if self._all is None:
                self._all = await self._load()
            entries = [*self._all, *entries]
        newest = list(dict.fromkeys(reversed(entries)))
        try:
            found = await asyncio.wrap_future(
                self._engine.background(lambda: best(query, newest, lambda text: text[:MATCHED], MOST))
            )
        except QuarterdeckError:
            return []
        listed: list[Candidate | Remark] = [
            Candidate(text, visible(cut(one_line(text[:MATCHED]), MATCHED))) for text in found
        ]
        return listed or [Remark("no earlier message fits" if query else "there are no earlier messages yet")]

    async def _load(self) -> list[str]:
        folder = self._folder
        if folder is None:
            return []
        try:
            return await asyncio.wrap_future(self._engine.background(lambda: history.load_all(folder)))
        except QuarterdeckError:
            return []
