"""Which form a choice of the approval card opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.control.commands import Decide
from tui.widgets.allow_for import AllowForForm
from tui.widgets.argument_form import ArgumentForm
from tui.widgets.card_form import CardForm
from tui.widgets.line_form import LineForm
from tui.widgets.question import Question

if TYPE_CHECKING:
    from runner.state import ApprovalView
    from tui.keymap import Keymap

FORMS = frozenset({"allow_for", "deny_reason", "edit", "write"})


def make_form(choice: str, keys: Keymap, approval: ApprovalView) -> CardForm:
    match choice:
        case "allow_for":
            return AllowForForm(keys, approval)
        case "edit":
            return ArgumentForm(keys, approval)
        case "write":
            question = Question(approval)
            if question.schema is not None:
                return ArgumentForm(keys, approval, schema=question.schema)
            return _answer(keys, question)
        case _:
            return _reason(keys, approval)


def _reason(keys: Keymap, approval: ApprovalView) -> LineForm:
    return LineForm(
        keys,
        answering="reason",
        head="deny, saying why",
        saves="deny it",
        says="enter denies, and the model reads why",
        id="card-reason",
        made=lambda text: Decide(request_id=approval.request_id, decision="deny", reason=text),
    )


def _answer(keys: Keymap, question: Question) -> LineForm:
    return LineForm(
        keys,
        answering="answer",
        head="an answer of your own",
        saves="send this answer",
        says="enter sends it, ctrl+j begins another line",
        id="card-answer",
        made=question.written,
        needed="nothing is written yet",
    )
