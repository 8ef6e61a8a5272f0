"""When what happened in a session, as a picture of three lanes in SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain
from typing import Final

from runner.state import CallItem, RunState
from runner.state.spans import Span
from runner.store.export import plain

_LEFT, _WIDTH, _LANE, _BAR = 70.0, 930.0, 26.0, 14.0
_NARROWEST: Final = 1.5
_LANES: Final = {"Model": ("request", "compaction", "sampling"), "Tools": ("tool",), "Waiting": ()}
"""The last one has everything else: approvals, questions, limits, pauses, and waits before a retry."""

MOST_BARS: Final = 4000
"""More would be a page that no browser scrolls well; the longest are drawn."""


def picture(runs: Sequence[RunState]) -> str:
    """ "" where nothing took time. What lay between two runs is left out."""
    lengths = [max(0.0, state.last_mono - state.started_mono) for state in runs]
    whole = sum(lengths)
    if whole <= 0:
        return ""
    scale, height = _WIDTH / whole, _LANE * len(_LANES) + 18
    bars: list[tuple[float, str]] = []
    marks: list[str] = []
    offset = 0.0
    for state, length in zip(runs, lengths, strict=True):
        if offset:
            x = _LEFT + offset * scale
            marks.append(f'<line class="run" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 18}"/>')
        bars.extend(_bars(state, offset - state.started_mono, scale))
        offset += length
    drawn = sorted(bars, key=lambda bar: -bar[0])[:MOST_BARS]
    tracks = "".join(_track(number, name) for number, name in enumerate(_LANES))
    axis = (
        f'<text x="{_LEFT}" y="{height - 4}">0 s</text>'
        f'<text x="{_LEFT + _WIDTH}" y="{height - 4}" text-anchor="end">{_time(whole)}</text>'
    )
    return (
        f'<div class="scroll"><svg viewBox="0 0 1000 {height:.0f}" role="img" aria-label="When what happened">'
        f"{tracks}{''.join(marks)}{''.join(bar for _, bar in drawn)}{axis}</svg></div>\n"
    )


def _track(number: int, name: str) -> str:
    y = number * _LANE
    return (
        f'<rect class="track" x="{_LEFT}" y="{y + 4}" width="{_WIDTH}" height="{_BAR + 4}"/>'
        f'<text x="0" y="{y + 17}">{name}</text>'
    )


def _bars(state: RunState, shift: float, scale: float) -> Iterator[tuple[float, str]]:
    names = {item.call_id: item.tool for item in chain(state.settled, state.live) if isinstance(item, CallItem)}
    for span in chain(state.times.closed, state.times.open):
        end = state.last_mono if span.end is None else span.end
        seconds = max(0.0, end - span.start)
        lane = next((number for number, kinds in enumerate(_LANES.values()) if span.kind in kinds), len(_LANES) - 1)
        x, width = _LEFT + (span.start + shift) * scale, max(_NARROWEST, seconds * scale)
        words = " ".join(filter(None, (_name(span, names), span.outcome, _time(seconds))))
        yield (
            seconds,
            f'<rect class="{_style(span, lane)}" x="{x:.2f}" y="{lane * _LANE + 6:.0f}" width="{width:.2f}"'
            f' height="{_BAR:.0f}"><title>{escape(plain(words))}</title></rect>',
        )


def _name(span: Span, names: dict[str, str]) -> str:
    return names.get(span.call_id, "") or (span.key if span.kind == "request" else span.kind)


def _style(span: Span, lane: int) -> str:
    if lane == 0:
        return "failed" if span.outcome not in ("", "interrupted") else "model"
    if lane == 1:
        return "tool" if span.outcome in ("", "ok") else "failed"
    return "person"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
