"""The choices of the approval card, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.control.commands import Decide
from tui.render.clean import visible
from tui.widgets.choices import Option
from tui.words import cut, one_line

if TYPE_CHECKING:
    from runner.state import ApprovalView
    from tui.keymap import Keymap

WIDE = 100
"""Cells from which what is seldom used has a place among the choices."""

_CALL: tuple[tuple[str, str, str], ...] = (
    ("allow", "allow once", "allow"),
    ("allow_for", "allow for…", "for…"),
    ("allow_run", "allow {tool} for this run", "run"),
    ("deny", "deny", "deny"),
    ("deny_reason", "deny, saying why", "why"),
    ("edit", "edit", "edit"),
)
_CARD: tuple[tuple[str, str, str], ...] = (("view", "view all", "view"), ("end_run", "end run", "end"))
_STEPS: tuple[tuple[str, str, str], ...] = (("next", "next one", "next"), ("previous", "the one before", "before"))
_NEEDS = {"allow_for": "allow", "allow_run": "allow", "deny_reason": "deny", "edit_outside": "edit"}
"""The decision that a choice comes to, where it has another name."""


def call_options(approval: ApprovalView, keys: Keymap, width: int, *, several: bool) -> list[Option]:
    """The choice, its key, and its words for a wide and for a narrow card."""
    outside = [("edit_outside", "edit in your editor", "editor")] if width >= WIDE else []
    tool = visible(cut(one_line(approval.tool), 24))
    found = [*_CALL, *outside, *_CARD, *(_STEPS if several else ())]
    return [
        Option(choice, keys.show(f"approval.{choice}"), words.format(tool=tool), short)
        for choice, words, short in found
        if _may(choice, approval)
    ]


def card_options(approval: ApprovalView, keys: Keymap, *, several: bool) -> list[Option]:
    """What can be done with any card."""
    return [
        Option(choice, keys.show(f"approval.{choice}"), words, short)
        for choice, words, short in (*_CARD, *(_STEPS if several else ()))
        if _may(choice, approval)
    ]


def _may(choice: str, approval: ApprovalView) -> bool:
    decision = _NEEDS.get(choice, choice)
    return decision in approval.options or decision not in ("allow", "deny", "edit", "end_run") or not approval.options


def direct(choice: str, request_id: str) -> Decide | None:
    """The answer of a choice that needs no further word."""
    match choice:
        case "allow":
            return Decide(request_id=request_id, decision="allow")
        case "allow_run":
            return Decide(request_id=request_id, decision="allow", scope="run")
        case "deny" | "decline":
            return Decide(request_id=request_id, decision="deny")
        case "end_run":
            return Decide(request_id=request_id, decision="end_run")
        case _:
            return None
