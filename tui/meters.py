"""Tokens, cost, context, speed and time: a pane, or one line where there is no room for it. Pure."""

from __future__ import annotations

from typing import Literal

from textual.content import Content

from runner.state.pace import Pace
from tui.pacing import limit_rate, near_limit, nearest_words, rate_words
from tui.view import Totals, View, totals
from tui.words import about, about_money, cost, cut, duration, tokens, window

_LABEL = 8
_WARN, _OVER = 0.8, 0.95


def meters(found: Totals, width: int) -> Content:
    """The pane: one thing a line, its name first."""
    usage = found.usage
    rows = [
        _pair("tokens", ("in", _so_far(found, "input")), ("cached", tokens(usage.cached_input))),
        _pair("", ("out", _so_far(found, "output")), ("reasoning", tokens(usage.reasoning))),
        _row("run", cost(found.run_cost, estimated=found.run_estimated)),
        _row("session", cost(found.session_cost, estimated=found.session_estimated)),
        _row("pace", rate_words(found.pace)),
        _limit(found.pace),
        _context(found, width),
        _row("speed", _speed(found)),
        _row("time", _time(found)),
    ]
    return Content("\n").join([row.truncate(width, ellipsis=True) for row in rows])


def meters_line(found: Totals, width: int) -> Content:
    """The same in one line, the most important first, because the end may be cut."""
    pace = found.pace.usd_per_min
    same = found.session_cost == found.run_cost
    parts = [
        f"run {cost(found.run_cost, estimated=found.run_estimated)}",
        "" if same else f"session {cost(found.session_cost, estimated=found.session_estimated)}",
        f"in {_so_far(found, 'input')} out {_so_far(found, 'output')}",
        f"context {_share(found)}",
        near_limit(found.pace),
        f"{about_money(pace)}/min" if pace else "",
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


def pace_words(view: View, limit: str) -> str:
    """What of a limit a minute of this run uses, in one sentence; "" where nothing is known."""
    return limit_rate(totals(view).pace, limit)


def _limit(found: Pace) -> Content:
    """The limit that comes first, coloured when it is near."""
    fullest = max((ahead.share for ahead in found.ahead), default=0.0)
    token = "meter-over" if fullest >= 1 else "meter-warn" if near_limit(found) else "foreground"
    return Content.assemble((f"{'limit':<{_LABEL}}", "$muted"), (nearest_words(found), f"${token}"))


def _so_far(found: Totals, what: Literal["input", "output"]) -> str:
    """Tokens with those of the open request, which are an estimate and say so."""
    known: int = getattr(found.usage, what)
    if found.coming is None:
        return about(known) if found.run_estimated else tokens(known)
    return about(known + getattr(found.coming, what))


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
        used = f"{_used(found)} of an unknown window" if found.context_used else "—"
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
        return f"{_used(found)} of ?"
    share = found.context_used / found.context_window
    return f"{'~' if found.coming else ''}{share:.0%} of {window(found.context_window)}"


def _used(found: Totals) -> str:
    return about(found.context_used) if found.coming else tokens(found.context_used)


def _speed(found: Totals) -> str:
    if found.speed is None:
        return "—"
    return f"{'~' if found.speed_estimated else ''}{found.speed:.0f} tokens/s"


def _time(found: Totals) -> str:
    if not found.elapsed:
        return "—"
    if found.active is None or abs(found.active - found.elapsed) < 1:
        return duration(found.elapsed)
    return f"{duration(found.elapsed)}, active {duration(found.active)}"
