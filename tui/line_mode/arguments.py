"""What may follow a command of line mode, for Tab. Pure but for what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.argument_words import DECISIONS, Words
from tui.line_mode.decisions import MORE
from tui.line_mode.server_lines import WAYS

_NONE: Final[Words] = {}
_FIXED: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    ("grants",): ("revoke",),
    ("grants", "revoke"): ("all",),
    ("undo",): ("since", "redo"),
    ("temperature",): ("default",),
}


@dataclass(frozen=True, slots=True)
class Known:
    """Names to complete. settings: each key with the values it may have, () where it is written."""

    servers: Callable[[], Sequence[str]]
    processes: Callable[[], Sequence[str]]
    settings: Callable[[], dict[str, Sequence[str]]]
    efforts: Callable[[], Sequence[str]]


def words_after(command: str, before: Sequence[str], known: Known) -> Words:
    """command: as it is written, without its slash. before: the words between it and the one being written."""
    fixed = _FIXED.get((command, *before))
    if fixed is not None:
        return _listed(*fixed)
    match command, tuple(before):
        case "decisions", _:
            return {**DECISIONS, MORE: "those before"}
        case "undo", _:
            return _listed("yes", "force")
        case "mcp", ():
            return _listed(*known.servers())
        case "mcp", (_,):
            return _listed(*WAYS)
        case "processes", ():
            return _listed(*known.processes(), "stop")
        case "processes", ("stop",):
            return _listed(*known.processes(), "all")
        case "settings", _:
            return _of_settings(before, known.settings())
        case "effort", ():
            return _listed(*known.efforts())
        case _:
            return _NONE


def _of_settings(before: Sequence[str], settings: dict[str, Sequence[str]]) -> Words:
    match tuple(before):
        case ():
            return _listed(*settings, "unset", "project")
        case ("project",):
            return _listed(*settings, "unset")
        case ("unset",) | ("project", "unset"):
            return _listed(*settings)
        case (key,) | ("project", key):
            return _listed(*settings.get(key, ()))
        case _:
            return _NONE


def _listed(*words: str) -> Words:
    return dict.fromkeys(words, "")
