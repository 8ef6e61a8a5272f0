"""What a tool's function gave back, as one ToolOutput."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from runner.errors import ToolError
from runner.tools.base import ToolOutput

NOTHING = "(the tool returned nothing)"
_PLAIN = (str, int, float, bool, list, dict, tuple, type(None))


class ResultError(ToolError):
    """The tool ran, but what it returned cannot be shown to a model."""

    side_effects = "done"


def output_of(value: object) -> ToolOutput:
    """A str as it is, None as a word, all else as JSON: 0, False, "" and [] are results like any other."""
    if isinstance(value, ToolOutput):
        return value
    if isinstance(value, str):
        return ToolOutput(text=value)
    if value is None:
        return ToolOutput(text=NOTHING)
    return ToolOutput(text=_as_json(value))


def chosen(returned: object, yielded: Sequence[object]) -> object:
    """The result of a generator: what it returned, else the one thing it yielded, else the list of them."""
    if returned is not None or not yielded:
        return returned
    return yielded[0] if len(yielded) == 1 else list(yielded)


def _as_json(value: object) -> str:
    if isinstance(value, _PLAIN):
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            return _by_pydantic(value)
    return _by_pydantic(value)


def _by_pydantic(value: Any) -> str:
    """Models, dataclasses, dates, enums, sets, and containers of them."""
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(value).decode("utf-8")
    except (PydanticSerializationError, UnicodeError, ValueError, RecursionError) as error:
        kind = type(value).__name__
        raise ResultError(f"The tool ran, but its result ({kind}) cannot be written as JSON: {error}") from error
