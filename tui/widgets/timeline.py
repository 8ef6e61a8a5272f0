"""The tool calls of the session, and what the selected one prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from runner.state import CallItem
from tui.render.calls import short_arguments
from tui.render.clean import clean
from tui.render.quiet import Badge, call_badge
from tui.widgets.rows import Rows
from tui.words import cut, cut_middle, duration, fit, one_line
from tui.words import seconds as whole_seconds

_PHASES: dict[str, tuple[str, str, str]] = {
    "writing": ("…", "writing", "state-queued"),
    "proposed": ("○", "queued", "state-queued"),
    "waiting": ("?", "waiting", "state-waiting"),
    "running": ("●", "running", "state-running"),
}
_ENDS: dict[str, tuple[str, str, str]] = {
    "ok": ("✓", "ok", "state-ok"),
    "error": ("✗", "error", "state-failed"),
    "denied": ("✗", "denied", "state-cancelled"),
    "timeout": ("✗", "timeout", "state-failed"),
    "cancelled": ("■", "stopped", "state-cancelled"),
    "interrupted": ("■", "aborted", "state-failed"),
    "skipped": ("-", "skipped", "state-cancelled"),
    "invalid": ("✗", "invalid", "state-failed"),
}
_EFFECTS: dict[str, tuple[str, str]] = {
    "none": ("no effects", "it changed nothing"),
    "done": ("had effects", "it had its effects before it was cut"),
    "unknown": ("effects?", "it may have had effects, check before relying on it"),
}
_WORD = 7
_KINDS = {
    "list_files": "tool-read",
    "read_file": "tool-read",
    "search": "tool-read",
    "write_file": "tool-write",
    "edit_file": "tool-write",
    "edit_files": "tool-write",
    "web_fetch": "tool-network",
    "shell": "tool-shell",
}
TAIL_CHARACTERS = 16_000
"""Characters of output looked at for the pane; the rest is on the call's own screen."""


def state_of(call: CallItem) -> tuple[str, str, str]:
    """Glyph, word and theme variable of a call's state; never the colour alone."""
    if call.phase == "finished":
        return _ENDS.get(call.status or "error", _ENDS["error"])
    return _PHASES[call.phase]


def seconds_of(call: CallItem, now: float) -> float | None:
    """How long a call ran, or runs by now; None before it began."""
    if call.phase == "finished":
        return call.seconds if call.started_mono is not None else None
    return None if call.started_mono is None else max(0.0, now - call.started_mono)


def effects_of(call: CallItem) -> tuple[str, str]:
    """What a call that was cut may have done, in a few words and in one sentence; both "" for any other call."""
    if not _cut_short(call):
        return "", ""
    return _EFFECTS.get(call.side_effects, _EFFECTS["unknown"])


def _cut_short(call: CallItem) -> bool:
    return call.phase == "finished" and call.status in ("interrupted", "cancelled", "timeout")


def _what(call: CallItem) -> str:
    """What a running process runs, else the telling part of the arguments."""
    running = call.process if call.phase == "running" else ""
    return one_line(running) or short_arguments(call)


def _tail(call: CallItem, now: float, width: int) -> str:
    """The end of a row: how long it ran, or what a call that was cut may have done."""
    seconds = seconds_of(call, now)
    if seconds is None:
        return ""
    time = whole_seconds(seconds) if call.phase == "running" else duration(seconds)
    short, _ = effects_of(call)
    if not short:
        return time
    return f"{short} {time}" if width >= 44 else short


class Timeline(Rows):
    """One line a call, the newest last and followed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, empty="No tool was called yet.")
        self._calls: Sequence[CallItem] = ()
        self._now = 0.0

    def show(self, calls: Sequence[CallItem], now: float) -> None:
        self._calls = calls
        self._now = now
        self.set_rows(calls, follow=True)

    @property
    def call(self) -> CallItem | None:
        """The selected call."""
        return self._calls[self.selected] if 0 <= self.selected < len(self._calls) else None

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, CallItem)
        glyph, word, token = state_of(row)
        tail = _tail(row, self._now, width)
        tool = cut(clean(row.tool or "?"), 16)
        room = width - (2 + _WORD + 1) - cell_len(tool) - 1 - (cell_len(tail) + 1 if tail else 0)
        # A path is known by its end, a command by its beginning.
        shorten = cut if row.tool == "shell" or row.process else cut_middle
        what = shorten(clean(_what(row)), max(0, room))
        content = Content.assemble(
            (f"{glyph} {word:<{_WORD}} ", f"${token}"),
            (tool, f"${_KINDS.get(row.tool, 'tool-other')}"),
            (f" {fit(what, max(0, room))}", "$foreground"),
            (f" {tail}" if tail else "", f"${token}" if _cut_short(row) else "$muted"),
        )
        if selected:
            content = content.stylize("$selection-text on $selection" if self.has_focus else "on $panel")
        return content

    def _watch_has_focus(self, focus: bool) -> None:
        self.redraw()


class OutputTail(Static):
    """The last lines of what the selected call printed; a click shows all of it."""

    class Opened(Message):
        def __init__(self, call: CallItem) -> None:
            super().__init__()
            self.call = call

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._call: CallItem | None = None
        self._badge: Badge | None = None

    def show(self, call: CallItem | None, now: float) -> None:
        """now: seconds of the clock that the call's `mono` comes from."""
        badge = None if call is None else call_badge(call, now)
        if call is self._call and badge == self._badge:
            return
        self._call, self._badge = call, badge
        self.redraw()

    def redraw(self) -> None:
        width, height = self.content_size
        if width <= 0 or height <= 0:
            return
        self.update(_output(self._call, width, height, self._badge), layout=False)

    def on_resize(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.button == 1 and self._call is not None:
            self.post_message(self.Opened(self._call))


def _output(call: CallItem | None, width: int, height: int, badge: Badge | None) -> Content:
    if call is None:
        return Content("")
    cut_short = _cut_short(call) and call.side_effects != "none"
    room = width if badge is None else max(0, width - cell_len(badge.text) - 1)
    title = cut(clean(heading(call)), room)
    head = Content.styled(title, "$state-waiting" if cut_short else "$muted")
    if badge is not None and room:
        head += Content.styled(" " * (width - cell_len(title) - cell_len(badge.text)), "$muted")
        head += Content.styled(badge.text, f"${badge.token}")
    lines = tail(output_of(call), width, height - 1)
    return Content("\n").join([head, *(Content.styled(line, "$foreground") for line in lines)])


def heading(call: CallItem) -> str:
    """What stands above the output: whose it is, and what is known of a call that was cut."""
    _, effects = effects_of(call)
    if effects:
        return f"{call.tool} was cut: {effects}"
    if call.question is not None and not call.question.decision:
        return f"{call.tool} waits for an answer"
    if call.phase in ("writing", "proposed", "waiting"):
        return f"{call.tool} has not run"
    if call.phase == "finished":
        return f"{call.tool} gave"
    title = f"{call.tool}: {call.activity}" if call.activity else f"{call.tool} prints"
    if call.progress is not None:
        title += f" ({call.progress:.0%})"
    return title if call.pid is None else f"{title} · process {call.pid}"


def output_of(call: CallItem) -> str:
    """What there is to see of a call: live output while it runs, else what the model read of it."""
    return call.output if call.phase == "finished" else "".join(call.live_output)


def tail(text: str, width: int, height: int) -> Sequence[str]:
    """The last lines, cleaned, each cut to width."""
    if height <= 0:
        return ()
    lines = clean(text[-TAIL_CHARACTERS:]).rstrip("\n").split("\n")
    return [cut(line, width) for line in lines[-height:]]
