"""`/processes`: what runs in the background of the session, what it printed, and its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.line_mode.cards import bar
from tui.render.clean import clean_output, visible
from tui.words import count, cut, duration, one_line

if TYPE_CHECKING:
    from runner.tools.background import Background, BackgroundProcess
    from tui.line_mode.table import Table

NOTHING = "nothing runs in the background of this session"
HOW = "/processes NUMBER shows what one printed; /processes stop NUMBER ends one, /processes stop all ends all"

_BY = {
    "agent": "ended by the agent",
    "user": "ended by you",
    "run": "ended with its run",
    "session": "ended with the session",
}


class Processes:
    def __init__(self, table: Table) -> None:
        self._table = table

    async def obey(self, argument: str) -> None:
        processes, session = self._table.engine.processes, self._table.deck.session_id
        found = [] if processes is None or session is None else list(processes.listed(session))
        word, _, rest = " ".join(argument.split()).partition(" ")
        if processes is None or not found:
            self._table.say(NOTHING)
        elif not word:
            self._table.tell([*(process_line(one, datetime.now(UTC)) for one in found), HOW])
        elif word == "stop":
            self._stop(processes, found, rest)
        elif (one := chosen(found, argument.strip())) is None:
            self._table.say("there is no such process; /processes lists them")
        else:
            text = clean_output(await asyncio.to_thread(processes.output, one.process_id)).strip("\n")
            body = bar(text, whole=True) if text else ["it printed nothing"]
            self._table.tell([process_line(one, datetime.now(UTC), last=False), *body])

    def _stop(self, processes: Background, found: list[BackgroundProcess], which: str) -> None:
        one = chosen(found, which)
        if one is None and which != "all":
            self._table.say("which one? /processes lists them; /processes stop and its number, or all")
            return
        wanted = [one] if one is not None else found
        ending = [each for each in wanted if processes.stop(each.process_id)]
        if not ending:
            self._table.say("it has ended already" if one is not None else NOTHING)
        elif one is not None:
            self._table.say(f"ending {one_line(one.name)}")
        else:
            self._table.say(f"ending {count(len(ending), 'process', 'processes')}")


def chosen(found: list[BackgroundProcess], words: str) -> BackgroundProcess | None:
    """By its number, which is that of its id, or its name where only one has it."""
    named = [one for one in found if words.lower() in (one.process_id, _number(one))]
    named = named or [one for one in found if words == one.name]
    return named[0] if len(named) == 1 else None


def _number(process: BackgroundProcess) -> str:
    return process.process_id.removeprefix("p")


def process_line(process: BackgroundProcess, now: datetime, *, last: bool = True) -> str:
    """Clean: its number, name and state, for how long, and what it printed last."""
    took = duration(((process.ended or now) - process.started).total_seconds())
    state = {"running": f"running for {took}", "ending": "ending"}.get(process.state)
    if state is None:
        end = f"exit code {process.exit_code}" if process.exit_code is not None else process.signal or "over"
        by = _BY.get(process.stopped_by, "")
        state = f"ended after {took}, {end}{f', {by}' if by else ''}"
    parts = [f"{process.name}: {state}", f"pid {process.pid}", f"command: {cut(one_line(process.command), 160)}"]
    head = visible(one_line("; ".join(parts)))
    printed = one_line(clean_output(process.last_line)) if last else ""
    return f"{visible(_number(process))}. {head}{f'; last line: {cut(printed, 160)}' if printed else ''}"
