"""How long a provider may take: for the first token, between two of them, and for the usage after the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from runner.errors import ModelTimeoutError, StreamIdleError
from runner.models.base import ModelInfo, ModelRequest

USAGE_GRACE: Final = 5.0
"""Seconds to wait for the usage after the finish reason; an answer that is complete is not failed for it."""
DRAIN: Final = 0.05
"""Seconds to read on for the end of the body, so that the connection can be used again instead of being closed."""
CLOSING: Final = 2.0
"""Seconds that closing a connection may take before the run goes on without it."""


@dataclass(slots=True)
class Deadlines:
    """When the stream must have moved. Comments, pings and empty chunks do not count: they can go on for ever.

    moved: when the reader last came back for more, so a slow reader is not taken for a silent provider.
    """

    request: ModelRequest
    began: float
    moved: float | None = None
    finished: float | None = None

    def due(self) -> float | None:
        """The moment at which the stream counts as dead, by the monotonic clock; None = no limit."""
        idle = self.request.idle_timeout
        if self.finished is not None:
            limit, since = USAGE_GRACE if idle is None else min(idle, USAGE_GRACE), self.finished
        elif self.moved is not None:
            limit, since = idle, self.moved
        else:
            limit, since = self.request.first_token_timeout, self.began
        return None if limit is None else since + limit

    def left(self) -> float | None:
        """Seconds until the stream counts as dead; None = no limit."""
        due = self.due()
        return None if due is None else max(0.0, due - time.monotonic())

    def missed(self, info: ModelInfo) -> ModelTimeoutError | StreamIdleError:
        """The error for a deadline that has passed."""
        if self.moved is None:
            kind, text = ModelTimeoutError, f"no first token within {self.request.first_token_timeout or 0:g} s"
        else:
            kind, text = StreamIdleError, f"the stream was silent for {self.request.idle_timeout or 0:g} s"
        return kind(text, model=info.name, provider=info.provider)
