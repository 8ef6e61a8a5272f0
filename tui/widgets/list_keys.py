"""The keys that all lists have in common, from the registry: a list asks here what a key means and names none."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, cast

from textual.dom import DOMNode

from tui.keymap import Keymap, keymap

ListStep = Literal["up", "down", "page_up", "page_down", "first", "last", "choose", "filter", "close"]

_STEPS: Final[dict[str, ListStep]] = {
    "list.up": "up",
    "list.down": "down",
    "list.page_up": "page_up",
    "list.page_down": "page_down",
    "list.first": "first",
    "list.last": "last",
    "list.choose": "choose",
    "list.filter": "filter",
    "list.close": "close",
}


@cache
def _defaults() -> Keymap:
    return keymap()


def keymap_of(node: DOMNode) -> Keymap:
    """The keys in force where a widget or a screen lives."""
    app = cast("object", node.app)  # pyright: ignore[reportUnknownMemberType]
    found: object = getattr(app, "keys", None)
    return found if isinstance(found, Keymap) else _defaults()


def list_step(node: DOMNode, key: str) -> ListStep | None:
    """What a key means in a list, None where it is no key of lists."""
    return _STEPS.get(keymap_of(node).meanings("list").get(key, ""))
