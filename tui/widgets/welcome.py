"""The empty state: what this is, which model will answer and why, what to try; more of it at the very first start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tui.keymap import Keymap
from tui.render.clean import clean, visible
from tui.words import cut_middle, one_line

if TYPE_CHECKING:
    from tui.found import Found

_LABEL = 8
_TRY_DEMO = ("what is in this folder?", "take me on the tour", "create hello.txt with a greeting")
_TRY_REAL = (
    "what is in this folder, and where do I begin reading?",
    "find the TODOs here and group them",
    "run the tests and explain what fails",
)
_OFFERS = (("tour", "Tour"), ("probe", "Local"), ("settings", "File"))
"""Actions that the first start offers, and the label of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What the widget says. found: only at the very first start. offer: the line that enter takes, -1 without focus."""

    folder: str
    model: str = ""
    why: str = ""
    remarks: Sequence[str] = ()
    found: Found | None = None
    local: str = ""
    offer: int = -1
    lines: int = 40


@dataclass(slots=True)
class _State:
    model: str = ""
    why: str = ""
    remarks: list[str] = field(default_factory=list[str])
    found: Found | None = None
    local: str = ""
    offer: int = 0


class Welcome(Static):
    """At the first start it takes the focus when it is gone to, never by itself; what is typed there is a message."""

    class Offered(Message):
        """A person takes what is offered."""

        def __init__(self, action_id: str) -> None:
            super().__init__()
            self.action_id = action_id

    class Typed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, keys: Keymap, folder: str, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._keys = keys
        self._folder = folder
        self._state = _State()
        self._spots: dict[int, int] = {}

    def on_mount(self) -> None:
        self.redraw()

    def show_model(self, model: str, why: str) -> None:
        self._state.model, self._state.why = model, why
        self.redraw()

    def remark(self, text: str) -> None:
        """One more thing to know before starting, such as a run that was interrupted."""
        self._state.remarks.append(text)
        self.redraw()

    def greet(self, found: Found) -> None:
        """This is the very first start."""
        self._state.found = found
        self.can_focus = True
        self.redraw()

    def tell_local(self, said: str) -> None:
        """What was found on this machine."""
        self._state.local = said
        self.redraw()

    def redraw(self) -> None:
        width = max(24, self.content_size.width or 76)
        state = self._state
        room = self.parent.size.height - self.gutter.height if isinstance(self.parent, Widget) else 0
        greeting = Greeting(
            folder=cut_middle(visible(self._folder), width - _LABEL),
            model=state.model,
            why=state.why,
            remarks=state.remarks,
            found=state.found,
            local=state.local,
            offer=state.offer if self.has_focus else -1,
            lines=room if room > 0 else 40,
        )
        lines, self._spots = welcome(self._keys, greeting, width)
        self.update(Content("\n").join(lines))

    def on_resize(self) -> None:
        self.redraw()

    def _watch_has_focus(self, focus: bool) -> None:
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Up, down and enter; p asks for local models. Anything else that can be typed belongs to the message."""
        keys = {"up": -1, "down": 1}
        if event.key in keys:
            self._state.offer = (self._state.offer + keys[event.key]) % len(_OFFERS)
            self.redraw()
        elif event.key == "enter":
            self.post_message(self.Offered(_OFFERS[self._state.offer][0]))
        elif event.key == "p":
            self.post_message(self.Offered("probe"))
        elif event.is_printable and event.character:
            self.post_message(self.Typed(event.character))
        else:
            return
        event.stop()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        offer = self._spots.get(event.y - self.gutter.top)
        if offer is not None:
            self._state.offer = offer
            self.post_message(self.Offered(_OFFERS[offer][0]))


