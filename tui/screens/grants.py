"""All that counts beyond one call, on one screen: what it covers, how much of it is left, what it decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Input

from runner.errors import QuarterdeckError
from tui.grant_words import scope_words
from tui.render.clean import clean, visible
from tui.revoking import Revoker
from tui.screens.picker import Picker
from tui.standing import Entry, Standing
from tui.widgets.rows import Rows
from tui.words import ago, count, cut, fit, one_line

if TYPE_CHECKING:
    from tui.desk import Desk

_EFFECTS = {"allow": ("✓ allow", "state-ok"), "deny": ("✗ deny", "state-failed"), "ask": ("? ask", "state-waiting")}


def open_grants(desk: Desk, argument: str) -> None:
    """argument: what to look for."""
    desk.host.show_screen(GrantsScreen(desk, argument))


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


class GrantRows(Rows):
    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = now

    def selectable(self, row: object) -> bool:
        return isinstance(row, Entry)

    def draw(self, row: object, width: int, selected: bool) -> Content:
        if isinstance(row, Heading):
            return Content.styled(fit(f" {row.text}", width), "bold $primary")
        assert isinstance(row, Entry)
        word, token = _EFFECTS.get(row.effect, (row.effect, "muted"))
        used = used_words(row, self._clock()) if width >= 96 else used_short(row)
        right = f"  {fit(used, 22 if width >= 96 else 4)}"
        room = width - 11 - len(right)
        words, left = visible(one_line(row.words)), visible(one_line(row.left))
        # What is left goes first where there is no room for all of it: it is why a person looks.
        left = cut(left, max(room // 2, room - cell_len(words) - 1)) if left else ""
        content = Content.assemble(
            (f"  {fit(word, 8)} ", f"${token}"),
            (fit(words, room - (cell_len(left) + 1 if left else 0)), "$foreground"),
            (f" {left}" if left else "", "$state-waiting"),
            (right, "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


def used_short(entry: Entry) -> str:
    return "" if entry.used is None else f"{entry.used}x"


def used_words(entry: Entry, now: datetime) -> str:
    """How often it allowed a call so far, and when last."""
    if entry.used is None:
        return ""
    last = f", {ago(entry.last, now)}" if entry.last is not None else ""
    return f"{count(entry.used, 'call')}{last}"


class GrantsScreen(Picker[None]):
    KEYS: ClassVar[Mapping[str, str]] = {"list.delete": "revoke", "list.delete_all": "revoke_all"}
    TITLE_TEXT = "Grants and rules"
    SUBTITLE = "what is decided before anybody is asked"

    def __init__(self, desk: Desk, text: str = "") -> None:
        super().__init__()
        self._desk = desk
        self._text = text
        self._revoker = Revoker(desk)
        self._standing = Standing()
        self._doomed = False

    def make_rows(self) -> Rows:
        return GrantRows(lambda: datetime.now(UTC), id="picker-rows")

    def hint(self) -> str:
        back = (("list.delete", "takes it back"), ("list.delete_all", "takes all back"))
        return f"enter shows what it decided · {self.keys_of(*back, ('list.close', 'closes'))}"

    def start(self) -> None:
        self.query_one(Input).value = self._text
        super().start()

    async def load(self) -> Sequence[object]:
        self._standing = await self._revoker.look()
        return self._standing.entries

    def search_text(self, item: object) -> str:
        assert isinstance(item, Entry)
        return f"{item.effect} {item.words} {item.group} {item.left} {item.note} {item.source}"

    def refilter(self, keep: int = 0) -> None:
        """With their headings, unless something is looked for."""
        self._doomed = False
        if self.query_one(Input).value.strip():
            super().refilter(keep)
            return
        rows: list[object] = []
        group = ""
        for entry in self.items:
            assert isinstance(entry, Entry)
            if entry.group != group:
                group = entry.group
                rows.append(Heading(heading(entry)))
            rows.append(entry)
        self._list.selected = min(keep, len(rows) - 1)
        self._list.set_rows(rows)
        self.show_detail()

    def show_detail(self) -> None:
        self._doomed = False
        if self._list.row is None and not self.items:
            problem = self._standing.problem
            nothing = "nothing is granted, and there are no rules: the mode decides what asks"
            self.say(problem or nothing, "state-failed" if problem else "muted")
            return
        super().show_detail()

    def detail(self, item: object | None) -> Content:
        if not isinstance(item, Entry):
            return Content("")
        now = datetime.now(UTC)
        parts = [
            self._standing.problem,
            f"{item.effect}: {item.words}",
            item.left,
            used_words(item, now),
            f"since {item.made.astimezone():%Y-%m-%d %H:%M}" if item.made is not None else "",
            item.note,
            item.source,
        ]
        return Content.styled(clean(one_line(" · ".join(filter(None, parts)))), "$muted")

    def choose(self, item: object) -> None:
        from tui.screens.decisions import open_decisions

        assert isinstance(item, Entry)
        if item.find:
            open_decisions(self._desk, item.find)

    def action_revoke(self) -> None:
        row = self._list.row
        if not isinstance(row, Entry):
            return
        if not row.key:
            self.say(f"a rule is changed in its file: {row.source}", "state-waiting")
            return
        self._take_back([row])

    def action_revoke_all(self) -> None:
        """After asking once; a move or a letter in between keeps them."""
        grants = self._standing.grants
        if not grants:
            self.say("nothing is granted; rules are changed in their files", "state-waiting")
        elif not self._doomed:
            self._doomed = True
            again = f"{self.key_of('list.delete_all')} again does it, any move keeps them"
            self.say(f"take back {_each(grants)}? {again}", "state-waiting")
        else:
            self._doomed = False
            self._take_back(grants)

    def _take_back(self, grants: Sequence[Entry]) -> None:
        self.run_worker(partial(self._revoke, grants), group="revoke", exit_on_error=False)

    async def _revoke(self, grants: Sequence[Entry]) -> None:
        place = max(0, self._list.selected)
        self.say("taking it back", "state-waiting")
        try:
            left = await self._revoker.revoke(grants, self._revoker.look)
        except QuarterdeckError as error:
            self.say(str(error), "state-failed")
            return
        self._standing = left
        self.items = left.entries
        self.refilter(keep=place)
        keys = {entry.key for entry in grants}
        still = [entry for entry in left.grants if entry.key in keys]
        if still:
            self.say(f"not taken back yet: {'; '.join(entry.words for entry in still)}", "state-failed")
        else:
            self.say(f"taken back: {_each(grants) if len(grants) > 1 else grants[0].words}", "state-ok")


def heading(entry: Entry) -> str:
    if entry.place == "rules":
        return f"Rules · {entry.group}"
    return f"Granted for {scope_words(entry.group)}"


def _each(grants: Sequence[Entry]) -> str:
    """How many of which: "5 grants (this session 2, every project 3)"."""
    groups = dict.fromkeys(entry.group for entry in grants)
    parts = [f"{group} {sum(entry.group == group for entry in grants)}" for group in groups]
    return f"{count(len(grants), 'grant')} ({', '.join(parts)})"
