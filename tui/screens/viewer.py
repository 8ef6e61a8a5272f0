"""One thing on a screen of its own, scrollable: a whole call, its arguments, its preview, its output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.preview import diff, file_line, files_of, pretty, preview
from tui.render.clean import clean, visible
from tui.render.decisions import decision_words
from tui.screens.steady import Steady
from tui.widgets.timeline import output_of, state_of
from tui.words import duration, one_line

if TYPE_CHECKING:
    from runner.state import CallItem

MOST_CHARACTERS = 400_000
"""Characters of output shown; more is in the session's export."""


class Viewer(Steady[None]):
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

    def __init__(self, title: Content, body: Content) -> None:
        super().__init__()
        self._title = title
        self._body = body

    def compose(self) -> ComposeResult:
        yield Static(self._title, classes="viewer-title", markup=False)
        with VerticalScroll(classes="viewer-body"):
            yield Static(self._body, markup=False)
        hint = "up, down, page up, page down scroll · esc closes · nothing can be approved from here"
        yield Static(Content.styled(hint, "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        body = self.query_one(VerticalScroll)
        body.scroll_relative(y=by * max(1, body.size.height - 1), animate=False)

    def action_edge(self, end: bool) -> None:
        body = self.query_one(VerticalScroll)
        (body.scroll_end if end else body.scroll_home)(animate=False)

    def action_close(self) -> None:
        self.leave()


def call_title(call: CallItem) -> Content:
    glyph, word, token = state_of(call)
    time = f" in {duration(call.seconds)}" if call.phase == "finished" and call.started_mono is not None else ""
    return Content.assemble((clean(call.tool), "bold $foreground"), (f"  {glyph} {word}{time}", f"${token}"))


def call_body(call: CallItem) -> Content:
    """Everything about a call: what it is, what a person decided, what came out."""
    parts: list[Content] = []
    approval = call.asked or call.approval
    if approval is not None:
        found = preview(approval)
        parts += [_heading(visible(one_line(found.title))), found.body]
        if found.facts:
            parts.append(Content.styled(" · ".join(visible(one_line(fact)) for fact in found.facts), "$muted"))
        parts += [Content.styled(visible(sentence), "$state-waiting") for sentence in decision_words(call)]
    parts += [_heading("Arguments"), pretty(call.arguments)]
    changed = files_of(call.display) if call.display is not None and approval is None else []
    parts += [_heading("Change" if len(changed) == 1 else "Changes")] if changed else []
    for file in changed:
        parts += [diff(file.diff)] if len(changed) == 1 else [file_line(file), diff(file.diff)]
    output = output_of(call)
    if output:
        cutoff = f" (the last {MOST_CHARACTERS:,} characters)" if len(output) > MOST_CHARACTERS else ""
        short = " (cut for the model; the whole of it is stored)" if call.truncated else ""
        parts += [_heading(f"Output{cutoff}{short}"), Content.styled(clean(output[-MOST_CHARACTERS:]), "$foreground")]
    return Content("\n").join(parts)


def _heading(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $primary")
