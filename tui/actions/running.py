"""What is asked of the run that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _busy(view: View) -> str:
    return "" if view.busy else "nothing runs now"


def _live(view: View) -> str:
    if view.live is None:
        return "it is still starting, a moment" if view.starting else "nothing runs now"
    return "the run is stopping already" if view.stopping else ""


def _pausable(view: View) -> str:
    refused = _live(view)
    if not refused and view.limit_asked is not None:
        return "it waits at a limit: raise it, take another model, wrap up or stop"
    return refused


def _retrying(view: View) -> str:
    return "" if view.retrying else "no attempt waits to be repeated now"


def _next_model(view: View) -> str:
    """The run itself says where it has another model, because it knows which ones it has given up."""
    return _retrying(view) or ("" if view.next_model else "there is no other model to go to")


def _tool_runs(view: View) -> str:
    return "" if view.running_calls else "no tool runs now"


def _compactable(view: View) -> str:
    if view.stopping:
        return "the run is stopping already"
    return "" if view.runs else "there is no history to summarise yet"


RUN = (
    Action(
        id="stop",
        name="stop",
        help="Stop after the current step; pressed again while stopping, it aborts",
        keys=("ctrl+c", "escape"),
        group="Run",
        run=lambda ui: ui.press_stop(),
        refusal=_busy,
        footer=1,
        slash="stop",
        reserved=True,
        elsewhere=True,
    ),
    Action(
        id="abort",
        name="abort",
        help="Abort now: connections closed, processes ended, what was produced is kept",
        keys=("f9", "ctrl+backslash"),
        group="Run",
        run=lambda ui: ui.abort(),
        refusal=_busy,
        footer=2,
        slash="abort",
        reserved=True,
        elsewhere=True,
    ),
    Action(
        id="pause",
        name="pause",
        help="Pause at the next boundary, or continue",
        keys=("f5",),
        group="Run",
        run=lambda ui: ui.toggle_pause(),
        refusal=_pausable,
        footer=13,
        slash="pause",
    ),
    Action(
        id="cancel_tool",
        name="cancel tool",
        help="End one running tool call, and let the run go on; asks which one where several run",
        keys=("f7", "alt+x"),
        group="Run",
        run=lambda ui: ui.answers.cancel_tool(),
        refusal=_tool_runs,
        footer=7,
        slash="cancel",
    ),
    Action(
        id="retry_now",
        name="retry now",
        help="Do not wait any longer before the next attempt",
        keys=("f10", "alt+r"),
        group="Run",
        run=lambda ui: ui.order("retry_now"),
        refusal=_retrying,
        footer=4,
        slash="retry",
    ),
    Action(
        id="next_model",
        name="next model",
        help="Instead of another attempt, use the next fallback model now",
        keys=("f12", "alt+n"),
        group="Run",
        run=lambda ui: ui.order("next_model"),
        refusal=_next_model,
        footer=5,
        slash="next-model",
    ),
    Action(
        id="model",
        name="model",
        help="Choose another model, also in the middle of a run",
        keys=("ctrl+o",),
        group="Run",
        run=lambda ui: ui.open_screen("models"),
        footer=10,
        slash="model",
    ),
    Action(
        id="effort",
        name="effort",
        help='How much the model reasons: "/effort high", "/effort default"; alone it opens the models',
        keys=("alt+o",),
        group="Run",
        run=lambda ui: ui.open_screen("models"),
        slash="effort",
    ),
    Action(
        id="temperature",
        name="temperature",
        help='How freely the model samples, 0 to 2: "/temperature 0.7", "/temperature default"',
        keys=("alt+m",),
        group="Run",
        run=lambda ui: ui.open_screen("models", "temperature"),
        slash="temperature",
    ),
    Action(
        id="limit",
        name="limit",
        help='Change a limit: "/limit turns 80", "/limit cost off"',
        keys=("alt+shift+l",),
        group="Run",
        run=lambda ui: ui.ask_limit(),
        slash="limit",
    ),
    Action(
        id="wrap_up",
        name="wrap up",
        help="One last answer without tools, then the end",
        keys=("alt+shift+w",),
        group="Run",
        run=lambda ui: ui.order("wrap_up"),
        refusal=_live,
        slash="wrap",
    ),
    Action(
        id="compact",
        name="compact",
        help="Summarise the older history before the next request",
        keys=("alt+shift+c",),
        group="Run",
        run=lambda ui: ui.order("compact"),
        refusal=_compactable,
        slash="compact",
    ),
)
