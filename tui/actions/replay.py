"""Playing a stored session again, on the screen that is for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _store(view: View) -> str:
    return "" if view.store_open else "the session store is not open yet, a moment"


def _in_replay(view: View) -> str:
    return "this key works while a session is played again"


def _replay(name: str, title: str, help: str, *keys: str) -> Action:
    return Action(
        id=f"replay.{name}",
        name=title,
        help=help,
        keys=keys,
        group="Replay",
        run=lambda ui: None,
        scope="replay",
        refusal=_in_replay,
    )


REPLAY = (
    Action(
        id="replay",
        name="replay",
        help='Play the session again as it was shown then, up to 100 times as fast; "/replay ID" another one',
        keys=("alt+shift+r",),
        group="Replay",
        run=lambda ui: ui.open_screen("replay"),
        refusal=_store,
        slash="replay",
    ),
    _replay("play", "play", "Play, or pause; at the end, from the beginning", "space"),
    _replay("faster", "faster", "Twice as fast or so, up to 100 times", "plus", "equals_sign"),
    _replay("slower", "slower", "Slower, down to the speed that it had", "minus"),
    _replay("event_on", "event on", "The next event", "right", "full_stop"),
    _replay("event_back", "event back", "The event before", "left", "comma"),
    _replay("turn_on", "turn on", "The next turn", "n", "right_square_bracket"),
    _replay("turn_back", "turn back", "The turn before", "p", "left_square_bracket"),
    _replay("mark_on", "next mark", "The next message of yours, approval or error", "m", "right_curly_bracket"),
    _replay("mark_back", "mark before", "The message, approval or error before", "M", "left_curly_bracket"),
    _replay("on", "5 % on", "On by a twentieth of the whole", "shift+right"),
    _replay("back", "5 % back", "Back by a twentieth of the whole", "shift+left"),
    _replay("first", "beginning", "The beginning", "home"),
    _replay("last", "end", "The end", "end"),
    _replay("go", "go to", "Go to a time that is typed (1:30), a share (40%), or an event (#120)", "g"),
    _replay("waits", "real waits", "Wait as long as it was waited then, or cut long pauses again", "w"),
    _replay("unfold", "unfold all", "Unfold everything in the transcript, or fold it", "u"),
    _replay("close", "close", "Back to where you were", "escape", "q"),
)
