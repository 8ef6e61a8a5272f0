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
        "delete", "delete", "Delete the session, take the grant back, end the process; it asks", "ctrl+d", "delete"
    ),
    _of_list("delete_all", "delete all", "Take every grant back, end every process; it asks", "ctrl+x"),
    _of_list("again", "again", "Servers: start again. Decisions: propose a rule", "ctrl+r"),
    _of_list("switch", "switch", "Servers: switch one on or off", "ctrl+o"),
    _of_list("favourite", "favourite", "Models: mark it as a favourite, or not any more", "ctrl+f"),
    _of_list("save", "save", "Save the rule that was tried", "ctrl+s"),
)
