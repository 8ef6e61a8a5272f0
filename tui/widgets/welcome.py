"""The empty state: what this is, which model will answer and why, and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from textual.content import Content
from textual.widgets import Static

from tui.keymap import Keymap
from tui.render.clean import clean, visible
from tui.words import cut_middle, one_line

_LABEL = 8
_TRY_DEMO = ("what is in this folder?", "take me on the tour", "create hello.txt with a greeting")
_TRY_REAL = (
    "what is in this folder, and where do I begin reading?",
    "find the TODOs here and group them",
    "run the tests and explain what fails",
)


class Welcome(Static):
    def __init__(self, keys: Keymap, folder: str, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._keys = keys
        self._folder = folder
        self._model = ""
        self._why = ""
        self._remarks: list[str] = []

    def on_mount(self) -> None:
        self.redraw()

    def show_model(self, model: str, why: str) -> None:
        self._model, self._why = model, why
        self.redraw()

    def remark(self, text: str) -> None:
        """One more thing to know before starting, such as a run that was interrupted."""
        self._remarks.append(text)
        self.redraw()

    def redraw(self) -> None:
        width = max(24, self.content_size.width or 76)
        folder = cut_middle(visible(self._folder), width - _LABEL)
        self.update(welcome(self._keys, folder, self._model, self._why, self._remarks, width))

    def on_resize(self) -> None:
        self.redraw()


def welcome(keys: Keymap, folder: str, model: str, why: str, remarks: Sequence[str], width: int = 76) -> Content:
    demo = model.startswith("demo/")
    reason = f"{clean(model)}, {clean(one_line(why))}" if why else clean(model) or "choosing one"
    lines = [
        Content.styled("Quarterdeck", "bold $primary"),
        Content.styled("An agent that works in this folder; you watch, steer and approve.", "$foreground"),
        Content(""),
        *_labelled("Folder", folder, "$foreground", width),
        *_labelled("Model", reason, "$foreground", width),
    ]
    if demo:
        lines += _labelled(
            "", "A built-in demo, not a real model: free, offline, few requests.", "$state-waiting", width
        )
    for remark in remarks:
        lines += _labelled("Note", clean(one_line(remark)), "$state-waiting", width)
    lines.append(Content(""))
    for index, text in enumerate(_TRY_DEMO if demo else _TRY_REAL):
        lines += _labelled("" if index else "Try", text, "$text-user", width)
    wanted = (("model", "another model"), ("sessions", "earlier sessions"), ("help", "all keys"))
    shown = [part for action_id, label in wanted for part in _key(keys, action_id, label)]
    lines += [Content(""), Content.assemble(*shown)]
    return Content("\n").join(lines)


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
