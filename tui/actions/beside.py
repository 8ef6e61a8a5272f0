"""What goes on beside the runs."""

from __future__ import annotations

from tui.actions.base import Action

BESIDE = (
    Action(
        id="processes",
        name="processes",
        help="What runs in the background: see what it prints, end it",
        keys=("alt+p",),
        group="Run",
        run=lambda ui: ui.open_screen("processes"),
        slash="processes",
    ),
)
