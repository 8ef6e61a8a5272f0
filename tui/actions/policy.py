"""What may run: who allowed it, what was decided, and rules for it."""

from __future__ import annotations

from tui.actions.base import Action

POLICY = (
    Action(
        id="grants",
        name="grants",
        help="What is allowed or denied beyond one call: how far, how often used; take it back",
        keys=("alt+g",),
        group="Permissions",
        run=lambda ui: ui.open_screen("grants"),
        slash="grants",
    ),
    Action(
        id="decisions",
        name="decisions",
        help='Every decision about a call, searchable: "/decisions tool:shell by:user since:7d"',
        keys=("alt+d",),
        group="Permissions",
        run=lambda ui: ui.open_screen("decisions"),
        slash="decisions",
    ),
    Action(
        id="try",
        name="try a rule",
        help='What a rule would have done to past requests, then save it: "/try allow shell prefix git status"',
        keys=("alt+t",),
        group="Permissions",
        run=lambda ui: ui.open_screen("try"),
        slash="try",
    ),
)
