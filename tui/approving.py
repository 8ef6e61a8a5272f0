"""The words around a call that asks: how risky, who wants it, how long it waits, and who waits behind it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from textual.content import Content

from tui.marked import marked
from tui.preview import who_asks
from tui.words import count, cut, one_line, seconds

if TYPE_CHECKING:
    from runner.state import ApprovalView, CallItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the card tells besides the call. run: which run of the session, from 1. elsewhere: approvals that wait in
    other sessions. refused: why the run refused an answer, by the id of its request. sent: requests whose answer is on
    its way.
    """

    run: int = 1
    elsewhere: int = 0
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sent: frozenset[str] = frozenset()


def risk_line(approval: ApprovalView, around: Around, now: float) -> Content:
    """Risk with its reasons, then who wants it and how long it waits; now: of the clock that `mono` comes from."""
    parts: list[Content] = []
    if approval.asks == "call":
        reasons = f": {', '.join(one_line(reason) for reason in approval.risks)}" if approval.risks else ""
        parts.append(marked(f"{approval.risk} risk{reasons}", f"bold $risk-{approval.risk}"))
    who = f"agent {one_line(approval.agent)}, run {around.run}" if approval.agent else f"run {around.run}"
    asks = f"{one_line(approval.tool)} asks, " if approval.asks == "question" and not who_asks(approval) else ""
    parts.append(marked(f"{asks}{who}", "$muted"))
    left = countdown(approval, now)
    if left:
        parts.append(Content.styled(left, "$state-waiting"))
    return Content.styled(" · ", "$muted").join(parts)


def countdown(approval: ApprovalView, now: float) -> str:
    """How long the question still waits, "" where it waits for ever."""
    left = seconds_left(approval, now)
    if left is None:
        return ""
    if left <= 0:
        return "its time is over"
    return f"denied by itself in {seconds(left + 0.999)}"


def seconds_left(approval: ApprovalView, now: float) -> float | None:
    if approval.expires_at is None:
        return None
    return approval.mono + (approval.expires_at - approval.time).total_seconds() - now


def behind(others: Sequence[CallItem], elsewhere: int, width: int) -> str:
    """Who else waits, in at most so many cells: "then shell (2), write_file · 1 in another session"; not clean."""
    tools = Counter(one_line(call.tool) or "a tool" for call in others)
    names = [f"{tool} ({number})" if number > 1 else tool for tool, number in tools.items()]
    far = f"{elsewhere} in other sessions" if elsewhere > 1 else "1 in another session" if elsewhere else ""
    near = f"then {', '.join(names)}" if names else ""
    words = " · ".join(part for part in (near, far) if part)
    if len(words) > width and near:
        near = f"{count(len(others), 'other')} behind it"
        words = " · ".join(part for part in (near, far) if part)
    return cut(words, width)
