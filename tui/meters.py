"""Tokens, cost, context, speed and time: a pane, or one line where there is no room for it. Pure."""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len
from textual.content import Content

from runner.state import LedgerEntry
from runner.state.pace import Pace
from runner.usage import Cost
from tui.pacing import limit_rate, near_limit, nearest_words, rate_words
from tui.render.results import entries_of, list_words
from tui.setting_words import setting_words
from tui.view import Totals, View, totals
from tui.words import about, about_money, cost, count, cut, duration, tokens, window
from tui.words import seconds as whole_seconds

_LABEL = 8
_WARN, _OVER = 0.8, 0.95


def meters(found: Totals, width: int, height: int = 100, spark: str = "") -> Content:
    """The pane: one thing a line, its name first. What there is no line for is left out, the least important first.

    spark: the speed of the last minute, as blocks.
    """
    rows = [row for row in _rows(found, width, spark) if row is not None]
    kept = sorted(sorted(range(len(rows)), key=lambda index: rows[index][0])[: max(1, height)])
    return Content("\n").join([rows[index][1].truncate(width, ellipsis=True) for index in kept])


def _rows(found: Totals, width: int, spark: str) -> list[tuple[int, Content] | None]:
    """Each line with its rank: the ones with the smallest stay."""
    usage = found.usage
    new = _so_far(found, usage.input - usage.cached_input, "input")
    share = f" {usage.cached_input / usage.input:.0%}" if usage.input else ""
    cached = f"{_exactly(found, usage.cached_input)}{share}"
    run = cost(found.run_cost, estimated=found.run_estimated)
    turn = cost(found.turn_cost, estimated=found.turn_estimated)
    session = cost(found.session_cost, estimated=found.session_estimated)
    parts, todo, asked = _parts(found), _todo(found), setting_words(found.asked)
    return [
        (0, _pair("tokens", ("new", new), ("cached", cached))),
        (
            0,
            _pair("", ("out", _so_far(found, usage.output, "output")), ("reasoning", _exactly(found, usage.reasoning))),
        ),
        (0, _row("cost", _both(f"run {run}", f"turn {turn}", width))),
        (0, _row("session", _both(session, f"today {_today(found)}", width))),
        (1, _row("", f"plus {cost(found.inherited)} inherited")) if found.inherited != Cost() else None,
        (1, _row("pace", rate_words(found.pace))),
        (0, _limit(found.pace)),
        (0, _context(found, width)),
        (4, parts) if parts is not None else None,
        (1, _row("speed", f"{_speed(found)}{' ' if spark else ''}{spark}")),
        (3, _row("first", _first(found))),
        (2, _row("time", _time(found))),
        (1, todo) if todo is not None else None,
        (0, _row("asks", asked)) if asked else None,
    ]


