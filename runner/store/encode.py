"""An event as the text of its row, whatever a model or a tool has put into it."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from runner.events import AgentStarted, Event, ModelRequested, ModelResponded, RunStarted, TextDelta, TurnStarted
from runner.events.codec import dump_json


def encode(event: Event) -> str:
    """The event's JSON; what JSON cannot hold (half surrogate pairs, foreign objects) is replaced, never fatal."""
    try:
        return dump_json(event).decode()
    except ValueError:
        return json.dumps(_plain(event), ensure_ascii=False).encode("utf-8", "replace").decode()


def prepare_encoding() -> None:
    """Build what the usual kinds need; about a tenth of a second, once."""
    for made in (RunStarted(), AgentStarted(), TurnStarted(), ModelRequested(), TextDelta(), ModelResponded()):
        dump_json(made)


def _plain(value: object) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case dict():
            return {str(key): _plain(item) for key, item in cast("dict[object, object]", value).items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in cast("list[object]", value)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
        case _:
            return repr(value)
