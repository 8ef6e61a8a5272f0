"""Answers to what a run asks: approvals, and what to do at a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action, CallChoice, CardChoice, FormStep, QuestionChoice, Scope

if TYPE_CHECKING:
    from tui.view import View


def _asked(view: View) -> str:
    return "" if view.waiting or view.limit_asked is not None else "nothing waits for an answer"


def _waits(view: View) -> str:
    return "" if view.waiting else "no call waits for an answer"


def _at_limit(view: View) -> str:
    return "" if view.limit_asked is not None else "no limit is asked about"


_QUESTIONS: frozenset[Scope] = frozenset({"question"})


def _call(choice: CallChoice, name: str, what: str, *keys: str) -> Action:
    """An answer to a call that asks."""
    return Action(
        id=f"approval.{choice}",
        name=name,
        help=what,
        keys=keys,
        group="Approve",
        run=lambda ui: ui.answers.choose(choice),
        scope="approval",
        refusal=_waits,
    )


def _card(choice: CardChoice, name: str, what: str, *keys: str) -> Action:
    """What can be done with every card that asks, for a call or for an answer."""
    return Action(
        id=f"approval.{choice}",
        name=name,
        help=what,
        keys=keys,
        group="Approve",
        run=lambda ui: ui.answers.choose(choice),
        scope="approval",
        also=_QUESTIONS,
        refusal=_waits,
    )


def _question(choice: QuestionChoice, name: str, what: str, *keys: str) -> Action:
    return Action(
        id=f"question.{choice}",
        name=name,
        help=what,
        keys=keys,
        group="Questions",
        run=lambda ui: ui.answers.choose(choice),
        scope="question",
        refusal=_waits,
    )


def _form(step: FormStep, name: str, what: str, *keys: str) -> Action:
    return Action(
        id=f"form.{step}",
        name=name,
        help=what,
        keys=keys,
        group="Forms on a card",
        run=lambda ui: ui.answers.form(step),
        scope="form",
        refusal=_waits,
    )


APPROVAL = (
    Action(
        id="approval.focus",
        name="answer",
        help="Go to what waits for your answer, again for the other one; esc goes back to the message",
        keys=("ctrl+g", "f2"),
        group="Approve",
        run=lambda ui: ui.answers.focus(),
        refusal=_asked,
        footer=3,
        slash="approve",
    ),
    _call("allow", "allow once", "Allow this one call", "y", "a"),
    _call("allow_for", "allow for…", "Allow more than this call: choose what, how long and how far", "f"),
    _call("allow_run", "allow for the run", "Allow every call of this tool until the run ends", "r"),
    _call("deny", "deny", "Deny this call; the model is told and goes on", "n"),
    _call("deny_reason", "deny, saying why", "Deny with a reason that the model reads", "d"),
    _call("edit", "edit", "Edit the arguments, as fields or as JSON, and then allow the edited call", "e"),
    _call("edit_outside", "edit in your editor", "Edit the arguments as JSON in $VISUAL or $EDITOR", "E"),
    _card("view", "view all", "See the whole of it on a screen of its own", "v"),
    _card("end_run", "end run", "Deny this call and end the run", "x"),
    _card("next", "next one", "See the next one that waits, without answering this one", "j"),
    _card("previous", "the one before", "See the one that waits before this one", "k"),
)

QUESTION = (
    _question("write", "write an answer", "Answer in your own words, or fill in the form", "w"),
    _question("submit", "send", "Send the answers that are chosen", "s"),
    _question("decline", "decline", "Give no answer; who asks is told so", "n"),
)

FORM = (
    _form("save", "save", "Do what the form says: allow, deny or answer", "ctrl+s"),
    _form("raw", "as JSON", "Edit the arguments as JSON, or as fields again", "ctrl+d", "alt+j"),
    _form("editor", "in your editor", "Edit the field, or the JSON, in $VISUAL or $EDITOR", "ctrl+e", "alt+e"),
    _form("history", "try it on history", "See which past calls this would have allowed", "ctrl+f", "alt+h"),
)

LIMIT = (
    Action(
        id="limit.raise",
        name="raise",
        help="Raise the limit to the value shown, and go on",
        keys=("r",),
        group="At a limit",
        run=lambda ui: ui.answers.choose_limit("raise"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.value",
        name="another value",
        help="Write the limit's new value",
        keys=("e",),
        group="At a limit",
        run=lambda ui: ui.answers.choose_limit("value"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.off",
        name="take it off",
        help="Go on without this limit",
        keys=("o",),
        group="At a limit",
        run=lambda ui: ui.answers.choose_limit("off"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.model",
        name="another model",
        help="Choose another model, a cheaper one for example",
        keys=("m",),
        group="At a limit",
        run=lambda ui: ui.answers.choose_limit("model"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.wrap_up",
        name="wrap up",
        help="One last answer without tools, then the end",
        keys=("w",),
        group="At a limit",
        run=lambda ui: ui.answers.choose_limit("wrap_up"),
        scope="limit",
        refusal=_at_limit,
    ),
    Action(
        id="limit.stop",
        name="stop",
        help="End the run here",
        keys=("x",),
        group="At a limit",
        run=lambda ui: ui.answers.choose_limit("stop"),
        scope="limit",
        refusal=_at_limit,
    ),
)