def meters_line(found: Totals, width: int) -> Content:
    """The same in one line, the most important first, because the end may be cut."""
    pace = found.pace.usd_per_min
    same = found.session_cost == found.run_cost
    parts = [
        f"run {cost(found.run_cost, estimated=found.run_estimated)}",
        setting_words(found.asked),
        "" if same else f"session {cost(found.session_cost, estimated=found.session_estimated)}",
        f"inherited {cost(found.inherited)}" if found.inherited != Cost() else "",
        f"in {_so_far(found, found.usage.input, 'input')} out {_so_far(found, found.usage.output, 'output')}",
        f"context {_share(found)}",
        near_limit(found.pace),
        f"{about_money(pace)}/min" if pace else "",
        _speed(found) if found.speed is not None else "",
        duration(found.elapsed) if found.elapsed else "",
        f"today {_today(found)}" if found.today is not None else "",
        count(found.retries, "retry", "retries") if found.retries else "",
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


def _so_far(found: Totals, known: int, what: Literal["input", "output"]) -> str:
    """Tokens with those of the open request, which are an estimate and say so."""
    if found.coming is None:
        return _exactly(found, known)
    return about(known + getattr(found.coming, what))


def _exactly(found: Totals, known: int) -> str:
    """A sum that holds an estimate says so."""
    return about(known) if found.run_estimated and found.coming is None and known else tokens(known)


def _both(first: str, second: str, width: int) -> str:
    """Two values where there is room for both: no cost is shown in part."""
    together = f"{first} · {second}"
    return together if _LABEL + cell_len(together) <= width else first


def _row(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<{_LABEL}}", "$muted"), (value, "$foreground"))


def _pair(name: str, left: tuple[str, str], right: tuple[str, str]) -> Content:
    return Content.assemble(
        (f"{name:<{_LABEL}}", "$muted"),
        (f"{left[0]:<4}", "$muted"),
        (f"{left[1]:<7}", "$foreground"),
        (f"{right[0]:<10}", "$muted"),
        (right[1], "$foreground"),
    )


def _today(found: Totals) -> str:
    return "unknown" if found.today is None else cost(found.today, estimated=found.today_estimated)


def _todo(found: Totals) -> Content | None:
    """Where the list of what is to be done stands, as long as something of it is left."""
    entries = entries_of(found.todo) or []
    if all(entry.status == "done" for entry in entries):
        return None
    return _row("todo", list_words(entries))


def _read(found: Totals) -> LedgerEntry | None:
    """The request that the context is as it was after it; None after a summary, which shortened it."""
    last = found.last
    if last is None or last.purpose != "turn" or not last.usage.total:
        return None
    return last if found.coming is not None or last.usage.total == found.context_used else None


def _parts(found: Totals) -> Content | None:
    """What of the context the last request read again, read anew and wrote."""
    last = _read(found)
    if last is None:
        return None
    number = about if last.source == "estimated" else tokens
    new = last.usage.input - last.usage.cached_input
    words = f"cached {number(last.usage.cached_input)}, new {number(new)}, out {number(last.usage.output)}"
    return _row("", f"last {words}" if found.coming is not None else words)


def _bar(found: Totals, full: int) -> str:
    """The used cells: read from the cache, read anew, written; each kind has its sign."""
    last = _read(found)
    if last is None or found.coming is not None:
        return "━" * full
    cached = min(full, round(last.usage.cached_input / last.usage.total * full))
    wrote = min(full - cached, round(last.usage.output / last.usage.total * full))
    return "═" * cached + "━" * (full - cached - wrote) + "╸" * wrote


def _context(found: Totals, width: int) -> Content:
    name = Content.styled(f"{'context':<{_LABEL}}", "$muted")
    if not found.context_window:
        used = f"{_used(found)} of an unknown window" if found.context_used else "—"
        return name + Content.styled(used, "$foreground")
    share = found.context_used / found.context_window
    token = "meter-over" if share >= _OVER else "meter-warn" if share >= _WARN else "meter-ok"
    cells = 12 if width >= 40 else 8 if width >= 34 else 5
    full = min(cells, max(1 if found.context_used else 0, round(share * cells)))
    return Content.assemble(
        name,
        (_bar(found, full), f"${token}"),
        ("─" * (cells - full), "$meter-track"),
        (f" {_share(found)}", "$foreground"),
    )


def _share(found: Totals) -> str:
    if not found.context_window:
        return f"{_used(found)} of ?"
    share = found.context_used / found.context_window
    return f"{'~' if _guessed(found) else ''}{share:.0%} of {window(found.context_window)}"


def _guessed(found: Totals) -> bool:
    """Whether the used part of the context is an estimate: of the open request, of a cut one, of a summary."""
    if found.coming is not None or found.last is None:
        return found.coming is not None
    return found.last.source == "estimated" or (found.context_used > 0 and _read(found) is None)


def _used(found: Totals) -> str:
    return about(found.context_used) if _guessed(found) else tokens(found.context_used)


def _speed(found: Totals) -> str:
    if found.speed is None:
        return "—" if found.last is None else "unknown"
    return f"{'~' if found.speed_estimated else ''}{found.speed:.0f} tokens/s"


def _first(found: Totals) -> str:
    """How long the first token took, and how many attempts more than one there were."""
    again = count(found.retries, "retry", "retries")
    if found.waiting is not None:
        return f"no token yet, {whole_seconds(found.waiting)} · {again}"
    if found.first_token is None:
        return f"{'unknown' if found.last is not None else '—'} · {again}"
    return f"token after {duration(found.first_token)} · {again}"


def _time(found: Totals) -> str:
    if not found.elapsed:
        return "—"
    if found.active is None or abs(found.active - found.elapsed) < 1:
        return duration(found.elapsed)
    return f"{duration(found.elapsed)}, active {duration(found.active)}"
