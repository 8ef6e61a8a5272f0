"""Tokens, cost, context, speed and time: a pane, or one line where there is no room for it. Pure."""

from __future__ import annotations

from typing import Literal

from textual.content import Content

from tui.view import Totals
from tui.words import cost, cut, duration, tokens, window

_LABEL = 8
_WARN, _OVER = 0.8, 0.95


def meters(found: Totals, width: int) -> Content:
    """The pane: one thing a line, its name first."""
    usage = found.usage
    rows = [
        _pair("tokens", ("in", _so_far(found, "input")), ("cached", tokens(usage.cached_input))),
        _pair("", ("out", _so_far(found, "output")), ("reasoning", tokens(usage.reasoning))),
        _row("run", cost(found.run_cost, estimated=found.run_estimated) + (" + this request" if found.coming else "")),
        _row("session", cost(found.session_cost, estimated=found.session_estimated)),
        _context(found, width),
        _row("speed", _speed(found)),
        _row("time", _time(found)),
    ]
    return Content("\n").join([row.truncate(width, ellipsis=True) for row in rows])


def meters_line(found: Totals, width: int) -> Content:
    """The same in one line, the most important first, because the end may be cut."""
    parts = [
        f"run {cost(found.run_cost, estimated=found.run_estimated)}",
        f"session {cost(found.session_cost, estimated=found.session_estimated)}",
        f"in {_so_far(found, 'input')} out {_so_far(found, 'output')}",
        f"context {_share(found)}",
        _speed(found) if found.speed is not None else "",
        duration(found.elapsed) if found.elapsed else "",
    ]
    line = ""
    for part in filter(None, parts):
        longer = f"{line} · {part}" if line else part
        if len(longer) > width:
            break
        line = longer
    return Content.styled(cut(line, width), "$muted")


def _so_far(found: Totals, what: Literal["input", "output"]) -> str:
    """Tokens with those of the open request, which are an estimate and say so."""
    known: int = getattr(found.usage, what)
    if found.coming is None:
        return tokens(known)
    return f"≈ {tokens(known + getattr(found.coming, what))}"


def _row(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<{_LABEL}}", "$muted"), (value, "$foreground"))


def _pair(name: str, left: tuple[str, str], right: tuple[str, str]) -> Content:
    return Content.assemble(
        (f"{name:<{_LABEL}}", "$muted"),
        (f"{left[0]:<4}", "$muted"),
        (f"{left[1]:<8}", "$foreground"),
        (f"{right[0]:<10}", "$muted"),
        (right[1], "$foreground"),
    )


def _context(found: Totals, width: int) -> Content:
    name = Content.styled(f"{'context':<{_LABEL}}", "$muted")
    if not found.context_window:
        used = f"{tokens(found.context_used)} of an unknown window" if found.context_used else "—"
        return name + Content.styled(used, "$foreground")
    share = found.context_used / found.context_window
    token = "meter-over" if share >= _OVER else "meter-warn" if share >= _WARN else "meter-ok"
    cells = 8 if width >= 34 else 5
    full = min(cells, max(1 if found.context_used else 0, round(share * cells)))
    return Content.assemble(
        name,
        ("━" * full, f"${token}"),
        ("━" * (cells - full), "$meter-track"),
        (f" {_share(found)}", "$foreground"),
    )


def _share(found: Totals) -> str:
    if not found.context_window:
        return f"{tokens(found.context_used)} of ?"
    share = found.context_used / found.context_window
    return f"{share:.0%} of {window(found.context_window)}"


def _speed(found: Totals) -> str:
    if found.speed is None:
        return "—"
    return f"{'≈ ' if found.speed_estimated else ''}{found.speed:.0f} tokens/s"


def _time(found: Totals) -> str:
    if not found.elapsed:
        return "—"
    if found.active is None or abs(found.active - found.elapsed) < 1:
        return duration(found.elapsed)
    return f"{duration(found.elapsed)}, active {duration(found.active)}"
