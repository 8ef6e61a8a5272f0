"""`/tag` and `/note`: marking a turn of the session, or all of it, by the numbers that /rewind shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.review.turns import KINDS, turns
from tui.annotating import Kind, Place, change_note, change_tags
from tui.render.clean import visible
from tui.words import one_line

if TYPE_CHECKING:
    from runner.store import Store
    from tui.line_mode.table import Table


class Marks:
    def __init__(self, table: Table, kind: Kind) -> None:
        self._table = table
        self._kind: Kind = kind

    async def obey(self, argument: str) -> None:
        session_id = self._table.deck.session_id
        if session_id is None:
            self._table.say("nothing was said yet")
            return
        if not argument:
            self._table.tell(await self._table.stored(lambda store: _listed(store, session_id)))
            return
        first, _, rest = argument.partition(" ")
        number = int(first) if first.isascii() and first.isdecimal() and len(first) < 6 else 0

        def change(store: Store) -> str:
            place = _place(store, session_id, number)
            if place is None:
                return f"there is no turn {number}; /rewind lists the turns"
            text = rest.strip() if number else argument
            return change_tags(store, place, text.split()) if self._kind == "tag" else change_note(store, place, text)

        if number and not rest.strip() and self._kind == "tag":
            self._table.say(f"which tag? /tag {number} NAME, or /tag {number} -NAME")
        else:
            self._table.say(await self._table.stored(change))


def _place(store: Store, session_id: str, number: int) -> Place | None:
    """The turn with this number, the whole session for 0; None where there is no such turn."""
    if not number:
        return Place(session_id)
    found = turns(store.facts(session_id, KINDS))
    return Place(session_id, found[number - 1].run_id, found[number - 1].turn) if number <= len(found) else None


def _listed(store: Store, session_id: str) -> list[str]:
    found = store.annotations(session_id)
    if not found:
        return ["nothing is marked here; /tag NAME tags the session, /tag 2 NAME its second turn, /note 2 TEXT notes"]
    words: dict[Place, str] = {}
    lines: list[str] = []
    for note in found:
        place = Place(session_id, note.run_id, note.turn)
        where = words.setdefault(place, place.words(store))
        lines.append(f"{where}: {'#' if note.kind == 'tag' else ''}{visible(one_line(note.text))}")
    return lines