def welcome(keys: Keymap, greeting: Greeting, width: int = 76) -> tuple[list[Content], dict[int, int]]:
    """The lines, and which of them take which offer."""
    model, why = greeting.model, greeting.why
    reason = f"{clean(model)}, {clean(one_line(why))}" if why else clean(model) or "choosing one"
    lines = [
        Content.styled("Quarterdeck", "bold $primary"),
        Content.styled("An agent that works in this folder; you watch, steer and approve.", "$foreground"),
        Content(""),
        *_labelled("Folder", greeting.folder, "$foreground", width),
        *_labelled("Model", reason, "$foreground", width),
    ]
    demo = model.startswith("demo/")
    if demo:
        lines += _labelled(
            "", "A built-in demo, not a real model: free, offline, few requests.", "$state-waiting", width
        )
    for remark in greeting.remarks:
        lines += _labelled("Note", clean(one_line(remark)), "$state-waiting", width)
    spots: dict[int, int] = {}
    if greeting.found is not None:
        lines += _first(greeting, greeting.found, width)
        for index, said in enumerate(_offers(keys, greeting)):
            begin = len(lines)
            lines += _offered(_OFFERS[index][1], said, width, chosen=index == greeting.offer)
            spots |= dict.fromkeys(range(begin, len(lines)), index)
    foot = [Content(""), _foot(keys, greeting)]
    lines.append(Content(""))
    tries = _TRY_DEMO if demo else _TRY_REAL
    if greeting.found is not None:
        room = max(1, greeting.lines - len(lines) - len(foot))
        tries = tuple(text for text in tries if "tour" not in text)[:room]
    for index, text in enumerate(tries):
        lines += _labelled("" if index else "Try", text, "$text-user", width)
    return [*lines, *foot], spots


def _foot(keys: Keymap, greeting: Greeting) -> Content:
    wanted = [("model", "another model"), ("sessions", "earlier sessions"), ("help", "all keys")]
    begin: tuple[tuple[str, str], ...] = ()
    if greeting.found is not None:
        wanted = wanted[-1:]
        begin = (("tab", "$key-name"), (" goes to Tour, Local, File; a click takes one   ", "$key-label"))
    if greeting.offer >= 0:
        begin = (("enter", "$key-name"), (" takes the line   ", "$key-label"), ("p", "$key-name"))
        begin = (*begin, (" local models   ", "$key-label"), ("esc", "$key-name"), (" message   ", "$key-label"))
    shown = [part for action_id, label in wanted for part in _key(keys, action_id, label)]
    return Content.assemble(*begin, *shown)


def _first(greeting: Greeting, found: Found, width: int) -> list[Content]:
    """Which keys there are, and how to set one."""
    if found.keys:
        said = ", ".join(f"{variable} ({title})" for variable, title in found.keys)
        return _labelled("Keys", f"found: {said}", "$foreground", width)
    how = f"none in the environment; for a real model: export {' or '.join(found.variables)}, then start again"
    return _labelled("Keys", how, "$state-waiting", width)


def _offers(keys: Keymap, greeting: Greeting) -> list[str]:
    assert greeting.found is not None
    file = clean(greeting.found.file)
    servers = "Ollama, LM Studio, llama.cpp, vLLM"
    return [
        f"/tour ({keys.show('tour')}) shows the program at work on demo/pilot: free, offline",
        greeting.local or f"/probe ({keys.show('probe')}) asks this machine for models: {servers}",
        f"/settings ({keys.show('settings')}) writes {file}",
    ]


def _offered(label: str, said: str, width: int, *, chosen: bool) -> list[Content]:
    lines = _labelled(label, clean(one_line(said)), "$primary", width)
    return [line.stylize("$selection-text on $selection") for line in lines] if chosen else lines


def _labelled(label: str, text: str, style: str, width: int) -> list[Content]:
    """Text beside its label; further lines begin below the text."""
    found = wrap(text, max(12, width - _LABEL)) or [""]
    return [
        Content.assemble((f"{'' if index else label:<{_LABEL}}", "$muted"), (line, style))
        for index, line in enumerate(found)
    ]


def _key(keys: Keymap, action_id: str, label: str) -> tuple[tuple[str, str], ...]:
    key = keys.show(action_id)
    return ((key, "$key-name"), (f" {label}   ", "$key-label")) if key else ()
