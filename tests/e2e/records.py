"""What the program left on disk, read with the library."""

from __future__ import annotations

from pathlib import Path

from runner.state import CallItem, RunState, TextItem
from runner.store import SessionSummary, Store


class Records:
    """data: the program's data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def sessions(self) -> list[SessionSummary]:
        with Store.open(self._data / "quarterdeck.db") as store:
            return store.sessions()

    def runs(self) -> list[RunState]:
        """The runs of the newest session."""
        with Store.open(self._data / "quarterdeck.db") as store:
            return store.runs(store.sessions()[0].session_id)


def calls_of(run: RunState) -> list[CallItem]:
    return [item for item in (*run.settled, *run.live) if isinstance(item, CallItem)]


def text_of(run: RunState) -> str:
    """What the model said, as one line of words without the signs of Markdown."""
    texts = [item.text for item in (*run.settled, *run.live) if isinstance(item, TextItem) and item.what == "text"]
    return plain(" ".join(texts))


def plain(text: str) -> str:
    return " ".join(text.replace("#", "").replace("*", "").split())
