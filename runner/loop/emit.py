"""Where events of a run come from: one emitter gives each its envelope, its seq, and its place in the state."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from runner.clock import Clock
from runner.events import Event
from runner.hub import Hub, delta_text, same_stream, with_text
from runner.state import RunState, reduce

COALESCE_SECONDS = 0.016
"""Deltas of one stream that come faster than this are sent as one: a person cannot tell, every reader saves work."""


class Emitter:
    """Stamps and publishes. Used from the run's event loop only.

    state folds the facts alone: deltas never change what a fact says later, and the loop does not need them.
    """

    def __init__(self, *, hub: Hub, clock: Clock, run_id: str, session_id: str, agent: str) -> None:
        self._hub = hub
        self._clock = clock
        self._run_id = run_id
        self._session_id = session_id
        self._agent = agent
        self._seq = 0
        self.turn = 0
        self.attempt = 0
        self.state = RunState(run_id=run_id, session_id=session_id, agent=agent)
        self._first: Event | None = None
        self._pieces: list[str] = []
        self._last_sent = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def fact(self, event: Event) -> Event:
        """Emit a fact, after every delta that came before it."""
        self.flush()
        self._seq += 1
        stamped = self._stamp(event)
        self.state = reduce(self.state, stamped)
        self._hub.emit(stamped)
        return stamped

    def delta(self, event: Event) -> None:
        """Emit a delta, or hold it for at most COALESCE_SECONDS to send it with the next ones of its stream."""
        now = self._clock.mono()
        if self._first is not None and not same_stream(self._first, event):
            self.flush()
        if self._first is None:
            if now - self._last_sent >= COALESCE_SECONDS:
                self._last_sent = now
                self._hub.emit(self._stamp(event))
                return
            self._first = event
            self._timer = asyncio.get_running_loop().call_later(COALESCE_SECONDS, self.flush)
        self._pieces.append(delta_text(event))
        if now - self._last_sent >= COALESCE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._first is None:
            return
        first, pieces = self._first, self._pieces
        self._first, self._pieces = None, []
        self._last_sent = self._clock.mono()
        self._hub.emit(self._stamp(with_text(first, "".join(pieces))))

    async def durable(self) -> None:
        """Return when every fact so far is stored. Raises StoreError where storing failed."""
        await asyncio.wrap_future(self._hub.barrier())

    def _stamp(self, event: Event) -> Event:
        return replace(
            event,
            run_id=self._run_id,
            session_id=self._session_id,
            seq=self._seq,
            time=self._clock.now(),
            mono=self._clock.mono(),
            agent=self._agent,
            turn=self.turn,
            attempt=self.attempt,
        )
