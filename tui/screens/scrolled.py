"""A screen that shows one long text, and moves in it by the keys of lists and by those of pagers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui.screens.steady import Steady


class Scrolled(Steady[None]):
    """Subclasses compose a VerticalScroll with the class "viewer-body", and give it the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,v", "close", show=False, priority=True),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
        Binding("space", "page(1)", show=False),
        Binding("g", "edge(False)", show=False),
        Binding("G", "edge(True)", show=False),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.up": "scroll(-1)",
        "list.down": "scroll(1)",
        "list.page_up": "page(-1)",
        "list.page_down": "page(1)",
        "list.first": "edge(False)",
        "list.last": "edge(True)",
        "list.close": "close",
    }

    @property
    def body(self) -> VerticalScroll:
        return self.query_one(".viewer-body", VerticalScroll)

    def action_scroll(self, by: int) -> None:
        self.body.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        self.body.scroll_relative(y=by * max(1, self.body.size.height - 1), animate=False)

    def action_edge(self, end: bool) -> None:
        (self.body.scroll_end if end else self.body.scroll_home)(animate=False)

    def action_close(self) -> None:
        self.leave()
