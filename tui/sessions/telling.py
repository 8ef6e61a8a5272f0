"""What the screen of sessions says besides the list: its title, the line about the selected one, its keys. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.content import Content

from tui.keymap import is_typed, shown
from tui.render.clean import visible
from tui.sessions.hits import part_words
from tui.sessions.lines import Grouping, shown_folder, when
from tui.words import count, cut, imported_from, one_line

if TYPE_CHECKING:
    from runner.store.base import SessionSummary
    from runner.store.search import Hit
    from tui.keymap import Keymap
    from tui.sessions.finder import Found

NOTHING: Final = """There is no session yet.

A message in the cockpit begins one, and from then on it is kept here: every word of it can be found again.

Sessions of Claude Code and Codex are brought in where you ask for it, by a command in a shell:

    quarterdeck sessions import --from claude-code
    quarterdeck sessions import --from codex

Nothing of them is read before that, and bringing them in twice takes them once.
"""
NO_TRASH: Final = "The trash is empty. What is deleted here stays in it for 7 days and can be brought back."
NO_MATCH: Final = "Nothing matches this filter."
STILL: Final = "Nothing so far; what was said since the last search is still being read."

_HINTS: Final = (
    ("list.preview", "preview"),
    ("list.delete", "delete"),
    ("list.restore", "bring back"),
    ("list.mark", "mark"),
    ("list.compare", "compare"),
    ("list.rename", "rename"),
    ("list.tag", "tags"),
    ("list.note", "note"),
    ("list.favourite", "pin"),
    ("list.fork", "fork"),
    ("list.replay", "replay"),
    ("list.export", "export"),
    ("list.group", "group"),
    ("list.trash", "trash"),
    ("list.new", "new"),
)
_EMPTY_HINTS: Final = (("list.restore", "bring back"), ("list.trash", "trash"), ("list.new", "new"))
_TRASH_HINTS: Final = (
    ("list.restore", "bring back"),
    ("list.delete", "delete for good"),
    ("list.preview", "preview"),
    ("list.trash", "leave the trash"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """writing: a field has the focus, or a text that scrolls. editing: something about a session is written.
    restorable: there is something to bring back. lines: what there is room for."""

    writing: bool
    editing: bool
    restorable: bool
    lines: int = 2


def title_line(found: Found, grouping: Grouping, behind: int) -> Content:
    what = "" if found.sessions is None else count_of(found.sessions)
    what += " in the trash" if found.deleted else ""
    facts = [what, f"{found.places:,} {'place' if found.places == 1 else 'places'}" if found.places else ""]
    facts += ["newest first" if grouping == "day" else "by project"]
    told = " · ".join(fact for fact in facts if fact)
    still = f" · still reading {count(behind, 'run')}" if behind else ""
    return Content.assemble(("Sessions", "bold $primary"), (f"  {told}", "$muted"), (still, "$state-waiting"))


def count_of(sessions: int) -> str:
    return f"{sessions:,} {'session' if sessions == 1 else 'sessions'}"


def empty_words(found: Found, *, settled: bool) -> str:
    if found.everything:
        return NOTHING
    if not settled and found.behind:
        return STILL
    return NO_TRASH if found.deleted and not found.words else NO_MATCH


def detail(
    summary: SessionSummary | None, hit: Hit | None, now: datetime, home: str, current: str | None, width: int
) -> Content:
    """The line about the selected session, or about the place that is selected in it; None: it is being read."""
    if summary is None:
        return Content("")
    if hit is not None:
        facts = [part_words(hit), when(hit.time, now), f"in {summary.title}"]
        return _facts(facts, width)
    facts = [
        "shown now" if summary.session_id == current else "",
        "pinned" if summary.pinned else "",
        imported_from(summary.imported) if summary.imported else "",
        f"in the trash since {when(summary.deleted, now)}" if summary.deleted is not None else "",
        f"note: {summary.note}" if summary.note else "",
        f"{count(summary.runs, 'run')}, {count(summary.turns, 'turn')}, {count(summary.tool_calls, 'tool call')}",
        ", ".join(summary.models),
        shown_folder(summary.workspace, home),
    ]
    return _facts(facts, width)


def _facts(facts: list[str], width: int) -> Content:
    text = " · ".join(visible(one_line(fact)) for fact in facts if fact)
    return Content.styled(cut(text, max(1, width)), "$muted")


def hint_line(keys: Keymap, width: int, found: Found | None, mode: Mode) -> Content:
    """What keys do here, as many as there is room for."""
    if mode.editing:
        return Content.styled("enter keeps it · esc leaves", "$key-label")
    hints = _TRASH_HINTS if found is not None and found.deleted else _HINTS
    parts: list[str] = []
    if found is not None and found.lines:
        parts.append("enter opens the place" if found.places else "enter opens")
        parts.append("tab goes to the list" if mode.writing else f"{keys.show('list.filter')} filters")
    else:
        hints = _EMPTY_HINTS
    for action_id, does in hints:
        # Where letters write they are no keys, and where they do not they are the short ones.
        own = sorted((key for key in keys.of(action_id) if not (mode.writing and is_typed(key))), key=is_typed)
        if own and (action_id != "list.restore" or mode.restorable):
            parts.append(f"{shown(own[-1] if not mode.writing else own[0])} {does}")
    lines = _fitting(parts, "esc closes", width, mode.lines)
    return Content.styled("\n".join(" · ".join(line) for line in lines), "$key-label")


def _fitting(parts: list[str], last: str, width: int, most: int) -> list[list[str]]:
    """Whole hints only, on so many lines as there are; the last one always stays."""
    lines: list[list[str]] = [[]]
    for part in parts:
        cells = cell_len(" · ".join([*lines[-1], part, *([last] if len(lines) == most else [])]))
        if cells > width:
            if len(lines) == most:
                break
            lines.append([])
        lines[-1].append(part)
    lines[-1].append(last)
    return lines
