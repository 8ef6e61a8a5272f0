"""Events to and from JSON. pydantic is loaded and its adapter built on first use, not at import."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import fields as dataclass_fields
from functools import cache
from typing import TYPE_CHECKING, Any

from runner import events as family
from runner.events.base import Event
from runner.events.tool import UnknownEvent

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_SURROGATE = re.compile("[\ud800-\udfff]")
_HEAD = re.compile(rb'\{"v":\d+,"kind":"([a-z_]+)"')
_ENVELOPE = frozenset(field.name for field in dataclass_fields(Event))


@cache
def event_types() -> dict[str, type[Event]]:
    """Every known kind and its class."""
    found: dict[str, type[Event]] = {}
    for name in family.__all__:
        value = getattr(family, name)
        if isinstance(value, type) and issubclass(value, Event) and value not in (Event, UnknownEvent):
            found[str(value.__dataclass_fields__["kind"].default)] = value
    return found


@cache
def _adapter(cls: type[Event]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def dump_json(event: Event) -> bytes:
    """One JSON object, one line, without a newline. Decimals become strings, so that money stays exact."""
    if isinstance(event, UnknownEvent):
        return _encodable(event.data)
    try:
        return _adapter(type(event)).dump_json(event)
    except ValueError:
        return _encodable(_adapter(type(event)).dump_python(event, mode="json"))


def _encodable(plain: Any) -> bytes:
    """JSON in which half of a surrogate pair, which UTF-8 cannot hold, becomes the replacement character."""
    return _SURROGATE.sub("\ufffd", json.dumps(plain, ensure_ascii=False)).encode()


def load_json(data: bytes | str) -> Event:
    """The event in one JSON object. An unknown kind becomes an UnknownEvent; unknown fields are ignored.

    Raises ValueError where the text is not a JSON object or a known kind's fields have wrong types.
    """
    text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    head = _HEAD.match(text)
    usual = event_types().get(head[1].decode()) if head is not None else None
    if usual is not None:
        # What we wrote says its kind first, so it need not be read twice; what is wrong with it is found below.
        with contextlib.suppress(ValueError):
            return _adapter(usual).validate_json(text)
    raw: object = json.loads(data)
    if not isinstance(raw, dict):
        raise ValueError("an event is a JSON object")
    fields: dict[str, Any] = raw  # pyright: ignore[reportUnknownVariableType]
    cls = event_types().get(str(fields.get("kind", "")))
    if cls is None:
        return _unknown(fields)
    return _adapter(cls).validate_json(data)


def _unknown(fields: dict[str, Any]) -> UnknownEvent:
    known = {key: value for key, value in fields.items() if key in _ENVELOPE}
    envelope = _adapter(Event).validate_python(known)
    return UnknownEvent(**{name: getattr(envelope, name) for name in _ENVELOPE}, data=fields)
