"""Which call a piece of a streamed tool call belongs to, when the provider's index and id cannot be trusted.

Seen in the wild: two calls under one index, calls without an id, one id for two calls, the id or the name repeated on
each piece, no index at all, and pieces of several calls taking turns.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Open:
    key: str
    id: str
    name: str
    pieces: list[str] = field(default_factory=list[str])

    @property
    def complete(self) -> bool:
        """Whether the arguments so far are a whole JSON value, so that more text cannot belong to them."""
        text = "".join(self.pieces).strip()
        if not text.endswith("}"):
            return False
        try:
            json.loads(text)
        except ValueError:
            return False
        return True


@dataclass(slots=True)
class CallKeys:
    """One response's calls in the order in which they were first seen."""

    _by_index: dict[int, _Open] = field(default_factory=dict[int, _Open])
    _all: list[_Open] = field(default_factory=list[_Open])

    def key(self, index: object, call_id: str, name: str, arguments: str) -> str:
        """The key of the call that this piece belongs to; a new one where it opens a call."""
        slot = index if isinstance(index, int) else None
        call = self._find(slot, call_id, name, arguments)
        if call is None:
            call = _Open(key=f"c{len(self._all)}", id=call_id, name=name)
            self._all.append(call)
        if slot is not None:
            self._by_index[slot] = call
        call.id = call.id or call_id
        call.name = call.name or name
        if arguments:
            call.pieces.append(arguments)
        return call.key

    def _find(self, slot: int | None, call_id: str, name: str, arguments: str) -> _Open | None:
        current = self._by_index.get(slot) if slot is not None else (self._all[-1] if self._all else None)
        if current is None:
            # A new index opens a call, except for a nameless piece of a call that is known by its id.
            return self._with_id(call_id) if call_id and not name else None
        if call_id and current.id and call_id != current.id:
            return self._with_id(call_id) if not name or slot is None else None
        if not name or not current.name:
            return current
        if not call_id:
            return None if name != current.name or current.complete else current
        # The same id and a name once more is a repetition, unless new arguments begin after whole ones.
        return None if arguments and current.complete else current

    def _with_id(self, call_id: str) -> _Open | None:
        return next((call for call in reversed(self._all) if call.id == call_id), None)
