"""The two lines at the bottom: what happens, in words, and the keys that work now. Pure."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len
from textual.content import Content

from tui.actions import ACTIONS
from tui.keymap import Keymap
from tui.render.clean import clean
from tui.sandbox_words import sandbox_words
from tui.setting_words import setting_words
from tui.status import Sentence, sentence
from tui.view import View
from tui.widgets.bars import does
from tui.words import count, cut, one_line

DEMO_LONG = "demo model, not a real one"
DEMO_SHORT = "not real"


def status_line(view: View, keys: Keymap, width: int) -> Content:
    """agent · model (demo) · state — hint, and at the right end, where there is room, what goes on beside the run.

    The left part goes by the width alone, so that it does not jump, but for what runs in the background: a hint is
    shortened for it.
    """
    said = _notice(view) or sentence(view, keys.show)
    head = _head(clean(view.agent), clean(view.model) or "choosing a model", view.model_is_demo, width)
    if width >= 100 and (asked := setting_words(view.asked)):
        head += [(clean(asked), "$text-system"), (" · ", "$muted")]
    if width < LEAST_WITH_MODEL and said.token in _WAITS:
        head = [("demo", "$state-waiting"), (" · ", "$muted")] if view.model_is_demo else []
    head += _warning(view, width)
    room = width - sum(cell_len(text) for text, _ in head) - 2
    hint = f"{count(view.unseen, 'new line')} below, {keys.show('end')} shows them" if view.unseen else said.hint
    waits = said.token in _WAITS or bool(view.unseen)
    kept = 0 if waits or not view.in_background else cell_len(_in_background(view)) + 2
    state, note, hint = _fitted(replace(said, hint=hint), room - kept, waits=waits)
    line = [("● ", f"${said.token}"), (state, f"${said.token}"), (note, "$meter-warn"), (hint, "$muted")]
    beside = _beside(view, width, room - sum(map(cell_len, (state, note, hint))))
    what = opens(view)
    return (
        Content.assemble(*head).stylize(does("model"))
        + (Content.assemble(*line).stylize(does(what)) if what else Content.assemble(*line))
        + Content.assemble(*beside).stylize(does("processes"))
    )


def opens(view: View) -> str:
    """The action that a click on what the status line says carries out, "" for none. It never answers anything."""
    if view.confirm or view.quitting:
        return ""
    if view.waiting or view.limit_asked is not None:
        return "approval.focus"
    if view.unseen:
        return "end"
    if view.waiting_elsewhere:
        return "sessions"
    if view.messages:
        return "queue.focus"
    return "servers" if view.failed_servers else ""


LEAST_WITH_MODEL = 60
"""Cells from which the model is named also while a person is waited for."""

LEAST_NAME = 12
"""Cells of a command's name that are shown before a hint or a note is left out."""


def _fitted(said: Sentence, room: int, *, waits: bool) -> tuple[str, str, str]:
    """State, note and hint for the room there is. First a name in the state is shortened, then the hint goes part by
    part, then the note; one short part of the hint stays where a person is waited for.
    """
    state, name = clean(one_line(said.state)), clean(one_line(said.name))
    size, spare = cell_len(state), max(0, cell_len(name) - LEAST_NAME) if name in state else 0
    note = f" · {clean(said.note)}" if said.note else ""
    parts = clean(said.hint).split(" · ") if said.hint else []
    first = f" — {parts[0]}" if parts else ""
    kept = waits and cell_len(first) <= room // 2
    if note and size - spare + cell_len(note) + (cell_len(first) if kept else 0) > room:
        note = ""
    left = room - cell_len(note)
    while parts and cell_len(f" — {' · '.join(parts)}") > left - (size - spare) and not (kept and len(parts) == 1):
        parts.pop()
    hint = f" — {' · '.join(parts)}" if parts else ""
    left -= cell_len(hint)
    if size > left and spare:
        state = clean(state.replace(name, cut(name, max(LEAST_NAME, cell_len(name) - (size - left))), 1))
    return cut(state, max(1, left)), note, hint


_WAITS = frozenset({"state-waiting", "state-paused", "text-system"})
"""Colours of what a person is waited for, where the next key matters most."""


_ON_CARDS = frozenset({"choose", "question", "limit"})
"""Where the card has the keys already, so that none is needed to go there."""


def _head(agent: str, model: str, demo: bool, width: int) -> list[tuple[str, str]]:
    """What answers; a demo model is called one at every width."""
    end = (" · ", "$muted")
    if width >= 100:
        note = [(f" ({DEMO_LONG})", "$state-waiting")] if demo else []
        return [(agent, "bold $foreground"), end, (model, "$foreground"), *note, end]
    short = cut(model if demo else model.rpartition("/")[2], 24 if width >= 70 else 14)
    note = [(f" ({DEMO_SHORT})", "$state-waiting")] if demo and width >= 70 else []
    return [(short, "$state-waiting" if demo and not note else "$foreground"), *note, end]


def _warning(view: View, width: int) -> list[tuple[str, str]]:
    """That commands are not caged although they should be."""
    words, token = sandbox_words(view.sandbox, width)
    return [] if not words or token == "muted" else [(clean(words), f"${token}"), (" · ", "$muted")]


def _beside(view: View, width: int, room: int) -> list[tuple[str, str]]:
    """What runs in the background, and how commands are caged: each only where there is room for all of it."""
    words, token = sandbox_words(view.sandbox, width)
    calm = [(clean(words), "$muted")] if words and token == "muted" else []
    running = [(_in_background(view), "$state-running")] if view.in_background else []
    for parts in ([*running, *calm], running):
        size = sum(cell_len(text) for text, _ in parts) + 3 * (len(parts) - 1)
        if parts and size + 2 <= room:
            between = [(" · ", "$muted")] if len(parts) > 1 else []
            return [(" " * (room - size), "$muted"), parts[0], *between, *parts[1:]]
    return []


def _in_background(view: View) -> str:
    return f"{view.in_background} in background"


def _notice(view: View) -> Sentence | None:
    """A sentence of the program's own wins while it lasts, but never over a question."""
    if view.notice is None or view.confirm or view.quitting:
        return None
    token = {"info": "text-system", "warning": "state-waiting", "error": "state-failed"}[view.notice.level]
    return Sentence(token, view.notice.text)


def key_line(view: View, keys: Keymap, width: int) -> Content:
    """The keys that do something now, in order of importance, as many as there is room for."""
    wanted = sorted((action for action in ACTIONS if action.footer), key=lambda action: action.footer)
    line = Content("")
    used = 0
    for action in wanted:
        key = keys.show(action.id)
        elsewhere = action.scope == "transcript" and view.answering != "transcript"
        there = action.id == "approval.focus" and view.answering in _ON_CARDS
        if not key or elsewhere or there or not action.enabled(view):
            continue
        size = len(key) + 1 + len(action.name) + (2 if used else 0)
        if used + size > width:
            continue
        part = Content.assemble((key, "$key-name"), (f" {action.name}", "$key-label")).stylize(does(action.id))
        line += Content("  ") + part if used else part
        used += size
    return line
