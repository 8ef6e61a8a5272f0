"""What completes the word being written: files of the folder, or commands. The composer keeps the focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.content import Content

from tui.render.clean import clean
from tui.widgets.rows import Rows
from tui.words import cut_middle, fit

Kind = Literal["file", "command", "limit", "value", "argument", "shell", "history"]
MOST_SHOWN = 8
RESERVED = 6
"""Lines of the screen that are never given to candidates: the message, the status, and what is above."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """value: what replaces the word. label: what is shown; detail: in muted words after it."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A line that is only read. loud: it must not be overlooked."""

    text: str
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """The word to complete: what kind, what is written of it, where on the line it begins; of: whose value it is."""

    kind: Kind
    query: str
    start: int
    of: str = ""


class CompletionPopup(Rows, can_focus=False):
    """Shown right above the composer, best candidate first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.display = False

    def offer(self, candidates: Sequence[Candidate | Remark]) -> None:
        self.display = bool(candidates)
        if candidates:
            self.styles.height = min(len(candidates), MOST_SHOWN, max(1, self.screen.size.height - RESERVED))
            self.selected = 0
            self.set_rows(candidates)
            self.call_after_refresh(self.redraw)

    def tell(self, remarks: Sequence[Remark]) -> None:
        """Say something where nothing can be completed."""
        self.display = True
        self.styles.height = min(len(remarks), max(1, self.screen.size.height - RESERVED))
        self.selected = -1
        self.set_rows(remarks)
        self.call_after_refresh(self.redraw)

    def selectable(self, row: object) -> bool:
        return isinstance(row, Candidate)

    def close(self) -> None:
        self.display = False

    @property
    def candidate(self) -> Candidate | None:
        row = self._rows[self.selected] if self.display and 0 <= self.selected < len(self._rows) else None
        return row if isinstance(row, Candidate) else None

    def draw(self, row: object, width: int, selected: bool) -> Content:
        if isinstance(row, Remark):
            style = "bold $warning" if row.loud else "$muted"
            return Content.styled(f" {row.text}", style).truncate(width, ellipsis=True, pad=True)
        assert isinstance(row, Candidate)
        label = cut_middle(clean(row.label), width - 1)
        content = Content.assemble(
            (f" {fit(label, 18) if row.detail else label}", "$foreground"),
            (f"  {row.detail}" if row.detail else "", "$muted"),
        ).truncate(width, ellipsis=True, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content
