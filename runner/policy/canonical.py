"""One text for each JSON value, so that equal arguments are found equal and nothing else is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, cast

from runner.messages import JsonObject

_WHOLE: Final = 2**53
"""From here on not every whole number is a float of its own."""


def canonical(value: object) -> str:
    """JSON with sorted keys. true is not 1, and 1 is not 1.0: what is taken for equal must be equal to every tool."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)


def same(one: JsonObject | None, other: JsonObject | None) -> bool:
    return one is not None and other is not None and canonical(one) == canonical(other)


def alike(one: JsonObject | None, other: JsonObject | None) -> bool:
    """Whether a tool could take the two for the same: numbers are compared by value. For denials, which mean too much
    rather than too little.
    """
    return one is not None and other is not None and canonical(_by_value(one)) == canonical(_by_value(other))


def _by_value(value: object) -> object:
    match value:
        case dict():
            return {name: _by_value(item) for name, item in cast("dict[str, object]", value).items()}
        case list() | tuple():
            return [_by_value(item) for item in cast("Sequence[object]", value)]
        case Decimal() | float() if value == value and abs(value) < _WHOLE and value == int(value):
            return int(value)
        case Decimal():
            return float(value)
        case _:
            return value


def fingerprint(run_id: str, call_id: str, tool: str, arguments: JsonObject) -> str:
    """What a decision is bound to; anything else has another one and is asked about again (SEMANTICS section 9)."""
    return hashlib.sha256(canonical([run_id, call_id, tool, arguments]).encode("ascii")).hexdigest()
