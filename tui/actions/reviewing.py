"""Going through a session: from one message, call, error, approval or model to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action, Landmark
from tui.actions.undo import changed

if TYPE_CHECKING:
    from tui.view import View


def _runs(view: View) -> str:
    return "" if view.runs else "nothing was said yet"


def _pair(kind: Landmark, name: str, what: str, keys: tuple[str, str]) -> tuple[Action, Action]:
    """what: with its article, for the help. keys: to the next one, to the one before."""
    return (
        Action(
            id=f"read.next_{kind}",
            name=f"next {name}",
            help=f"On to {what}",
            keys=keys[:1],
            group="Transcript",
            run=lambda ui: ui.review.go(kind, 1),
            scope="transcript",
            refusal=_runs,
            slash=f"next-{name}",
        ),
        Action(
            id=f"read.previous_{kind}",
            name=f"previous {name}",
            help=f"Back to {what}",
            keys=keys[1:],
            group="Transcript",
            run=lambda ui: ui.review.go(kind, -1),
            scope="transcript",
            refusal=_runs,
            slash=f"previous-{name}",
        ),
    )


CHANGES = (
    Action(
        id="changes",
        name="changes",
        help="All files that the session changed, turn by turn or all together, with their diffs",
        keys=("alt+shift+f",),
        group="Look",
        run=lambda ui: ui.open_screen("changes"),
        refusal=changed,
        slash="changes",
    ),
)

REVIEW = (
    *_pair("prompt", "prompt", "a message of yours", ("right_square_bracket", "left_square_bracket")),
    *_pair("call", "call", "a tool call", ("right_curly_bracket", "left_curly_bracket")),
    *_pair(
        "error",
        "error",
        "an error: a failed call or attempt, a command that did not end with 0, a failed run",
        ("right_parenthesis", "left_parenthesis"),
    ),
    *_pair("approval", "approval", "a call that was allowed or denied, by you or by a rule", ("a", "A")),
    *_pair("switch", "switch", "where another model goes on", ("m", "M")),
)
