"""What runs in the background of the session: since when, what it printed last; its output, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widgets import Input

from runner.tools.background import BackgroundProcess
from tui.fuzzy import best
from tui.render.clean import clean, visible
from tui.screens.picker import MOST_ROWS, Picker
from tui.screens.viewer import MOST_CHARACTERS, Viewer
from tui.widgets.rows import Rows
from tui.words import count, duration, fit, one_line

if TYPE_CHECKING:
    from runner.tools.background import Background
    from tui.desk import Desk

LOOK = 0.5
"""Seconds between two looks while the list is open."""

_STATES = {"running": ("● running", "state-running"), "ending": ("◌ ending", "state-stopping")}
_BY = {
    "agent": "ended by the agent",
    "user": "ended by you",
    "run": "ended with its run",
    "session": "ended with the session",
}


def open_processes(desk: Desk, argument: str) -> None:
    desk.host.show_screen(ProcessesScreen(desk))


def state_words(process: BackgroundProcess) -> tuple[str, str]:
    """The state with its sign, and the theme variable."""
    if process.state != "ended":
        return _STATES[process.state]
    if process.exit_code is not None:
        return ("✓ exit 0", "state-ok") if process.exit_code == 0 else (f"✗ exit {process.exit_code}", "state-failed")
    return f"✗ {process.signal or 'ended'}", "state-cancelled" if process.stopped_by else "state-failed"


class ProcessRows(Rows):
    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = now

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, BackgroundProcess)
        word, token = state_words(row)
        took = duration(((row.ended or self._clock()) - row.started).total_seconds())
        name = fit(visible(one_line(row.name)), 22 if width >= 70 else 14)
        pid = f" {row.pid:>8}" if width >= 96 else ""
        left = f" {fit(row.process_id, 4)}{name}{pid} "
        right = f" {took:>8} "
        last = fit(clean(one_line(row.last_line)), max(0, width - len(left) - 11 - len(right)))
        content = Content.assemble(
            (left, "$foreground"), (fit(word, 11), f"${token}"), (last, "$muted"), (right, "$muted")
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class ProcessesScreen(Picker[None]):
    KEYS: ClassVar[Mapping[str, str]] = {"list.delete": "stop", "list.delete_all": "stop_all"}
    TITLE_TEXT = "In the background"
    SUBTITLE = "processes of this session; they end with it"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._doomed = False

    def make_rows(self) -> Rows:
        return ProcessRows(lambda: datetime.now(UTC), id="picker-rows")

    def hint(self) -> str:
        more = self.keys_of(("list.delete", "ends it"), ("list.delete_all", "ends all"), ("list.close", "closes"))
        return f"enter shows its output · {more}"

    def start(self) -> None:
        super().start()
        self.set_interval(LOOK, self._look_again)

    async def load(self) -> Sequence[object]:
        return self._found()

    def _found(self) -> Sequence[BackgroundProcess]:
        """Those that run first, the newest first among them."""
        processes, session = self._processes(), self._desk.deck.view().session_id
        found = [] if processes is None or session is None else [*reversed(processes.listed(session))]
        return sorted(found, key=lambda process: process.state == "ended")

    def _processes(self) -> Background | None:
        return self._desk.engine.processes

    def _look_again(self) -> None:
        """New states and lines; the selected process stays selected where its row moves, and a question stays asked."""
        had, chosen = bool(self.items), self._list.row
        wanted = chosen.process_id if isinstance(chosen, BackgroundProcess) else ""
        self.items = self._found()
        rows = best(self.query_one(Input).value, self.items, self.search_text, MOST_ROWS)
        ids = [item.process_id for item in rows]
        self._list.selected = ids.index(wanted) if wanted in ids else min(self._list.selected, len(ids) - 1)
        self._list.set_rows(rows)
        if had != bool(self.items):
            self.show_detail()

    def search_text(self, item: object) -> str:
        assert isinstance(item, BackgroundProcess)
        return f"{item.process_id} {item.name} {item.command} {item.state}"

    def show_detail(self) -> None:
        self._doomed = False
        if self._list.row is None and not self.items:
            self.say("nothing runs in the background of this session")
            return
        super().show_detail()

    def detail(self, item: object | None) -> Content:
        if not isinstance(item, BackgroundProcess):
            return Content("")
        network = "with network" if item.network else "no network"
        parts = [
            visible(one_line(item.command)),
            f"pid {item.pid}",
            f"since {item.started.astimezone():%H:%M:%S}",
            f"sandbox, {network}" if item.sandboxed else "",
            _BY.get(item.stopped_by, "") if item.state == "ended" else "",
        ]
        return Content.styled(" · ".join(filter(None, parts)), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, BackgroundProcess)
        processes = self._processes()
        if processes is not None:
            self.run_worker(self._show(processes, item), group="output", exit_on_error=False)

    async def _show(self, processes: Background, item: BackgroundProcess) -> None:
        text = await asyncio.to_thread(processes.output, item.process_id)
        word, token = state_words(item)
        title = Content.assemble((visible(one_line(item.name)), "bold $foreground"), (f"  {word}", f"${token}"))
        body = Content.styled(clean(text[-MOST_CHARACTERS:]) or "it printed nothing", "$foreground")
        self._desk.host.show_screen(Viewer(title, body))

    def action_stop(self) -> None:
        row, processes = self._list.row, self._processes()
        if not isinstance(row, BackgroundProcess) or processes is None:
            return
        asked = processes.stop(row.process_id)
        self._look_again()
        self.say(f"ending {row.name}" if asked else f"{row.name} has ended already", "state-waiting")

    def action_stop_all(self) -> None:
        """After asking once; a move or a letter in between keeps them."""
        processes = self._processes()
        running = [item for item in self._found() if item.state == "running"]
        if processes is None or not running:
            self.say("nothing runs in the background of this session")
        elif not self._doomed:
            self._doomed = True
            many = count(len(running), "process", "processes")
            self.say(
                f"end {many}? {self.key_of('list.delete_all')} again does it, any move keeps them", "state-waiting"
            )
        else:
            for item in running:
                processes.stop(item.process_id)
            self._look_again()
            self.say(f"ending {count(len(running), 'process', 'processes')}", "state-waiting")
