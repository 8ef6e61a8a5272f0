"""A place where something was found, as one line under its session. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.content import Content

from tui.render.clean import visible
from tui.sessions.columns import GUTTER
from tui.sessions.lines import MoreLine, when
from tui.words import count, fit, one_line

if TYPE_CHECKING:
    from runner.store.search import Hit

FOUND: Final = "bold $search-match on $search-match-bg"
_PART: Final = 16
_ROOMY: Final = 60
_BEFORE: Final = 3
"""A third of the line may stand before what was found."""

PARTS: Final[dict[str, str]] = {
    "said": "you said",
    "answer": "answer",
    "reasoning": "reasoning",
    "call": "call",
    "output": "output",
    "command": "your command",
    "error": "error",
}


def part_words(hit: Hit) -> str:
    """What it was found in. Not cleaned."""
    words = PARTS.get(hit.part, hit.part)
    return f"{words} {hit.tool}" if hit.tool and hit.part in ("call", "output") else words


def hit_line(hit: Hit | None, width: int, now: datetime, selected: bool) -> Content:
    """None: it is being read."""
    indent = " " * (GUTTER + 2)
    if hit is None:
        content = Content.styled(fit(f"{indent}…", width), "$muted")
    else:
        part = fit(visible(one_line(part_words(hit))), _PART if width >= _ROOMY else _PART // 2)
        moment = f"{when(hit.time, now):>9} "
        room = max(4, width - len(indent) - cell_len(part) - len(moment) - 2)
        content = Content.assemble(
            (f"{indent}{part} ", "$muted"),
            snippet(hit.snippet, room, "bold underline" if selected else FOUND),
            (f" {moment}", "$muted"),
        ).truncate(width, pad=True)
    return content.stylize("$selection-text on $selection") if selected else content


def more_line(line: MoreLine, width: int, selected: bool) -> Content:
    words = f"{' ' * (GUTTER + 2)}{count(line.left, 'more place')} in this session; enter shows them"
    content = Content.styled(fit(words, width), "$key-label")
    return content.stylize("$selection-text on $selection") if selected else content


def snippet(pieces: Sequence[tuple[str, bool]], width: int, style: str = FOUND) -> Content:
    """Exactly so many cells, with what was searched for in sight and emphasised."""
    parts = [(visible(re.sub(r"\s+", " ", text)), marked) for text, marked in pieces]
    before = next((place for place, (_, marked) in enumerate(parts) if marked), 0)
    ahead = "".join(text for text, _ in parts[:before])
    whole = sum(cell_len(text) for text, _ in parts)
    room = width // _BEFORE
    if whole > width and cell_len(ahead) > room:
        # As much before it as there is room for, and more where little comes after it.
        after = whole - cell_len(ahead)
        kept = _tail(ahead, max(room, width - after) - 1)
        parts = [(visible(f"…{kept}"), False), *parts[before:]]
    content = Content.assemble(*((text, style if marked else "$foreground") for text, marked in parts))
    return content.truncate(width, ellipsis=True, pad=True)


def _tail(text: str, width: int) -> str:
    kept = text[-max(0, width) :] if width > 0 else ""
    while cell_len(kept) > width:
        kept = kept[1:]
    return kept
