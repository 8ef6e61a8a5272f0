"""One text for each JSON value, so that equal arguments are found equal and nothing else is."""

from __future__ import annotations

import hashlib
import json

from runner.messages import JsonObject


def canonical(value: object) -> str:
    """JSON with sorted keys. true is not 1, and 1 is not 1.0: what is taken for equal must be equal to every tool."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)


def same(one: JsonObject | None, other: JsonObject | None) -> bool:
    return one is not None and other is not None and canonical(one) == canonical(other)


def fingerprint(run_id: str, call_id: str, tool: str, arguments: JsonObject) -> str:
    """What a decision is bound to; anything else has another one and is asked about again (SEMANTICS section 9)."""
    return hashlib.sha256(canonical([run_id, call_id, tool, arguments]).encode("ascii")).hexdigest()
