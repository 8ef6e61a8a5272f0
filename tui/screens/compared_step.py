"""Both texts of two compared steps on a screen of their own: whole, or only where they differ."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runner.review.compare import Row
from tui.comparing.texts import diff_of
from tui.render.clean import visible
from tui.screens.scrolled import Scrolled
from tui.side_by_side import beside, unified
from tui.words import one_line

WIDE = 70
"""Cells from which both stand beside each other at first."""


def step_content(row: Row, width: int, *, whole: bool, wide: bool) -> Content:
    """Both texts of a row, beside each other where it is wide. whole: with all that is the same."""
    diff = diff_of(row, whole=whole)
    if not diff:
        return Content.styled("nothing differs", "$muted")
    content = beside(diff, width) if wide else unified(diff)
    # Of one hunk with everything in it, the numbers tell nothing.
    lines = content.split("\n")
    return Content("\n").join(lines[1:]) if diff.count("\n@@ ") == 0 and lines[0].plain.startswith("@@ ") else content


class ComparedStep(Scrolled):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "turn", show=False),
        Binding("d", "only", show=False),
    ]

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._row = row
        self._only = False
        self._beside: bool | None = None
        self._shown: tuple[bool, bool, int] | None = None

    def compose(self) -> ComposeResult:
        yield Static(self._title(), classes="viewer-title", markup=False)
        with VerticalScroll(classes="viewer-body"):
            yield Static("", markup=False)
        yield Static("", classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.body.focus()
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _title(self) -> Content:
        step = self._row.a or self._row.b
        assert step is not None
        what = visible(one_line(step.tool)) if step.kind == "call" else step.kind
        turns = [f"{name} turn {side.turn}" for name, side in (("A", self._row.a), ("B", self._row.b)) if side]
        return Content.assemble((what.capitalize(), "bold $primary"), (f"  {', '.join(turns)}", "$muted"))

    @property
    def _beside_now(self) -> bool:
        return self.size.width >= WIDE if self._beside is None else self._beside

    def _show(self) -> None:
        width = max(20, self.size.width - 6)
        shown = (self._beside_now, self._only, width)
        if shown == self._shown:
            return
        self._shown = shown
        body = step_content(self._row, width, whole=not self._only, wide=self._beside_now)
        self.query_one(".viewer-body Static", Static).update(body)
        how = "s one column" if self._beside_now else "s side by side"
        what = "d everything" if self._only else "d only where they differ"
        hint = f"up, down, page up, page down scroll · {how} · {what} · esc closes"
        self.query_one(".picker-hint", Static).update(Content.styled(hint, "$key-label"))

    def action_turn(self) -> None:
        self._beside = not self._beside_now
        self._show()

    def action_only(self) -> None:
        self._only = not self._only
        self._show()
        self.body.scroll_home(animate=False)
