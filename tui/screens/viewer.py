"""One thing on a screen of its own, scrollable: a whole call, its arguments, its preview, its output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.preview import diff, file_line, files_of, pretty, preview
from tui.render.clean import clean, visible
from tui.render.decisions import decision_words
from tui.screens.scrolled import Scrolled
from tui.widgets.timeline import output_of, state_of
from tui.words import duration, one_line

if TYPE_CHECKING:
    from runner.state import CallItem

MOST_CHARACTERS = 400_000
"""Characters of output shown; more is in the session's export."""


class Viewer(Scrolled):
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
        self.body.focus()


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
