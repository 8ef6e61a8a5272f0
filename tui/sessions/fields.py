"""What the line under the filter says: what is wrong with it, what could be typed, what may stand in it. Pure."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.suggester import Suggester

from runner.store.query import completions
from tui.render.clean import visible
from tui.words import one_line

EXAMPLES: Final = (
    *("model:", "agent:", "tool:", "ended:failed", "cost>1", "since:7d", "tag:", "file:"),
    *("is:pinned", "project:", "turns>3", "tokens>10k"),
)
REST: Final = "and words: all that was said and done"
_MOST_OPTIONS: Final = 8


class FieldSuggester(Suggester):
    """The rest of a filter's name, or of a value that is known beforehand, as the field shows it behind the cursor."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        found = completions(value, len(value))
        if found is None or found.start == found.end:
            return None
        options = [name for name, _ in found.options]
        return value[: found.start] + options[0]


def field_line(text: str, cursor: int, problems: tuple[str, ...], width: int) -> Content:
    """One line of so many cells at most."""
    if problems:
        first, others = problems[0], len(problems) - 1
        more = f" (and {others} more)" if others else ""
        return Content.styled(visible(one_line(first)) + more, "$state-waiting").truncate(width, ellipsis=True)
    found = completions(text, cursor)
    if found is not None and found.start < found.end:
        return _options(found.options, width)
    return _fitting(EXAMPLES, REST, width)


def _options(options: tuple[tuple[str, str], ...], width: int) -> Content:
    (name, help), *rest = options
    parts: list[str | Content | tuple[str, str]] = [(name, "bold $key-name"), (f"  {help}" if help else "", "$muted")]
    others = [other for other, _ in rest[:_MOST_OPTIONS]]
    parts += [("  →", "$key-name"), (" takes it", "$key-label")]
    if others:
        parts.append((f"   or {'  '.join(others)}", "$muted"))
    return Content.assemble(*parts).truncate(width, ellipsis=True)


def _fitting(words: tuple[str, ...], last: str, width: int) -> Content:
    """As many as there is room for, and what the rest of the text means before them all."""
    room = width - len(last) - 3
    shown: list[str] = []
    for word in words:
        if len("  ".join([*shown, word])) > room:
            break
        shown.append(word)
    return Content.assemble(("  ".join(shown), "$key-label"), (f"   {last}", "$muted")).truncate(width, ellipsis=True)
