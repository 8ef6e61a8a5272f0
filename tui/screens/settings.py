"""Every setting with its value, where that comes from, and what it may be; changed in the same files as by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from runner.errors import ConfigError
from tui.changing.book import Book, Entry, read_book
from tui.changing.every import KeyPath, literal
from tui.changing.setting_file import Change, Written, flags_of, problem_of, save_setting
from tui.changing.setting_words import GROUPS
from tui.render.clean import clean, visible
from tui.screens.picker import Picker
from tui.screens.setting_form import NameForm, SettingForm
from tui.settings.values import Settings
from tui.widgets.rows import Rows
from tui.words import cut, cut_middle, fit, one_line

if TYPE_CHECKING:
    from tui.desk import Desk
    from tui.settings.rule_file import Place

_WIDE, _BROAD = 96, 120
_ADDED = {"agents": "agent", "models": "model", "mcp": "server"}
"""Tables to which a person adds one by its name, and what one is."""

_FILES: Mapping[str, str] = {"user": "your file", "project": "project", "session": "this start"}


def open_settings(desk: Desk, argument: str) -> None:
    """argument: what to look for."""
    desk.host.show_screen(SettingsScreen(desk, argument))


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Adding:
    """A line that begins one more table."""

    table: str


def source_words(entry: Entry, *, wide: bool) -> str:
    """Where a value comes from, short."""
    source = entry.source
    if source.kind == "default":
        return "default"
    if source.kind in _FILES:
        line = source.where.rpartition(":")[2]
        place = f", line {line}" if wide and line.isdigit() else f":{line}" if line.isdigit() else ""
        return f"{_FILES[source.kind]}{place}"
    return source.where


class SettingRows(Rows):
    def selectable(self, row: object) -> bool:
        return not isinstance(row, Heading)

    def draw(self, row: object, width: int, selected: bool) -> Content:
        if isinstance(row, Heading):
            return Content.styled(fit(f" {row.text}", width), "bold $primary")
        if isinstance(row, Adding):
            content = Content.styled(fit(f"  + another {_ADDED[row.table]}", width), "$muted")
        else:
            assert isinstance(row, Entry)
            content = _line(row, width)
        return content.stylize("$selection-text on $selection") if selected else content


def _line(entry: Entry, width: int) -> Content:
    names, values, sources = _columns(width)
    helps = width - 4 - names - values - sources
    sign = "!" if entry.waits or entry.source.kind in ("environment", "flag") else "●" if entry.is_set else " "
    value = visible(one_line(entry.value))
    return Content.assemble(
        (f" {sign} ", "$state-waiting" if sign == "!" else "$primary"),
        (fit(visible(entry.name), names), "$foreground"),
        (fit(cut(value, values - 1), values), "bold $foreground" if entry.is_set else "$foreground"),
        (fit(cut(visible(entry.help), helps - 1), helps) if helps > 0 else "", "$muted"),
        (fit(f" {visible(source_words(entry, wide=width >= _WIDE))}", sources + 1), "$muted"),
    ).truncate(width, pad=True)


def _columns(width: int) -> tuple[int, int, int]:
    """Cells of the name, the value and the source; what is left is for the help, where there is room for it."""
    if width >= _BROAD:
        return 26, 24, 22
    names, sources = (34, 26) if width >= _WIDE else (24, 15)
    return names, max(4, width - 4 - names - sources), sources


class SettingsScreen(Picker[None]):
    TITLE_TEXT = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "other_place", show=False, priority=True)]
    KEYS: ClassVar[Mapping[str, str]] = {"list.delete": "unset"}

    def __init__(self, desk: Desk, text: str = "") -> None:
        super().__init__()
        self._desk = desk
        self._text = text
        self._cwd, self._environ = desk.settings.cwd, desk.settings.environ
        # Without the options of this start, what they set would look as if nothing had.
        self._overrides = flags_of(desk.settings) if isinstance(desk.settings, Settings) else {}
        self._book: Book | None = None
        self._begun: list[KeyPath] = []
        self._saving = False
        self._said = ""
        self.place: Place = "user"

    def make_rows(self) -> Rows:
        return SettingRows(id="picker-rows")

    def hint(self) -> str:
        keys = self.keys_of(("list.delete", "default"), ("list.close", "closes"))
        other = "the project's file" if self.place == "user" else "your file"
        return f"enter changes · tab {other} · {keys}"

    def start(self) -> None:
        self.query_one(Input).value = self._text
        self.query_one(".picker-detail").add_class("settings-detail")
        self._show_place()
        super().start()

    async def load(self) -> Sequence[object]:
        self._book = await asyncio.to_thread(read_book, self._cwd, self._environ, self._overrides, tuple(self._begun))
        self._show_place()
        return self._book.entries

    def search_text(self, item: object) -> str:
        assert isinstance(item, Entry)
        source = source_words(item, wide=True) + (" changed set" if item.is_set else "")
        return f"{item.setting.key} {item.group} {item.help} {item.value} {source}"

    def refilter(self, keep: int = -1) -> None:
        """All that match, in their groups; `keep` is the line to stay at."""
        words = self.query_one(Input).value.lower().split()
        found = [entry for entry in self._entries if all(word in self.search_text(entry).lower() for word in words)]
        groups: dict[str, list[Entry]] = {}
        for entry in found:
            groups.setdefault(entry.group, []).append(entry)
        if (keys := groups.pop(GROUPS["keys"], None)) is not None:
            groups[GROUPS["keys"]] = keys
        rows: list[object] = [row for title, some in groups.items() for row in (Heading(title), *some)]
        if not words and rows:
            rows += [Heading("More"), *(Adding(table) for table in _ADDED)]
        self._list.selected = keep if 0 <= keep < len(rows) else min(1, len(rows) - 1)
        self._list.set_rows(rows)
        self.show_detail()

    @property
    def _entries(self) -> Sequence[Entry]:
        return self._book.entries if self._book is not None else ()

    def show_detail(self) -> None:
        said, self._said = self._said, ""
        if said:
            self.say(said, "state-ok")
        else:
            super().show_detail()

    def detail(self, item: object | None) -> Content:
        if isinstance(item, Adding):
            what = {"agents": "its instructions", "models": "its model", "mcp": "its command or its url"}[item.table]
            return Content.styled(f"Give it a name, then {what}.", "$muted")
        assert isinstance(item, Entry)
        lines = [
            Content.assemble(
                (visible(item.setting.key), "bold $foreground"), (f"  {visible(item.help)}", "$foreground")
            ),
            Content.styled(visible(f"{one_line(item.allowed)} · {_counts(item.when)}{self._where(item)}"), "$muted"),
        ]
        remarks = item.remarks(self.place)
        if remarks:
            lines.append(Content.styled(visible(f"! {'; '.join(map(one_line, remarks))}"), "$state-waiting"))
        return Content("\n").join(lines)

    def choose(self, item: object) -> None:
        if isinstance(item, Adding):
            self._desk.host.show_screen(NameForm(_ADDED[item.table]), partial(self._begin, item.table))
            return
        assert isinstance(item, Entry)
        if item.setting.kind == "rules":
            self.leave()
            self._desk.do("try")
        elif item.setting.kind == "switch" and item.field:
            self._save(item, "false" if item.field == "true" else "true")
        else:
            form = SettingForm(item, self.place, self._path_words(), check=self._check, save=self._write)
            self._desk.host.show_screen(form, self._edited)

    def action_other_place(self) -> None:
        self.place = "project" if self.place == "user" else "user"
        self._show_place()
        self.show_detail()

    def action_unset(self) -> None:
        entry = self._list.row
        if not isinstance(entry, Entry) or entry.setting.kind == "rules":
            return
        if self.place in entry.given:
            self._save(entry, None)
        else:
            self.say(f"{entry.setting.key} does not stand in {self._path_words()}", "state-waiting")

    def _path_words(self) -> str:
        if self._book is not None:
            return self._short(str(self._book.paths[self.place]))
        return "your file" if self.place == "user" else "the project's file"

    def _short(self, place: str) -> str:
        home = self._environ.get("HOME", "")
        return f"~{place[len(home) :]}" if home and place.startswith(f"{home}/") else place

    def _where(self, entry: Entry) -> str:
        """The source in full; for a default, why it is this one."""
        where = self._short(one_line(entry.source.where))
        return f" · {where}" if where else ""

    def _show_place(self) -> None:
        from textual.widgets import Static

        saved = "saved to your file" if self.place == "user" else "saved to this project's file"
        path = cut_middle(visible(self._path_words()), max(10, self.size.width - 46))
        title = Content.assemble((self.TITLE_TEXT, "bold $primary"), (f"  {saved}, {path}", "$muted"))
        self.query_one(".picker-title", Static).update(title, layout=False)
        self.query_one(".picker-hint", Static).update(Content.styled(clean(self.hint()), "$key-label"), layout=False)

    def _begin(self, table: str, name: str | None) -> None:
        """The fields of one more agent, model or server; its first value puts it into the file."""
        if name is None:
            return
        self._begun.append((table, name))
        self.query_one(Input).value = f"{table}.{name}" if name.isidentifier() else name
        self._reload()

    def _reload(self, said: str = "") -> None:
        self.run_worker(self._again(said), exclusive=True, group="load", exit_on_error=False)

    async def _again(self, said: str) -> None:
        at = self._list.selected
        try:
            self.items = await self.load()
        except ConfigError as error:
            self.say(str(error), "state-failed")
            return
        self._said = said
        self.refilter(at)

    def _change(self, entry: Entry, text: str | None) -> Change:
        value = None if text is None else literal(entry.setting, text)
        return Change(place=self.place, path=entry.setting.path, literal=value)

    async def _check(self, entry: Entry, text: str) -> str:
        """What is wrong with a value, "" where nothing is."""
        change = self._change(entry, text)
        look = partial(problem_of, change, cwd=self._cwd, environ=self._environ, overrides=self._overrides)
        return await asyncio.to_thread(look)

    async def _write(self, entry: Entry, text: str | None) -> str:
        """Save; what is wrong, "" where it is done."""
        change = self._change(entry, text)
        save = partial(
            save_setting,
            change,
            cwd=self._cwd,
            environ=self._environ,
            now=datetime.now(UTC),
            overrides=self._overrides,
        )
        try:
            written = await asyncio.to_thread(save)
        except ConfigError as error:
            return str(error)
        self._use(entry, written)
        return ""

    def _save(self, entry: Entry, text: str | None) -> None:
        if not self._saving:
            self._saving = True
            self.run_worker(self._save_here(entry, text), group="save", exit_on_error=False)

    async def _save_here(self, entry: Entry, text: str | None) -> None:
        try:
            problem = await self._write(entry, text)
        finally:
            self._saving = False
        if problem:
            self.say(problem, "state-failed")
        else:
            self._edited(replace(entry, field="" if text is None else text))

    def _edited(self, entry: Entry | None) -> None:
        """The form was left; entry: with what was saved as its field."""
        if entry is not None:
            done = f"{entry.field} saved" if entry.field and not entry.setting.private else "saved"
            remarks = entry.remarks(self.place)
            counts = f"; {remarks[0]}" if remarks else f"; {_counts(entry.when)}"
            self._reload(f"{entry.setting.key}: {done} to {self._path_words()}{counts}")

    def _use(self, entry: Entry, written: Written) -> None:
        """What can count at once, or from the next run on, does."""
        if isinstance(self._desk.settings, Settings):
            self._desk.engine.use_settings(written.settings)
        if entry.setting.path == ("theme",) and written.settings.source("theme").kind not in ("environment", "flag"):
            self._desk.looks.configure(written.settings.theme)


def _counts(when: str) -> str:
    return f"counts {when}"
