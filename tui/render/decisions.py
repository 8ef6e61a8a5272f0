"""What was decided about a call, in words: by whom, for how long, how far, after how long. Pure; nothing is clean."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from tui import words
from tui.grant_words import bound_words
from tui.granting import covered

if TYPE_CHECKING:
    from runner.state import ApprovalView, CallItem

LONGEST: Final = 300
"""Cells of an argument before and after an edit."""

LEAST_WAIT: Final = 0.05
"""Seconds below which nobody was waited for."""

_DECIDERS: Final = {
    "user": "you",
    "rule": "a rule",
    "grant": "an earlier decision",
    "timeout": "the timeout",
    "stop": "the stop",
    "disconnect": "a lost connection",
}
_DECISIONS: Final = {"allow": "allowed", "deny": "denied", "edit": "edited and allowed", "end_run": "run ended"}
_SCOPES: Final = {
    "run": "for this run",
    "session": "for this session",
    "project": "for this project",
    "user": "for every project",
}


def decision_words(call: CallItem) -> list[str]:
    """Sentences about the approvals and questions of a call in their order, a line each."""
    lines: list[str] = []
    for view in _views(call):
        lines += _of_question(view) if view.asks == "question" else _of_approval(view)
    return lines


def _views(call: CallItem) -> list[ApprovalView]:
    views = (*call.earlier, call.verdict, call.approval, call.question)
    return sorted((view for view in views if view is not None), key=lambda view: view.mono)


def decided_words(call: CallItem) -> list[str]:
    """Who decided about a call and after how long, a few words for each decision; what is still open is not told."""
    return [_decided(view) for view in _views(call) if view.decision]


def _decided(view: ApprovalView) -> str:
    after = f" after {words.duration(view.seconds)}" if view.by == "user" or view.seconds >= LEAST_WAIT else ""
    if view.asks == "question" and view.decision == "answer":
        return f"you answered{after}"
    what = "no answer" if view.asks == "question" else _DECISIONS.get(view.decision, view.decision)
    name = f" ({words.cut(words.one_line(view.rule), 60)})" if view.by in ("rule", "grant") and not _mode(view) else ""
    return f"{what} by {_decider(view)}{name if view.rule else ''}{after}"


def _decider(view: ApprovalView) -> str:
    return f"the {view.rule}" if _mode(view) else _DECIDERS.get(view.by, view.by)


def _mode(view: ApprovalView) -> bool:
    """Whether no rule of its own decided, but the mode that the run is in."""
    return view.by == "rule" and view.rule.startswith("mode ")


def short_words(call: CallItem) -> str:
    """What a person decided, in a few words for the call's own line; "" where nobody was asked."""
    approval = call.approval
    if approval is None or approval.by != "user" or approval.decision not in ("allow", "edit"):
        return ""
    scope = f" {_SCOPES[approval.scope]}" if approval.scope in _SCOPES else ""
    return f"{'edited' if approval.decision == 'edit' else 'allowed'} by you{scope}"


def _of_approval(approval: ApprovalView) -> list[str]:
    if not approval.decision:
        return [f"asks because {approval.why}" if approval.why else "asks for your approval"]
    parts = [f"{_DECISIONS.get(approval.decision, approval.decision)} by {_decider(approval)}"]
    if approval.scope in _SCOPES:
        parts[0] += f" {_SCOPES[approval.scope]}"
        parts += [_what(approval), bound_words(approval.bound, approval.time + timedelta(seconds=approval.seconds))]
    if approval.by == "user" or approval.seconds >= LEAST_WAIT:
        parts.append(f"after {words.duration(approval.seconds)}")
    if approval.by != "user" and not _mode(approval):
        parts.append(words.one_line(approval.rule))
    text = ", ".join(part for part in parts if part)
    return [f"{text}: {words.one_line(approval.reason)}" if approval.reason else text, *_edits(approval)]


def _what(approval: ApprovalView) -> str:
    match approval.match:
        case "exact":
            return "these very arguments"
        case "pattern":
            return " and ".join(covered(pattern) for pattern in approval.patterns)
        case "tool":
            return f"every call of {approval.tool}"
        case _:
            return ""


def _edits(approval: ApprovalView) -> list[str]:
    """Each argument that a person changed, before and after."""
    if approval.decision != "edit" or approval.given is None:
        return []
    before, after = approval.arguments, approval.given
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) or name not in before]
    return [f"{name}: {_value(before, name)} → {_value(after, name)}" for name in names]


def _value(arguments: dict[str, object], name: str) -> str:
    if name not in arguments:
        return "(nothing)"
    value = arguments[name]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return words.cut(words.one_line(text), LONGEST) or '""'


def _of_question(question: ApprovalView) -> list[str]:
    who = question.preview.get("who")
    asked = f"the server {who} asked" if isinstance(who, str) and who else "asked you"
    lines = [f"{asked}: {words.cut(words.one_line(str(question.preview.get('text', ''))), LONGEST)}"]
    match question.decision:
        case "":
            return lines
        case "answer":
            said = f"you answered after {words.duration(question.seconds)}: {_answer(question.given or {})}"
        case "end_run":
            said = "you ended the run"
        case _:
            after = f" after {words.duration(question.seconds)}"
            who = _DECIDERS.get(question.by, question.by)
            said = f"you gave no answer{after}" if question.by == "user" else f"no answer: {who}{after}"
    return [*lines, f"{said}, because {words.one_line(question.reason)}" if question.reason else said]


def _answer(given: dict[str, object]) -> str:
    answers = given.get("answers")
    if set(given) == {"answers"} and isinstance(answers, list):
        return ", ".join(words.one_line(str(each)) for each in cast("list[object]", answers))
    return words.cut(words.one_line(json.dumps(given, ensure_ascii=False, default=str)), LONGEST)
