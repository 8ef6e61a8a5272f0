"""The columns of the list of sessions: which there is room for, and what stands in them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len
from textual.content import Content

from tui.render.clean import Clean, visible
from tui.sessions.lines import Grouping, SessionLine, when
from tui.words import count, cut, cut_middle, fit, money, one_line, tokens

if TYPE_CHECKING:
    from runner.store.base import SessionSummary

ColumnName = Literal["name", "agent", "models", "when", "length", "turns", "tokens", "cost", "ended", "tags"]

GUTTER: Final = 3
GAP: Final = 2
LEAST_NAME: Final = 24
_LEAST_TAG: Final = 8
_ROOMY: Final = 104
"""Cells from which a model's name is shown longer."""

ENDS: Final = {
    "complete": ("done", "state-ok"),
    "interrupted": ("interrupted", "state-failed"),
    "stopped": ("stopped", "state-cancelled"),
    "aborted": ("aborted", "state-cancelled"),
    "error": ("failed", "state-failed"),
}

_WIDTHS: Final[dict[ColumnName, int]] = {
    "agent": 12,
    "models": 14,
    "when": 9,
    "length": 7,
    "turns": 5,
    "tokens": 6,
    "cost": 8,
    "ended": 11,
    "tags": 16,
}
_KEPT_LONGEST: Final[tuple[ColumnName, ...]] = (
    *("when", "ended", "cost", "models", "turns", "length", "tokens", "tags", "agent"),
)
"""What there is room for first; the last ones go first."""

_RIGHT: Final[frozenset[ColumnName]] = frozenset({"length", "turns", "tokens", "cost"})
_ORDER: Final[tuple[ColumnName, ...]] = ("name", *_WIDTHS)


