"""The time axis, and the ledger behind the meters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action, AxisStep

if TYPE_CHECKING:
    from tui.view import View


def _runs(view: View) -> str:
    return "" if view.runs else "nothing ran yet"


def _in_focus(view: View) -> str:
    return "" if view.answering == "axis" else "the time axis has not the focus"


def _step(action_id: str, name: str, help: str, keys: tuple[str, ...], step: AxisStep, footer: int = 0) -> Action:
    return Action(
        id=f"axis.{action_id}",
        name=name,
        help=help,
        keys=keys,
        group="Time axis",
        run=lambda ui: ui.axis.step(step),
        scope="axis",
        refusal=_in_focus,
        footer=footer,
    )


AXIS = (
    Action(
        id="axis",
        name="time axis",
        help="Show the session along a time axis and go to it; again: hide it. Narrow screens show the list of calls",
        keys=("alt+a",),
        group="Look",
        run=lambda ui: ui.panes.toggle("axis"),
        slash="timeline",
    ),
    _step("in", "zoom in", "Show less time in more detail", ("plus", "equals_sign"), "in", 3),
    _step("out", "zoom out", "Show more time", ("minus",), "out", 3),
    _step("fit", "whole run", "Show the whole run and follow it", ("0",), "fit", 3),
    _step("before", "bar before", "The bar before", ("left",), "before"),
    _step("after", "bar after", "The bar after", ("right",), "after"),
    _step("earlier", "earlier", "Scroll half a screen back in time", ("left_square_bracket",), "earlier"),
    _step("later", "later", "Scroll half a screen on in time", ("right_square_bracket",), "later"),
    Action(
        id="ledger",
        name="ledger",
        help="Every request of the session: tokens by kind, price, cost, and where each number comes from",
        keys=("alt+l",),
        group="Look",
        run=lambda ui: ui.open_screen("ledger"),
        refusal=_runs,
        slash="ledger",
    ),
)
