"""Writing messages, and those that wait for delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _messages(view: View) -> str:
    return "" if view.messages else "no message waits for delivery"


WRITE = (
    Action(
        id="send",
        name="send",
        help="Send the message; while a run goes on it waits for the next turn",
        keys=("enter",),
        group="Write",
        run=lambda ui: ui.write("send"),
        scope="composer",
    ),
    Action(
        id="send_now",
        name="send now",
        help="Interrupt the run and deliver the message and those that wait at once",
        keys=("ctrl+s",),
        group="Write",
        run=lambda ui: ui.write("send_now"),
        scope="composer",
        slash="now",
    ),
    Action(
        id="newline",
        name="new line",
        help="Add a line (shift+enter too, where the terminal tells it from enter)",
        keys=("ctrl+j", "alt+enter", "shift+enter"),
        group="Write",
        run=lambda ui: ui.write("newline"),
        scope="composer",
    ),
    Action(
        id="composer.leave",
        name="read",
        help="From the message to the transcript",
        keys=("alt+j",),
        group="Write",
        run=lambda ui: ui.reading.step("focus"),
        scope="composer",
        refusal=lambda view: "" if view.runs else "nothing was said yet",
    ),
    Action(
        id="history",
        name="search history",
        help="Search the earlier messages of this folder; again: of all folders",
        keys=("alt+h",),
        group="Write",
        run=lambda ui: ui.composing.search_history(),
        scope="composer",
        slash="history",
    ),
    Action(
        id="editor",
        name="editor",
        help="Write the message in $VISUAL or $EDITOR; it comes back unsent",
        keys=("alt+e",),
        group="Write",
        run=lambda ui: ui.composing.edit_outside(),
        scope="composer",
        slash="editor",
    ),
    Action(
        id="fold",
        name="fold paste",
        help="Show the large paste at the cursor, or fold it again",
        keys=("alt+v",),
        group="Write",
        run=lambda ui: ui.composing.fold(),
        scope="composer",
        slash="fold",
    ),
    Action(
        id="composer.focus",
        name="write",
        help="Go to the message",
        keys=("f6",),
        group="Write",
        run=lambda ui: ui.focus_composer(),
        slash="write",
    ),
)

QUEUE = (
    Action(
        id="queue.focus",
        name="waiting",
        help="Go to the messages that wait for delivery (so does up in an empty message)",
        keys=("alt+q",),
        group="Waiting messages",
        run=lambda ui: ui.queue.focus(),
        refusal=_messages,
        slash="queue",
    ),
    Action(
        id="queue.edit",
        name="edit",
        help="Edit the waiting message; enter then saves it, esc leaves it as it was",
        keys=("enter", "e"),
        group="Waiting messages",
        run=lambda ui: ui.queue.step("edit"),
        scope="queue",
        refusal=_messages,
    ),
    Action(
        id="queue.earlier",
        name="earlier",
        help="Deliver it before the one above",
        keys=("K", "shift+up"),
        group="Waiting messages",
        run=lambda ui: ui.queue.step("earlier"),
        scope="queue",
        refusal=_messages,
    ),
    Action(
        id="queue.later",
        name="later",
        help="Deliver it after the one below",
        keys=("J", "shift+down"),
        group="Waiting messages",
        run=lambda ui: ui.queue.step("later"),
        scope="queue",
        refusal=_messages,
    ),
    Action(
        id="queue.delete",
        name="delete",
        help="Delete the waiting message",
        keys=("d", "delete"),
        group="Waiting messages",
        run=lambda ui: ui.queue.step("delete"),
        scope="queue",
        refusal=_messages,
    ),
    Action(
        id="queue.undo",
        name="undo",
        help="Bring back the message that was deleted last",
        keys=("u",),
        group="Waiting messages",
        run=lambda ui: ui.queue.step("undo"),
        scope="queue",
    ),
    Action(
        id="queue.now",
        name="send all now",
        help="Interrupt the run and deliver all of them at once",
        keys=("n",),
        group="Waiting messages",
        run=lambda ui: ui.queue.step("now"),
        scope="queue",
        refusal=_messages,
    ),
)
