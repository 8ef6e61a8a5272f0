"""Notices when approving has become a reflex, and says so in one quiet line; a rule is a key away, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from runner.errors import QuarterdeckError
from tui.rule_line import Draft, RuleLineError, write
from tui.words import count

if TYPE_CHECKING:
    from runner.policy.reflex import ReflexHint
    from runner.store import Store
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.keymap import Keymap
    from tui.ports import Host

LOOKED_AT = 40
"""Decisions, the newest ones."""

SETTLE = 0.3
"""Seconds after an answer until the run has surely recorded it; several answers are then looked at together."""

HINT_SECONDS = 20.0


class Reflexes:
    def __init__(self, host: Host, deck: Deck, engine: Engine, keys: Keymap, repaint: Callable[[], None]) -> None:
        self._host = host
        self._deck = deck
        self._engine = engine
        self._keys = keys
        self._repaint = repaint
        self._looking = False
        self._shown: datetime | None = None
        self._proposed: Draft | None = None

    def answered(self) -> None:
        """A person answered a call."""
        if not self._looking:
            self._looking = True
            self._host.work(self._look(), "reflex")

    def take(self) -> Draft | None:
        """The rule that the last hint proposed; once."""
        proposed, self._proposed = self._proposed, None
        return proposed

    async def _look(self) -> None:
        try:
            await asyncio.sleep(SETTLE)
            hint = await asyncio.wrap_future(self._engine.ask(lambda store: _hint(store, self._shown)))
        except QuarterdeckError:
            # Without a store nobody knows, and the program may be ending.
            return
        finally:
            self._looking = False
        if hint is not None:
            self._say(hint)

    def _say(self, hint: ReflexHint) -> None:
        self._shown = hint.again_after
        patterns = hint.suggested.patterns
        key = self._keys.show("try")
        try:
            line = write("allow", patterns)
        except RuleLineError:
            return
        self._proposed = Draft(effect="allow", patterns=patterns)
        way = f"{key} tries a rule" if key else "/try tries a rule"
        yes = f"{count(hint.of, 'quick yes', 'quick yeses')} in a row"
        self._deck.say(f"{yes}: {way} ({line.removeprefix('allow ')})", seconds=HINT_SECONDS)
        self._repaint()


def _hint(store: Store, shown: datetime | None) -> ReflexHint | None:
    from runner.policy.reflex import reflex

    return reflex(store.decisions(by="user", limit=LOOKED_AT), shown=shown)
