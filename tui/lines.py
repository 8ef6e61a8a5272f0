"""The two lines at the bottom: what happens, in words, and the keys that work now. Pure."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from tui.actions import ACTIONS
from tui.keymap import Keymap
from tui.render.clean import clean
from tui.status import Sentence, sentence
from tui.view import View
from tui.words import count, cut, one_line

DEMO_LONG = "demo model, not a real one"
DEMO_SHORT = "not real"


def status_line(view: View, keys: Keymap, width: int) -> Content:
    """agent · model (demo) · state — hint. The left part goes by the width alone, so that it does not jump."""
    said = _notice(view) or sentence(view, keys.show)
    head = _head(clean(view.agent), clean(view.model) or "choosing a model", view.model_is_demo, width)
    room = width - sum(cell_len(text) for text, _ in head)
    hint = f" — {clean(said.hint)}" if said.hint else ""
    if view.unseen:
        hint = f" — {count(view.unseen, 'new line')} below, {keys.show('end')} shows them"
    state = clean(one_line(said.state))
    if cell_len(state) + cell_len(hint) + 2 > room and (room < 36 or cell_len(hint) > room // 2):
        hint = ""
    shown = cut(state, max(1, room - 2 - cell_len(hint)))
    return Content.assemble(*head, ("● ", f"${said.token}"), (shown, f"${said.token}"), (hint, "$muted"))


def _head(agent: str, model: str, demo: bool, width: int) -> list[tuple[str, str]]:
    """What answers; a demo model is called one at every width."""
    end = (" · ", "$muted")
    if width >= 100:
        note = [(f" ({DEMO_LONG})", "$state-waiting")] if demo else []
        return [(agent, "bold $foreground"), end, (model, "$foreground"), *note, end]
    short = cut(model if demo else model.rpartition("/")[2], 24 if width >= 70 else 14)
    note = [(f" ({DEMO_SHORT})", "$state-waiting")] if demo and width >= 70 else []
    return [(short, "$state-waiting" if demo and not note else "$foreground"), *note, end]


def _notice(view: View) -> Sentence | None:
    """A sentence of the program's own wins while it lasts, but never over a question."""
    if view.notice is None or view.confirm or view.quitting:
        return None
    token = {"info": "text-system", "warning": "state-waiting", "error": "state-failed"}[view.notice.level]
    return Sentence(token, view.notice.text)


def key_line(view: View, keys: Keymap, width: int) -> Content:
    """The keys that do something now, in order of importance, as many as there is room for."""
    wanted = sorted((action for action in ACTIONS if action.footer), key=lambda action: action.footer)
    parts: list[tuple[str, str]] = []
    used = 0
    for action in wanted:
        key = keys.show(action.id)
        if not key or not action.enabled(view):
            continue
        size = len(key) + 1 + len(action.name) + (2 if parts else 0)
        if used + size > width:
            continue
        used += size
        parts += [("  " if parts else "", ""), (key, "$key-name"), (f" {action.name}", "$key-label")]
    return Content.assemble(*parts)
