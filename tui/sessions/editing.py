"""The one field in which a session is named, tagged or given a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tui.words import one_line

if TYPE_CHECKING:
    from runner.store.base import SessionSummary
    from tui.sessions.finder import Finder

EditKind = Literal["rename", "tag", "note"]

LABELS: Final[dict[EditKind, str]] = {"rename": "name", "tag": "tags", "note": "note"}
HINTS: Final[dict[EditKind, str]] = {
    "rename": "empty takes the name away, and the first message stands there again",
    "tag": "words with blanks between them",
    "note": "what you want to know about it later; empty takes it away",
}
SAID: Final[dict[EditKind, str]] = {"rename": "renamed", "tag": "the tags are changed", "note": "the note is kept"}


@dataclass(frozen=True, slots=True)
class Edit:
    kind: EditKind
    summary: SessionSummary

    @property
    def text(self) -> str:
        """What stands in the field at first."""
        match self.kind:
            case "rename":
                return self.summary.name
            case "tag":
                return " ".join(self.summary.tags)
            case "note":
                return one_line(self.summary.note)

    async def save(self, finder: Finder, text: str) -> None:
        """Raises QuarterdeckError. A text that was not touched is not written: a note may have more lines than one."""
        if text == self.text:
            return
        session_id = self.summary.session_id
        match self.kind:
            case "rename":
                await finder.rename(session_id, one_line(text))
            case "tag":
                await finder.set_tags(session_id, self.summary.tags, text.replace(",", " ").split())
            case "note":
                await finder.set_note(session_id, text)
