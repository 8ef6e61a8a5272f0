"""Answers to what a run asks: approvals, and what to do at a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _asked(view: View) -> str:
    return "" if view.waiting or view.limit_asked is not None else "nothing waits for an answer"


def _waits(view: View) -> str:
    return "" if view.waiting else "no call waits for an answer"


def _at_limit(view: View) -> str:
    return "" if view.limit_asked is not None else "no limit is asked about"


APPROVAL = (
    Action(
        id="approval.focus",
        name="answer",
        help="Go to what waits for your answer, again for the other one; esc goes back to the message",
        keys=("ctrl+g", "f2"),
        group="Approve",
        run=lambda ui: ui.focus_card(),
        refusal=_asked,
        footer=3,
        slash="approve",
    ),
    Action(
        id="approval.allow",
        name="allow once",
        help="Allow this one call",
        keys=("y", "a"),
        group="Approve",
        run=lambda ui: ui.choose("allow"),
        scope="approval",
        refusal=_waits,
    ),
    Action(
        id="approval.allow_run",
        name="allow for the run",
        help="Allow every call of this tool until the run ends",
        keys=("r",),
        group="Approve",
        run=lambda ui: ui.choose("allow_run"),
        scope="approval",
        refusal=_waits,
    ),
    Action(
        id="approval.deny",
        name="deny",
        help="Deny this call; the model is told and goes on",
        keys=("n",),
        group="Approve",
        run=lambda ui: ui.choose("deny"),
        scope="approval",
        refusal=_waits,
    ),
    Action(
        id="approval.deny_reason",
        name="deny, saying why",
        help="Deny with a reason that the model reads",
        keys=("d",),
        group="Approve",
        run=lambda ui: ui.choose("deny_reason"),
        scope="approval",
        refusal=_waits,
    ),
    Action(
        id="approval.edit",
        name="edit",
        help="Edit the arguments as JSON; ctrl+s then allows the edited call",
        keys=("e",),
        group="Approve",
        run=lambda ui: ui.choose("edit"),
        scope="approval",
        refusal=_waits,
    ),
    Action(
        id="approval.view",
        name="view all",
        help="See the whole call on a screen of its own",
        keys=("v",),
        group="Approve",
        run=lambda ui: ui.choose("view"),
        scope="approval",
        refusal=_waits,
    ),
    Action(
        id="approval.end_run",
        name="end run",
        help="Deny this call and end the run",
        keys=("x",),
        group="Approve",
        run=lambda ui: ui.choose("end_run"),
        scope="approval",
        refusal=_waits,
    ),
)

LIMIT = (
    Action(
        id="limit.raise",
        name="raise",
        help="Raise the limit to the value shown, and go on",
        keys=("r",),
        group="At a limit",
        run=lambda ui: ui.choose_limit("raise"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.value",
        name="another value",
        help="Write the limit's new value",
        keys=("e",),
        group="At a limit",
        run=lambda ui: ui.choose_limit("value"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.off",
        name="take it off",
        help="Go on without this limit",
        keys=("o",),
        group="At a limit",
        run=lambda ui: ui.choose_limit("off"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.model",
        name="another model",
        help="Choose another model, a cheaper one for example",
        keys=("m",),
        group="At a limit",
        run=lambda ui: ui.choose_limit("model"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.wrap_up",
        name="wrap up",
        help="One last answer without tools, then the end",
        keys=("w",),
        group="At a limit",
        run=lambda ui: ui.choose_limit("wrap_up"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.stop",
        name="stop",
        help="End the run here",
        keys=("x",),
        group="At a limit",
        run=lambda ui: ui.choose_limit("stop"),
        scope="limit",
        refusal=_at_limit,
    ),
)
