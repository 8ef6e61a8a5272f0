"""Reading a body of unknown shape without trusting it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

Fields = Mapping[str, Any]

TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def fields(value: object) -> Fields:
    """The value as an object; an empty one where it is none."""
    return cast("Fields", value) if isinstance(value, Mapping) else {}


def items(value: object) -> list[Fields]:
    """The objects of a list; what is no list has none."""
    return [fields(item) for item in cast("list[object]", value)] if isinstance(value, list) else []


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def canonical(name: object, arguments: object) -> str:
    """A call as one text, equal for equal calls."""
    return json.dumps([name, arguments], sort_keys=True)


def strings(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a value, with the keys that lead to it (list positions left out)."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in cast("Fields", value).items():
            yield from strings(inner, (*path, key))
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from strings(inner, path)


def check_schemas(named: Iterable[tuple[object, object]]) -> Iterator[str]:
    """Tools as (name, schema of the arguments): names usable and unique, each schema one of an object."""
    seen: set[str] = set()
    for name, schema in named:
        text = str(name)
        if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
            yield f"a tool is called {name!r}"
        if text in seen:
            yield f"two tools are called {text!r}"
        seen.add(text)
        if str(fields(schema).get("type", "object")).lower() != "object":
            yield f"the arguments of the tool {text!r} are no object"
