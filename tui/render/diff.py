"""Unified diffs in colours; the signs at the line starts say the same without them."""

from __future__ import annotations

from typing import Final

from tui.render.clean import Clean
from tui.render.lines import Ink, Line, Prefix, Span, spans_of, wrapped

_ADDED: Final = Ink("diff.added", "diff.added_bg")
_REMOVED: Final = Ink("diff.removed", "diff.removed_bg")
_HUNK: Final = Ink("diff.hunk", "diff.hunk_bg")
_CONTEXT: Final = Ink("diff.context")
_FILE: Final = Ink("muted", bold=True)


def diff_lines(diff: Clean, width: int, *, prefix: Prefix = ()) -> list[Line]:
    """The lines of a unified diff. File headers are lines before the first hunk of each file."""
    lines: list[Line] = []
    old_left = new_left = 0
    for text in diff.removesuffix("\n").split("\n"):
        ink = _CONTEXT
        if old_left > 0 or new_left > 0:
            # Inside a hunk its counts decide: "--- x" may be a removed line.
            if text.startswith("+"):
                ink, new_left = _ADDED, new_left - 1
            elif text.startswith("-"):
                ink, old_left = _REMOVED, old_left - 1
            elif not text.startswith("\\"):
                old_left, new_left = old_left - 1, new_left - 1
        elif text.startswith("@@"):
            ink = _HUNK
            old_left, new_left = _counts(text)
        elif text.startswith(("--- ", "+++ ", "diff ", "index ")):
            ink = _FILE
        lines.extend(wrapped(spans_of(Clean(text), ink), width, first=_padded(prefix, ink), ground=ink.ground))
    return lines


def _padded(prefix: Prefix, ink: Ink) -> Prefix:
    return (*prefix, Span(Clean(" "), ink))


def _counts(hunk: str) -> tuple[int, int]:
    """Lines of the old and the new text that a hunk's head "@@ -1,5 +1,6 @@" announces; a missing count is 1."""
    parts = hunk.split(" ")
    found: list[int] = []
    for sign, part in zip("-+", parts[1:3], strict=False):
        _, _, count = part.partition(",")
        if not part.startswith(sign) or (count and not count.isdecimal()):
            return 0, 0
        found.append(int(count[:9]) if count else 1)
    return (found[0], found[1]) if len(found) == 2 else (0, 0)
