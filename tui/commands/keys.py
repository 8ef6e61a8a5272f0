"""`quarterdeck keys`: what every key of the screen does, and who says so."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from runner.errors import ConfigError
from tui.actions import ACTIONS, Action
from tui.commands.common import load, located, report_withheld
from tui.keymap import Keymap, keymap, shown
from tui.settings import Settings
from tui.settings.layers import dotted

WHERE: Final = {
    "app": "everywhere",
    "composer": "message",
    "approval": "approval",
    "question": "question",
    "form": "form on a card",
    "limit": "limit",
    "queue": "waiting messages",
    "axis": "time axis",
    "list": "lists",
    "transcript": "transcript",
    "replay": "replay",
}


@dataclass(frozen=True, slots=True)
class Row:
    action: Action
    keys: tuple[str, ...]
    by: str


def run(args: argparse.Namespace) -> int:
    settings = load(args)
    try:
        keys = keymap(preset=args.preset) if args.preset else keymap(settings.keys, preset=settings.keymap)
    except ConfigError as error:
        raise located(error, settings) from error
    query: str = args.query or ""
    wanted = query.lower().split()
    found = [row for row in rows(keys, settings) if all(word in _text(row).lower() for word in wanted)]
    if args.json:
        for row in found:
            print(json.dumps(_as_json(row)))
        return 0 if found or not wanted else 1
    _print(found)
    if not found:
        print(f"no action matches {query!r}", file=sys.stderr)
        return 1
    if not args.preset:
        report_withheld(settings)
    return 0


def rows(keys: Keymap, settings: Settings) -> Iterator[Row]:
    """In the order of the registry."""
    for action in ACTIONS:
        match keys.origins.get(action.id):
            case "preset":
                by = f"preset {keys.preset}"
            case "changed":
                by = str(settings.source(dotted(("keys", action.id))))
            case "made way":
                by = "default, less a key you gave to another action"
            case _:
                by = "default"
        yield Row(action, keys.of(action.id), by)


def _text(row: Row) -> str:
    names = " ".join(map(shown, row.keys))
    return f"{row.action.id} {row.action.name} {names} /{row.action.slash} {row.action.help} {WHERE[row.action.scope]}"


def _as_json(row: Row) -> dict[str, object]:
    action = row.action
    return {
        "action": action.id,
        "scope": action.scope,
        "keys": list(row.keys),
        "command": f"/{action.slash}" if action.slash else None,
        "reserved": action.reserved,
        "by": row.by,
        "help": action.help,
    }


def _print(found: list[Row]) -> None:
    cells = [
        (
            row.action.id,
            ", ".join(map(shown, row.keys)) or "no key",
            f"/{row.action.slash}" if row.action.slash else "",
            WHERE[row.action.scope],
            row.by + (", reserved" if row.action.reserved else ""),
        )
        for row in found
    ]
    widths = [max((len(line[column]) for line in cells), default=0) for column in range(4)]
    for line in cells:
        print("  ".join((*(f"{line[column]:<{widths[column]}}" for column in range(4)), line[4])).rstrip())
