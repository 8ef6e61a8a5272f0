"""`/undo`: the turns that changed files, what putting them back would change, and doing that after a yes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from runner.undo.plan import SETTLED, Selection
from tui.line_mode.cards import bar
from tui.render.clean import visible
from tui.undo_words import diff_body, outcome_words, remarks, shown_path
from tui.undoing import Undoing
from tui.words import ago, count, cut, one_line

if TYPE_CHECKING:
    from runner.undo.history import History, TurnChanges
    from tui.line_mode.table import Table
    from tui.undoing import Shown

Sure = Literal["", "yes", "force"]

MOST_LINES = 120
"""Of a file's diff where several files are shown; one file alone is shown whole."""

NAMES = 6
HOW = "/undo NUMBER shows what putting it back changes, and asks; /undo NUMBER FILE only that file of it"
SINCE = "/undo since NUMBER takes the later turns too"
_WISH = re.compile(r"(?:(?:(?P<since>since )?(?P<number>\d{1,6})|(?P<redo>redo))(?= |\Z))?(?: ?(?P<path>\S.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """number: of a turn. since: with the later ones. path: only this file. sure: said with the command already."""

    number: int | None = None
    since: bool = False
    redo: bool = False
    path: str = ""
    sure: Sure = ""


def read_wish(text: str) -> Wish:
    """ "3", "since 3", "3 notes.txt", "notes.txt", "redo", and "yes" or "force" at the end."""
    rest = " ".join(text.split())
    sure: Sure = ""
    for word in ("yes", "force"):
        if rest.endswith(f" {word}"):
            rest, sure = rest.removesuffix(f" {word}"), word
    found = _WISH.fullmatch(rest)
    if found is None:
        return Wish()
    return Wish(
        number=int(found["number"]) if found["number"] else None,
        since=bool(found["since"]),
        redo=bool(found["redo"]),
        path=found["path"] or "",
        sure=sure,
    )


class PuttingBack:
    def __init__(self, table: Table) -> None:
        self._table = table

    async def obey(self, argument: str) -> None:
        session_id = self._table.deck.session_id
        if session_id is None:
            return
        undoing = Undoing(self._table, session_id)
        history = await undoing.load()
        if not history.turns:
            self._table.say("nothing was changed in this session yet, or nothing that was kept")
        elif not argument:
            self._table.tell(turn_lines(history, self._folder, datetime.now(UTC)))
        else:
            await self._wished(undoing, history, read_wish(argument))

    @property
    def _folder(self) -> str:
        return self._table.deck.view().workspace

    async def _wished(self, undoing: Undoing, history: History, wish: Wish) -> None:
        selection = self._selection(history, wish)
        if isinstance(selection, str):
            self._table.say(selection)
            return
        shown = await undoing.plan(selection)
        lines = plan_lines(shown, self._folder)
        ready, conflicts = len(shown.plan.ready), len(shown.plan.conflicts)
        why = undoing.busy()
        if why or not (ready or conflicts):
            self._table.tell([*lines, visible(why or _nothing_words(shown))])
            return
        sure = await self._sure(wish, lines, ready, conflicts)
        # What was looked at before the question may run now.
        if why := undoing.busy():
            self._table.say(why)
        elif sure == "force" or (sure == "yes" and ready):
            force = frozenset(file.path for file in shown.plan.conflicts) if sure == "force" else frozenset[str]()
            outcome = await undoing.restore(shown.plan, force)
            self._table.say(outcome_words(outcome, self._folder, redo=wish.redo))
        else:
            self._table.say("nothing was put back")

    async def _sure(self, wish: Wish, lines: list[str], ready: int, conflicts: int) -> Sure:
        ways = [f"yes ({count(ready, 'file')})"] if ready else []
        if conflicts:
            ways.append(f"force (also {count(conflicts, 'file')} with a conflict, over what is there now)")
        if wish.sure or self._table.console.scripted:
            self._table.tell(lines)
            if not wish.sure:
                self._table.say(f"to do it, write the same command with {' or '.join(ways)} at its end")
            return wish.sure
        asked = "do that again?" if wish.redo else "put that back?"
        answer = await self._table.ask([*lines, f"answer with: {', '.join([*ways, 'no'])}"], asked)
        return "yes" if answer in ("y", "yes") else "force" if answer == "force" and conflicts else ""

    def _selection(self, history: History, wish: Wish) -> Selection | str:
        """What is meant, or why it is not understood."""
        if wish.redo:
            last = history.redoable
            return Selection(restore=last.id) if last is not None else "nothing was put back that could be done again"
        turn = _turn(history, wish, self._folder)
        if turn is None:
            if wish.number is not None:
                return f"there is no turn {wish.number} that changed files; /undo lists them"
            return f"no turn changed a file {one_line(wish.path)}; /undo lists them"
        turns = history.since(turn.key) if wish.since else frozenset({turn.key})
        if not wish.path:
            return Selection(turns=turns)
        paths = _named(turn.paths, wish.path, self._folder)
        if wish.since:
            paths = _named([path for each in history.turns for path in each.paths], wish.path, self._folder)
        if len(paths) != 1:
            return f"turn {turn.number} changed {'several files' if paths else 'no file'} of that name"
        return Selection(turns=turns, paths=paths)


def _turn(history: History, wish: Wish, folder: str) -> TurnChanges | None:
    if wish.number is not None:
        return next((turn for turn in history.turns if turn.number == wish.number), None)
    return next((turn for turn in reversed(history.turns) if _named(turn.paths, wish.path, folder)), None)


def _named(paths: Sequence[str], name: str, folder: str) -> frozenset[str]:
    """The path itself as it is shown, else those that end with it."""
    exact = frozenset(path for path in paths if name in (path, shown_path(path, folder)))
    return exact or frozenset(path for path in paths if path.endswith(f"/{name}"))


def turn_lines(history: History, folder: str, now: datetime) -> list[str]:
    """The turns that changed files, the newest last, clean."""
    lines: list[str] = []
    for turn in history.turns:
        names = [visible(one_line(shown_path(path, folder))) for path in turn.paths]
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        files = f"{', '.join(names[:NAMES])}{more}" if names else "nothing kept"
        when = ago(datetime.fromtimestamp(turn.time, UTC), now)
        lines.append(f"{turn.number}. {when}: {cut(visible(one_line(turn.prompt)), 80) or '(no message)'}; {files}")
    redo = "; /undo redo does again what was put back last" if history.redoable is not None else ""
    return [*lines, HOW, f"{SINCE}{redo}"]


def plan_lines(shown: Shown, folder: str) -> list[str]:
    """What putting it back changes, file by file, clean and behind a bar."""
    lines = [f"turn {turn.number}: {cut(visible(one_line(turn.prompt)), 100)}" for turn in shown.plan.turns]
    alone = len(shown.plan.files) == 1
    for file, diff in shown.diffs:
        if file.state in SETTLED and not alone:
            continue
        body = bar(diff_body(file, diff, folder, 0).plain, whole=True)
        left = 0 if alone else len(body) - MOST_LINES
        lines += body[:MOST_LINES] if left > 0 else body
        if left > 0:
            name = visible(one_line(shown_path(file.path, folder)))
            lines.append(f"({count(left, 'more line')}; with {name} after the number it is shown whole)")
    if len(shown.plan.files) > len(shown.diffs):
        lines.append(f"(and {count(len(shown.plan.files) - len(shown.diffs), 'more file')})")
    return [*lines, *remarks(shown.plan.turns)]


def _nothing_words(shown: Shown) -> str:
    files = shown.plan.files
    if any(file.state in ("lost", "blocked") for file in files):
        return "this cannot be put back"
    return "everything of it is as it was" if files else "nothing of it was kept"
