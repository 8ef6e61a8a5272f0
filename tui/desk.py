"""What the screens beside the cockpit are given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from runner.state import Item
    from tui.branching import Branching
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.keymap import Keymap
    from tui.landing import Landing
    from tui.looks import Looks
    from tui.ports import AppSettings, Host
    from tui.reflexes import Reflexes
    from tui.remembered import Remembered
    from tui.render.groups import Together
    from tui.servers import Servers


class Bench(Protocol):
    """The part of the desk that knows no screen, for what line mode does as well."""

    @property
    def deck(self) -> Deck: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def settings(self) -> AppSettings: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What opens and serves a screen. do: carries out an action by its id. repaint: shows on the cockpit what changed.
    remembered: what is kept from one start to the next and is no configuration.

    go: shows a stored session, at a place in it or at its end. current: the current item of the transcript. marked:
    tags or notes of the session shown were changed.

    The live run of the session shown is `deck.current`; the store is asked with `engine.ask`.
    """

    host: Host
    deck: Deck
    engine: Engine
    settings: AppSettings
    keys: Keymap
    do: Callable[[str], bool]
    go: Callable[[str, Landing | None], None]
    repaint: Callable[[], None]
    servers: Servers
    reflexes: Reflexes
    remembered: Remembered
    looks: Looks
    branching: Branching
    current: Callable[[], Item | Together | None]
    marked: Callable[[], None]
