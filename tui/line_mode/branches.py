"""`/rewind`, `/fork`, `/resume` and `/agent`: taking a session up again, by its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.review.resume import left_from_later, resume_message
from runner.review.turns import KINDS, Turn, prompt_of, turns
from tui.render.clean import visible
from tui.words import cost, count, cut, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.line_mode.table import Table

HOW = "/fork NUMBER goes on from there in a session of its own, /fork before NUMBER with that prompt to be asked anew"


class Branches:
    """The turns of the session, and forks of it. keep: gives the person a text for their next message."""

    def __init__(self, table: Table, keep: Callable[[str], None]) -> None:
        self._table = table
        self._keep = keep

    async def obey(self, argument: str) -> None:
        session_id = self._table.deck.session_id
        if session_id is None:
            self._table.say("nothing was said yet")
            return
        listed = await self._table.stored(lambda store: turns(store.facts(session_id, KINDS)))
        if not argument:
            self._table.tell([*(_line(turn) for turn in listed), HOW])
            return
        word, _, rest = argument.partition(" ")
        before = word == "before"
        number = rest.strip() if before else argument.strip()
        chosen = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0
        if not 0 < chosen <= len(listed):
            self._table.say(f"which turn? the session has {count(len(listed), 'turn')}; {HOW}")
        elif not before and not listed[chosen - 1].finished:
            self._table.say("this turn is not finished; a fork begins after a finished turn")
        else:
            await self._fork(session_id, listed, chosen, before=before)

    async def _fork(self, session_id: str, listed: list[Turn], number: int, *, before: bool) -> None:
        turn = listed[number - 1]
        start = (prompt_of(listed, number - 1) or listed[0]) if before else None
        after = number if start is None else start.number - 1
        run_id, last = (turn.run_id, turn.turn) if start is None else (start.run_id, start.turn - 1)
        made = await self._table.stored(lambda store: store.fork(session_id, run_id=run_id, turn=last))
        await self._table.open(made)
        if self._table.deck.session_id != made:
            return
        changed = [path for each in listed[after:] for path in each.files]
        if changed:
            self._table.deck.tell_model(made, left_from_later(list(dict.fromkeys(changed))))
            self._table.say("files stay as they are; the model is told which were changed later (/undo puts them back)")
        if start is not None and start.prompt:
            self._keep(start.prompt)


def _line(turn: Turn) -> str:
    said = f"> {turn.prompt}" if turn.prompt else f"  {turn.answer}"
    files = f", {count(len(turn.files), 'file')} changed" if turn.files else ""
    open_end = "" if turn.finished else ", not finished"
    return f"{turn.number:>4}. {cut(visible(one_line(said)), 80)} ({cost(turn.cost)}{files}{open_end})"


class Resume:
    def __init__(self, table: Table) -> None:
        self._table = table

    async def obey(self, argument: str) -> None:
        del argument
        view = self._table.deck.view()
        if not view.runs and view.recovered:
            await self._table.open(view.recovered)
            return
        text = resume_message(view.runs)
        if text:
            self._table.deck.send(text)


class Agents:
    def __init__(self, table: Table) -> None:
        self._table = table

    async def obey(self, argument: str) -> None:
        names = self._table.settings.agent_names()
        now = self._table.deck.view().agent
        if argument in names:
            self._table.deck.request.agent = argument
            self._table.say(f"{argument} from the next message on")
        else:
            wrong = f"there is no agent {argument!r}; " if argument else ""
            self._table.say(f"{wrong}agents: {', '.join(names)}; {now} answers now, /agent NAME changes that")
