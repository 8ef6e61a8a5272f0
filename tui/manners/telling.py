"""Keeps title, progress and notices in step with what the screen shows."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from tui.manners.abilities import Abilities, NoticeKind, outer_notice
from tui.manners.sequences import (
    BELL,
    NO_PROGRESS,
    POP_TITLE,
    PUSH_TITLE,
    ProgressKind,
    notice,
    progress,
    through_tmux,
    title,
)
from tui.manners.words import Told, folder_name, news, title_text, told

if TYPE_CHECKING:
    from tui.settings.values import TerminalSettings
    from tui.view import View

TITLE_EVERY: Final = 0.3
"""Seconds between two changes of the title."""

NOTICE_EVERY: Final = 10.0
"""Seconds between two notices, and between two bells."""

PROGRESS_AGAIN: Final = 10.0
"""Seconds after which the same progress is sent again: some terminals take it away when they hear nothing for long."""

_RUNS_KEPT: Final = 64
_TMUX: Final = "#{allow-passthrough}|#{client_termtype}|#{client_termname}"


class Terminal(Protocol):
    """What is told: `greeting` is written whenever the screen is taken, `farewell` before it is given back."""

    greeting: str
    farewell: str

    def write(self, data: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """now: seconds. later: call after so many of them. focused: whether the window has the focus. ask_tmux: calls back
    with what tmux says of itself and of the terminal around it."""

    now: Callable[[], float]
    later: Callable[[float, Callable[[], None]], None]
    focused: Callable[[], bool]
    ask_tmux: Callable[[Callable[[str], None]], None]


class Telling:
    """show() with each view. Nothing ticks here by itself while nothing changes."""

    def __init__(
        self,
        terminal: Terminal,
        can: Abilities,
        wants: TerminalSettings,
        around: Surroundings,
        *,
        folder: str,
    ) -> None:
        self._terminal = terminal
        self._around = around
        self._folder = folder
        self._title = can.title and wants.title
        self._progress = can.progress and wants.progress
        self._kind: NoticeKind = can.notice if wants.notices else ""
        self._ask_tmux = can.tmux and wants.notices
        self._bell = wants.bell if can.bell else "off"
        self._told = Told()
        self._seen: deque[str] = deque(maxlen=_RUNS_KEPT)
        self._titled = ""
        self._next_title = float("-inf")
        self._next_notice = float("-inf")
        self._progressed: ProgressKind = ""
        self._progressed_at = 0.0
        self._news = ""
        self._title_due = self._notice_due = False
        self._set_title()

    def show(self, view: View) -> None:
        before, self._told = self._told, told(view)
        if before != self._told:
            self._note(before)
            if self._title:
                self._retitle()
        if self._progress:
            self._reprogress()

    def _note(self, before: Told) -> None:
        """What is news, unless the person is here and sees it."""
        now = self._told
        found = news(before, now, self._seen)
        run_id = now.ended[0]
        # The end of a run that was there before this program's first look is nothing that happened here.
        watched = before.words not in ("starting", "ready") or before.asked
        if run_id and run_id not in self._seen:
            self._seen.append(run_id)
            if not watched and not now.asked:
                found = ""
        if found:
            self._news = found
        elif self._news and before.waits and not now.waits and self._news == before.waits:
            # Answered before it was told.
            self._news = ""
        if self._news:
            self._tell_news()

    def _tell_news(self) -> None:
        focused = self._around.focused()
        if focused and self._bell != "always":
            self._news = ""
            return
        wait = self._next_notice - self._around.now()
        if wait > 0:
            if not self._notice_due:
                self._notice_due = True
                self._around.later(wait, self._notice_later)
            return
        self._next_notice = self._around.now() + NOTICE_EVERY
        said, self._news = f"{self._news} - {folder_name(self._folder)}", ""
        if self._bell == "always" or (self._bell == "unfocused" and not focused):
            self._terminal.write(BELL)
        if focused:
            return
        if self._kind:
            self._terminal.write(notice(self._kind, said))
        elif self._ask_tmux:
            self._around.ask_tmux(lambda answer: self._send_through_tmux(answer, said))

    def _notice_later(self) -> None:
        self._notice_due = False
        if self._news:
            self._tell_news()

    def _send_through_tmux(self, answer: str, said: str) -> None:
        sequence = notice(outer_notice(answer), said)
        if sequence and not self._around.focused():
            self._terminal.write(through_tmux(sequence))

    def _retitle(self) -> None:
        if title_text(self._told, self._folder) == self._titled or self._title_due:
            return
        wait = self._next_title - self._around.now()
        if wait > 0:
            self._title_due = True
            self._around.later(wait, self._title_later)
        else:
            self._next_title = self._around.now() + TITLE_EVERY
            self._terminal.write(self._set_title())

    def _title_later(self) -> None:
        self._title_due = False
        self._retitle()

    def _set_title(self) -> str:
        """The sequence, also kept for when the screen is taken again."""
        if not self._title:
            self._terminal.farewell = NO_PROGRESS if self._progress else ""
            return ""
        self._titled = title_text(self._told, self._folder)
        sequence = title(self._titled)
        self._terminal.greeting = PUSH_TITLE + sequence
        # A terminal without a stack of titles is left with an empty one, which means its own.
        self._terminal.farewell = (NO_PROGRESS if self._progress else "") + title("") + POP_TITLE
        return sequence

    def _reprogress(self) -> None:
        kind, now = self._told.progress, self._around.now()
        again = kind in ("busy", "waiting") and now - self._progressed_at >= PROGRESS_AGAIN
        if kind != self._progressed or again:
            self._progressed, self._progressed_at = kind, now
            self._terminal.write(progress(kind))


async def ask_tmux(environ: Mapping[str, str]) -> str:
    """What tmux says of itself, "" where it says nothing within a second."""
    pane = environ.get("TMUX_PANE", "")
    command = ["tmux", "display-message", "-p", *(["-t", pane] if pane else []), _TMUX]

    def run() -> str:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=1,
                check=False,
                env={**environ, "PATH": environ.get("PATH", os.defpath)},
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf-8", "replace")

    return await asyncio.to_thread(run)
