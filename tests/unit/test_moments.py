"""What the line above an item says: when it was, how long it took, what its request cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runner.events import ModelResponded, ReasoningDelta, ToolFinished, ToolProposed, ToolStarted, TurnFinished
from runner.usage import Usage
from tests.tui.transcript_runs import BEGINNING, Feed
from tui.render.document import Document
from tui.render.model import TranscriptModel


def stamps(model: TranscriptModel) -> list[str]:
    return [model.stamp(index) for index in range(len(model.document.sections))]


def at(seconds: float) -> str:
    return f"{(BEGINNING + timedelta(seconds=seconds)).astimezone():%H:%M:%S}"


def test_a_request_is_told_once_and_the_day_where_it_begins() -> None:
    feed = Feed()
    feed.begin()
    feed(ReasoningDelta(text="hm"))
    model = TranscriptModel(Document(80))
    model.show([feed.state])
    day = f"{BEGINNING.astimezone():%a %d %b %Y}"
    assert stamps(model) == [f"{day} {at(0.5)}", f"{at(2)} · demo/pilot"]
    feed(
        ModelResponded(
            model="m", reasoning="hm", text="yes", usage=Usage(input=1200, output=34), usage_source="reported",
            cost_usd=Decimal("0.0125"), seconds=2.0, reasoning_seconds=0.5,
        ),
        ToolProposed(call_id="c", tool="shell", arguments={"command": "ls"}),
        ToolStarted(call_id="c", tool="shell"),
        ToolFinished(call_id="c", tool="shell", seconds=0.25),
        TurnFinished(),
    )  # fmt: skip
    feed.mono += 24 * 3600
    feed.begin()
    feed(ModelResponded(model="m", text="no price", usage=Usage(input=5), usage_source="estimated", seconds=1.0))
    model.show([feed.state])
    later = BEGINNING + timedelta(seconds=feed.mono)
    assert stamps(model)[1:] == [
        f"{at(2.5)} · 0.5 s",
        f"{at(2.5)} · 2.0 s · m · in 1.2k out 34 · $0.0125",
        f"{at(3)} · 0.2 s",
        f"{later.astimezone():%a %d %b %Y} {at(feed.mono)} · 1.0 s · m · in ~5 out ~0 · cost unknown",
    ]
