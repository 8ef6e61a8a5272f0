"""A frozen value with some fields changed, as `dataclasses.replace` makes it, in a third of the time.

The state of a run is such a value of forty fields, and every fact and every piece of text makes a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def changed(value: T, **changes: object) -> T:
    """value: of a dataclass with slots that does nothing in `__post_init__`. Raises TypeError for a name that is no
    field of it."""
    cls = type(value)
    old, setters = _parts(cls)
    made = object.__new__(cls)
    for setter, field in zip(setters.values(), old(value), strict=True):
        setter(made, field)
    for name, field in changes.items():
        try:
            setters[name](made, field)
        except KeyError:
            raise TypeError(f"{cls.__name__} has no field {name!r}") from None
    return made


@cache
def _parts(
    cls: type[Any],
) -> tuple[Callable[[object], tuple[object, ...]], dict[str, Callable[[object, object], None]]]:
    """What reads all fields, and what writes each of them although the value is frozen."""
    names = [field.name for field in fields(cls)]
    if len(names) < 2 or hasattr(cls, "__post_init__") or not hasattr(cls, "__slots__"):
        raise TypeError(f"{cls.__name__} is not made for this")
    return attrgetter(*names), {name: getattr(cls, name).__set__ for name in names}
