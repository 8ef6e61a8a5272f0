"""What is being written, kept for each session: it comes back with the session, and after a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.drafts import Draft, DraftFiles, new_key, session_key

if TYPE_CHECKING:
    from tui.deck import Deck
    from tui.widgets.composer import Composer

EVERY = 1.0
"""Seconds between two writings of a draft at least."""

BACK = "your unsent message is back"


class Place(Protocol):
    """Where the message is written. settle: leave whatever took the place of the draft."""

    @property
    def composer(self) -> Composer: ...

    @property
    def draft(self) -> Draft: ...

    def settle(self) -> None: ...


class Drafting:
    """Lives on the screen's thread; files are written in another one. later: calls a function after some seconds."""

    def __init__(
        self, later: Callable[[float, Callable[[], None]], object], deck: Deck, writing: Place, workspace: str
    ) -> None:
        self._later = later
        self._deck = deck
        self._writing = writing
        self._workspace = workspace
        self._files: DraftFiles | None = None
        self._held: dict[str, Draft] = {}
        self._session: str | None = deck.session_id
        self._leaving = False
        self._due = False
        self._last = Draft()
        writing.composer.changed = self.changed

    def open(self, data_dir: Path) -> None:
        """Drafts can be kept from now on; what the last program did not send comes back."""
        self._files = files = DraftFiles(data_dir)
        found = files.orphan(self._workspace) if self._session is None else files.read(self._key)
        if found and self._writing.composer.blank:
            self._show(found)
        elif found:
            self._writing.composer.history_of_messages.add(found.text)
            self._deck.say("an unsent message of the last time is among the earlier ones", stay=True)
        self._save()
        files.tidy()

    def changed(self) -> None:
        """Something was written; it is kept within a second, and forgotten at once where it was sent."""
        if not self._due and self._files is not None:
            if self._last and not self._writing.draft:
                self._save()
                return
            self._due = True
            self._later(EVERY, self._save)

    def leaving(self) -> None:
        """Another session is going to be shown."""
        self._writing.settle()
        self._held[self._key] = self._writing.draft
        self._save()
        self._leaving = True

    def follow(self) -> None:
        """Another session is shown, or the one that was begun exists now."""
        session = self._deck.session_id
        left, self._leaving = self._leaving, False
        if session == self._session:
            return
        before = self._key
        self._session = session
        if left:
            self._switch()
        else:
            if self._files is not None:
                self._files.write(before, Draft())
            self._last = Draft()
            self._save()

    def close(self) -> None:
        """The program ends."""
        self._writing.settle()
        self._save()

    @property
    def _key(self) -> str:
        return new_key(self._workspace) if self._session is None else session_key(self._session)

    def _switch(self) -> None:
        key = self._key
        found = self._held.pop(key, None)
        if found is None:
            found = Draft() if self._files is None else self._files.read(key)
        self._last = found
        self._writing.composer.replace_all("")
        if found:
            self._show(found)

    def _show(self, draft: Draft) -> None:
        composer = self._writing.composer
        composer.pastes.know(draft.folded)
        composer.replace_all(draft.text)
        self._deck.say(BACK, seconds=8.0)

    def _save(self) -> None:
        self._due = False
        draft = self._writing.draft
        if self._files is not None and draft != self._last:
            self._last = draft
            self._files.write(self._key, draft)
