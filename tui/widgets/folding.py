"""A text area in which a large paste is one token, which unfolds to its text where it stands."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from rich.text import Text
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Location

from tui.pastes import Pastes

_FOLDED = Style(italic=True, reverse=True)


class FoldingArea(TextArea):
    def __init__(self, **options: Any) -> None:
        self.pastes = Pastes()
        super().__init__(**options)

    @property
    def message(self) -> str:
        """What is written, with the whole text of what is folded."""
        return self.pastes.unfold(self.text)

    def toggle_fold(self) -> bool:
        """Unfold the paste at the cursor, or fold it again; whether there is one. A single one needs no cursor."""
        row, column = self.cursor_location
        spans = [(line, span) for line in range(self.document.line_count) for span in self._spans(line)]
        at = [found for found in spans if found[0] == row and found[1][0] <= column <= found[1][1]]
        if not at and self._fold_around():
            return True
        if not at and len(spans) != 1:
            return False
        line, (start, end) = (at or spans)[0]
        text = self.pastes.text_of(self.document.get_line(line)[start:end])
        if text is None:
            return False
        self._swap(text, (line, start), (line, end))
        return True

    def _fold_around(self) -> bool:
        """Fold what was unfolded around the cursor."""
        message = self.text
        row, column = self.cursor_location
        found = self.pastes.around(message, sum(len(line) + 1 for line in message.split("\n")[:row]) + column)
        if found is None:
            return False
        start, end, token = found
        self._swap(token, _place(message, start), _place(message, end))
        return True

    def _swap(self, text: str, start: Location, end: Location) -> None:
        super().edit(Edit(text, start, end, maintain_selection_offset=False))
        self.history.checkpoint()

    def _spans(self, line: int) -> list[tuple[int, int]]:
        # An undo may leave a selection that reaches beyond a document that was replaced meanwhile.
        return self.pastes.spans(self.document.get_line(line)) if 0 <= line < self.document.line_count else []

    def edit(self, edit: Edit) -> EditResult:
        """A token is one thing: what touches a part of it is meant for all of it, what is written into it follows."""
        first, last = sorted((edit.from_location, edit.to_location))
        start, end = self._outside(first, after=first == last), self._outside(last, after=True)
        if (start, end) != (first, last):
            edit = Edit(edit.text, start, end, edit.maintain_selection_offset)
        return super().edit(edit)

    def _outside(self, place: Location, *, after: bool) -> Location:
        """The place itself, or the end of the token that it is in."""
        row, column = place
        for start, end in self._spans(row):
            if start < column < end:
                return (row, end if after else start)
        return place

    def get_line(self, line_index: int) -> Text:
        """With the tokens set apart from what is typed."""
        line = super().get_line(line_index)
        for start, end in self._spans(line_index):
            line.stylize(_FOLDED, start, end)
        return line


def _place(text: str, offset: int) -> Location:
    before = text[:offset]
    return before.count("\n"), offset - (before.rfind("\n") + 1)
