"""What lists answer to: on screens of their own, and in the panes of the cockpit. The list in focus carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _in_lists(view: View) -> str:
    return "this key works in lists"


def _of_list(action_id: str, name: str, help: str, *keys: str) -> Action:
    return Action(
        id=f"list.{action_id}",
        name=name,
        help=help,
        keys=keys,
        group="Lists",
        run=lambda ui: None,
        scope="list",
        refusal=_in_lists,
    )


LISTS = (
    _of_list("up", "up", "The line above", "up"),
    _of_list("down", "down", "The line below", "down"),
    _of_list("page_up", "page up", "A page back", "pageup"),
    _of_list("page_down", "page down", "A page on", "pagedown"),
    _of_list("first", "first", "The first line", "home", "ctrl+home"),
    _of_list("last", "last", "The last line", "end", "ctrl+end"),
    _of_list("choose", "choose", "Open or take what is selected", "enter"),
    _of_list("filter", "filter", "From the lines to the filter; from a pane to the message", "slash", "i"),
    _of_list("close", "close", "Close the list or the screen", "escape"),
    _of_list("new", "new, now", "Sessions: begin a new one. Models: switch at once", "ctrl+n"),
    _of_list(
        "delete", "delete", "Put the session into the trash; take the grant back, end the process", "ctrl+d", "delete"
    ),
    _of_list("delete_all", "delete all", "Take every grant back, end every process; it asks", "ctrl+x"),
    _of_list("again", "again", "Servers: start again. Decisions: propose a rule. Usage: read again", "ctrl+r"),
    _of_list("switch", "switch", "Servers: switch one on or off. Export: mask secrets, or do not", "ctrl+o"),
    _of_list("favourite", "favourite, pin", "Models: a favourite or not. Sessions: keep it on top", "ctrl+f", "p"),
    _of_list("save", "save", "Save the rule that was tried, or the export", "ctrl+s"),
    _of_list("copy", "copy", "Export: to the clipboard instead of a file", "ctrl+y"),
    # Keys that write nothing work from the filter too, letters only in the lines.
    _of_list("preview", "preview", "Sessions: how it began and ended, beside the list", "f3", "v"),
    _of_list("rename", "rename", "Sessions: give it a name", "f2", "r"),
    _of_list("tag", "tags", "Sessions: write its tags", "alt+t", "t"),
    _of_list("note", "note", "Sessions: write a note about it", "f4", "n"),
    _of_list("mark", "mark", "Sessions: mark up to two of them, to compare", "insert", "space", "m"),
    _of_list("compare", "compare", "Sessions: set the marked ones side by side", "alt+shift+d", "c"),
    _of_list("fork", "fork", "Sessions: begin a new one at a turn of this one", "alt+shift+b", "b"),
    _of_list("replay", "replay", "Sessions: play it again", "alt+shift+r", "w"),
    _of_list("export", "export", "Sessions: hand it on as a file", "alt+shift+e", "e"),
    _of_list("group", "group", "Sessions: by day, or by project", "f6", "o"),
    _of_list("trash", "trash", "Sessions: show what was deleted, or go back", "f8", "T"),
    _of_list("restore", "bring back", "Sessions: take it out of the trash again", "alt+u", "u"),
    _of_list("next_view", "next view", "Usage: by the next thing", "right"),
    _of_list("previous_view", "previous view", "Usage: by the one before", "left"),
    _of_list("longer", "longer", "Usage: look further back", "plus", "equals_sign"),
    _of_list("shorter", "shorter", "Usage: only what is newer", "minus"),
    _of_list("measure", "other numbers", "Usage: cost or tokens, slow or failing, count or time", "s"),
)
