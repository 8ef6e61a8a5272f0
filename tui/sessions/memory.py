"""How the list of sessions was grouped last: kept from one start to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.sessions.lines import Grouping

if TYPE_CHECKING:
    from tui.remembered import Remembered

NAME: Final = "sessions"


class SessionMemory:
    """What is damaged in the file, or not ours, is passed over."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    @property
    def grouping(self) -> Grouping:
        kept: object = self._remembered.read(NAME).get("grouping")
        return "project" if kept == "project" else "day"

    def group_by(self, grouping: Grouping) -> None:
        self._remembered.write(NAME, {"grouping": grouping})