@dataclass(frozen=True, slots=True)
class Column:
    name: ColumnName
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a line stands in the list. mark: "A" or "B" for the sessions that are to be compared."""

    now: datetime
    grouping: Grouping
    mark: str = ""
    selected: bool = False
    current: bool = False


def columns(width: int) -> tuple[Column, ...]:
    """In their order, for lines of so many cells."""
    widths = _WIDTHS | {"models": 17} if width >= _ROOMY else _WIDTHS
    left = width - GUTTER - LEAST_NAME
    kept: set[ColumnName] = set()
    for name in _KEPT_LONGEST:
        left -= widths[name] + GAP
        if left < 0:
            break
        kept.add(name)
    taken = sum(widths[name] + GAP for name in kept)
    name = Column("name", max(1, width - GUTTER - taken))
    return (name, *(Column(each, widths[each]) for each in widths if each in kept))


def heading(shown: tuple[Column, ...]) -> Content:
    """What the columns are, over them."""
    cells = (_padded(Clean(column.name), column) for column in shown)
    return Content.styled(" " * GUTTER + (" " * GAP).join(cells), "$muted")


def session_line(summary: SessionSummary, line: SessionLine, shown: tuple[Column, ...], look: Look) -> Content:
    name = shown[0]
    parts: list[Content] = [_gutter(summary, look), _name(summary, line, name.width, _has(shown, "tags"), look)]
    for column in shown[1:]:
        text, token = _CELLS[column.name](summary, look)
        text = cut_middle(text, column.width) if column.name == "models" else text
        parts.append(Content.styled(" " * GAP + _padded(text, column), f"${token}"))
    content = Content("").join(parts)
    return content.stylize("$selection-text on $selection") if look.selected else content


def unknown_line(line: SessionLine, width: int, selected: bool, *, gone: bool = False) -> Content:
    """A session that is being read, or that is gone since the list was made."""
    text = "not there any more" if gone else "…"
    content = Content.styled(fit(" " * GUTTER + _indent(line) + text, width), "$muted")
    return content.stylize("$selection-text on $selection") if selected else content


def end_of(summary: SessionSummary) -> tuple[str, str]:
    """How its newest run ended, and the theme variable."""
    if summary.live:
        return "running", "state-running"
    return ENDS.get(summary.reason, (summary.reason.replace("_", " ") or summary.status, "state-failed"))


def length(seconds: float) -> str:
    """At most seven cells: "12 s", "4 min", "2 h 05", "3 d"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02d}" if whole < 86400 else f"{whole // 86400} d"


def cost_words(dollars: Decimal | None) -> str:
    """At most eight cells."""
    if dollars is None:
        return "unknown"
    if 0 < dollars < Decimal("0.0001"):
        return "<$0.0001"
    return money(dollars)


def tag_words(summary: SessionSummary) -> Clean:
    return visible(one_line(" ".join(f"#{tag}" for tag in summary.tags)))


def model_words(models: tuple[str, ...]) -> str:
    """The last one, and how many there were before it. Not cleaned."""
    before = len(models) - 1
    last = next(reversed(models), "none").rpartition("/")[2]
    return f"{last} +{before}" if before > 0 else last


def _has(shown: tuple[Column, ...], name: ColumnName) -> bool:
    return any(column.name == name for column in shown)


def _gutter(summary: SessionSummary, look: Look) -> Content:
    """The letter of a mark, and one sign: running, shown now, pinned, or brought in from elsewhere."""
    sign, token = (" ", "muted")
    for holds, its_sign, its_token in (
        (summary.live, "●", "state-running"),
        (look.current, "▸", "primary"),
        (summary.pinned, "★", "accent"),
        (bool(summary.imported), "↓", "secondary"),
    ):
        if holds:
            sign, token = its_sign, its_token
            break
    return Content.assemble((look.mark or " ", "bold $accent"), (f"{sign} ", f"${token}"))


def _indent(line: SessionLine) -> str:
    return "  " * (min(line.depth, 4) - 1) + "└ " if line.depth else ""


def _name(summary: SessionSummary, line: SessionLine, width: int, tagged: bool, look: Look) -> Content:
    indent = _indent(line)
    forks = f"  {count(line.forks, 'fork')}" if line.forks else ""
    tags = "" if tagged or not summary.tags else f"  {tag_words(summary)}"
    room = width - len(indent)
    # What stands behind the name is shown only as far as the name itself stays readable.
    left = room * 2 // 5 - len(forks)
    behind = f"{forks}{cut(tags, left) if left >= _LEAST_TAG else ''}"
    title = cut(visible(one_line(summary.title)) or "untitled", room - cell_len(behind))
    rest = " " * max(0, room - cell_len(title) - cell_len(behind))
    return Content.assemble((indent, "$muted"), (title, "$foreground"), (behind, "$secondary"), rest)


def _padded(text: str, column: Column) -> str:
    shown = fit(text, column.width)
    if column.name not in _RIGHT:
        return shown
    bare = shown.rstrip()
    return " " * (column.width - cell_len(bare)) + bare


_Cell = Callable[["SessionSummary", Look], tuple[str, str]]


def _agent(summary: SessionSummary, look: Look) -> tuple[str, str]:
    return visible(one_line(summary.agent)), "muted"


def _models(summary: SessionSummary, look: Look) -> tuple[str, str]:
    return visible(one_line(model_words(summary.models))), "muted"


def _when(summary: SessionSummary, look: Look) -> tuple[str, str]:
    """Under the heading of its day, the time."""
    if look.grouping == "day" and not summary.pinned:
        return f"{summary.updated.astimezone():%H:%M}", "muted"
    return when(summary.updated, look.now), "muted"


def _length(summary: SessionSummary, look: Look) -> tuple[str, str]:
    return length(summary.seconds), "muted"


def _tokens(summary: SessionSummary, look: Look) -> tuple[str, str]:
    usage = summary.usage
    return tokens(usage.input + usage.output), "muted"


def _cost(summary: SessionSummary, look: Look) -> tuple[str, str]:
    return cost_words(summary.cost_usd), "muted" if summary.cost_usd is None else "foreground"


_CELLS: Final[dict[ColumnName, _Cell]] = {
    "agent": _agent,
    "models": _models,
    "when": _when,
    "length": _length,
    "turns": lambda summary, look: (str(summary.turns), "muted"),
    "tokens": _tokens,
    "cost": _cost,
    "ended": lambda summary, look: end_of(summary),
    "tags": lambda summary, look: (tag_words(summary), "secondary"),
}
