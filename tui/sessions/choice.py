"""What can be chosen in the list of sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tui.actions import PanelName
from tui.landing import Landing


@dataclass(frozen=True, slots=True)
class Opening:
    """A session to show, and where to go in it."""

    session_id: str
    at: Landing | None = None


@dataclass(frozen=True, slots=True)
class Beyond:
    """Another screen that takes the place of this one."""

    panel: PanelName
    argument: str


SessionChoice: TypeAlias = Opening | Beyond | Literal["new"] | None
