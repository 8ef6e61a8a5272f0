"""Changes on a screen of their own: one column or old and new beside each other, and each file of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.marked import marked
from tui.preview import FileDiff
from tui.screens.scrolled import Scrolled
from tui.side_by_side import beside, unified
from tui.words import cut_middle, one_line

WIDE = 110
"""Cells from which old and new stand beside each other at first."""

LIST_FROM = 100
"""Columns from which several files are listed beside the change."""

LIST_WIDTH = 34


class FileList(Static):
    """The files, with the one that is shown marked."""

    class Clicked(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(int(event.y)))


class DiffView(Scrolled):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "turn", show=False),
        Binding("n,right,tab", "file(1)", show=False, priority=True),
        Binding("p,left,shift+tab", "file(-1)", show=False, priority=True),
    ]

    def __init__(self, title: str, files: Sequence[FileDiff]) -> None:
        """title: what wants to make the changes; not clean."""
        super().__init__()
        self._title = title
        self._files = files
        self._index = 0
        self._beside: bool | None = None
        self._shown: tuple[int, bool, int] | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="viewer-title", markup=False)
        with Horizontal(classes="diff-main"):
            with VerticalScroll(classes="diff-files", can_focus=False):
                yield FileList("", markup=False)
            with VerticalScroll(classes="viewer-body"):
                yield Static("", classes="diff-text", markup=False)
        yield Static("", classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.body.focus()
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @property
    def _listed(self) -> bool:
        return len(self._files) > 1 and self.size.width >= LIST_FROM

    @property
    def _width(self) -> int:
        """Cells that a line of the change has; the rest are paddings, the scroll bar and the list."""
        return self.size.width - 6 - (LIST_WIDTH if self._listed else 0)

    def _show(self) -> None:
        file = self._files[self._index]
        beside_now = self._width >= WIDE if self._beside is None else self._beside
        self.query_one(".diff-files", VerticalScroll).display = self._listed
        number = f"{self._index + 1} of {len(self._files)}  " if len(self._files) > 1 else ""
        new = "new file, " if file.new_file else ""
        self.query_one(".viewer-title", Static).update(
            Content.assemble(
                marked(f"{one_line(self._title)}  ", "bold $foreground") if not self._is_narrow else "",
                (number, "$muted"),
                marked(one_line(file.path), "bold $primary"),
                (f"  {new}{file.counts}", "$muted"),
            )
        )
        if self._listed:
            self.query_one(FileList).update(self._list())
        shown = (self._index, beside_now, self._width)
        if shown != self._shown:
            self._shown = shown
            text = beside(file.diff, self._width) if beside_now else unified(file.diff)
            self.query_one(".diff-text", Static).update(text)
        turn = "s one column" if beside_now else "s side by side"
        files = " · n, p next and previous file" if len(self._files) > 1 else ""
        hint = f"up, down, page up, page down scroll · {turn}{files} · esc closes · nothing can be approved from here"
        self.query_one(".picker-hint", Static).update(Content.styled(hint, "$key-label"))

    @property
    def _is_narrow(self) -> bool:
        return self.size.width < LIST_FROM

    def _list(self) -> Content:
        lines: list[Content] = []
        for index, file in enumerate(self._files):
            room = LIST_WIDTH - 5 - len(file.counts)
            here = index == self._index
            path = marked(cut_middle(one_line(file.path), room), "$foreground" if here else "$muted")
            line = Content.assemble(("▸ " if here else "  ", "$primary"), path, (f" {file.counts}", "$muted"))
            lines.append(line.stylize("bold") if here else line)
        return Content("\n").join(lines)

    def on_file_list_clicked(self, event: FileList.Clicked) -> None:
        event.stop()
        self._go(event.index)

    def action_file(self, by: int) -> None:
        self._go((self._index + by) % len(self._files))

    def _go(self, index: int) -> None:
        if 0 <= index < len(self._files) and index != self._index:
            self._index = index
            self._show()
            self.body.scroll_home(animate=False)
            self.query_one(".diff-files", VerticalScroll).scroll_to(y=max(0, index - 3), animate=False)

    def action_turn(self) -> None:
        beside_now = self._width >= WIDE if self._beside is None else self._beside
        self._beside = not beside_now
        self._show()
