"""`/settings`: what is set and where it comes from, and changing it as `quarterdeck config set` does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from tui.render.clean import visible
from tui.settings import Settings
from tui.words import one_line

if TYPE_CHECKING:
    from tui.changing.book import Book, Entry
    from tui.changing.setting_file import Written
    from tui.line_mode.table import Table
    from tui.ports import AppSettings
    from tui.settings.rule_file import Place

HOW = (
    "/settings WORDS lists those that have them, /settings KEY tells about one",
    "/settings KEY VALUE changes it in your file, /settings unset KEY takes it out of there",
    "project before these two means the project's file: /settings project KEY VALUE",
)
_FROM: Final = {
    "default": "the default",
    "user": "from your file",
    "project": "from the project's file",
    "environment": "from the environment",
    "flag": "from an option of this start",
}
_KEY = re.compile(r'((?:[^\s"]|"[^"]*")+)(?:\s+(\S.*))?', re.DOTALL)


class SettingLines:
    def __init__(self, table: Table) -> None:
        self._table = table
        settings = table.settings
        self._real = settings if isinstance(settings, Settings) else None

    def _overrides(self) -> dict[str, object]:
        from tui.changing.setting_file import flags_of

        return {} if self._real is None else flags_of(self._real)

    async def obey(self, argument: str) -> None:
        place: Place = "user"
        words, unset = argument, False
        if words == "project" or words.startswith("project "):
            place, words = "project", words.removeprefix("project").strip()
        if words.startswith("unset "):
            unset, words = True, words.removeprefix("unset").strip()
        found = _KEY.fullmatch(words)
        book = await self._table.background(self._book)
        entry = None if found is None else next((one for one in book.entries if one.setting.key == found[1]), None)
        if found is not None and (unset or found[2]):
            if entry is not None or unset or "." in found[1]:
                await self._write(place, found[1], None if unset else found[2])
                return
        elif entry is not None:
            self._table.tell(about(entry, place))
            return
        self._list(book, words)

    def _book(self) -> Book:
        from tui.changing.book import read_book

        return read_book(self._table.settings.cwd, self._table.settings.environ, self._overrides())

    def _list(self, book: Book, words: str) -> None:
        wanted = words.lower().split()
        found = [entry for entry in book.entries if (_fits(entry, wanted) if wanted else entry.is_set)]
        lines = [setting_line(entry) for entry in found]
        if not lines:
            lines = ["no setting has that" if wanted else "nothing is set: everything is as the program has it"]
        self._table.tell([*lines, *HOW])

    async def _write(self, place: Place, key: str, value: str | None) -> None:
        entry, written = await self._table.background(partial(self._save, place, key, value))
        if self._real is not None:
            self._table.engine.use_settings(written.settings)
        self._table.tell(saved_lines(entry, written, place))

    def _save(self, place: Place, key: str, value: str | None) -> tuple[Entry, Written]:
        """Blocks. Raises ConfigError, with the file as it was."""
        from tui.changing.book import read_book
        from tui.changing.every import literal, path_of
        from tui.changing.known import setting_at
        from tui.changing.setting_file import Change, save_setting
        from tui.settings.load import load_settings

        cwd, environ, overrides = self._table.settings.cwd, self._table.settings.environ, self._overrides()
        path = path_of(key)
        setting = setting_at(path, load_settings(cwd, environ, overrides))
        text = None if value is None else literal(setting, value)
        written = save_setting(
            Change(place=place, path=path, literal=text),
            cwd=cwd,
            environ=environ,
            now=datetime.now(UTC),
            overrides=overrides,
        )
        begun = [path[:2]] if len(path) > 2 else []
        entries = read_book(cwd, environ, overrides, begun).entries
        return next(one for one in entries if one.setting.path == path), written


def setting_values(settings: AppSettings) -> dict[str, Sequence[str]]:
    """Every key with the values that it may have, () where it is written. For completing it."""
    from tui.changing.every import every, names_of

    if not isinstance(settings, Settings):
        return {}
    return {
        setting.key: setting.choices or (("true", "false") if setting.kind == "switch" else ())
        for setting in every(names_of(settings))
    }


def setting_line(entry: Entry) -> str:
    """Clean: the key, its value, and where that comes from."""
    source = entry.source
    where = f" {one_line(source.where)}" if source.where else ""
    return visible(f"{entry.setting.key} is {one_line(entry.value)}, {_FROM.get(source.kind, source.kind)}{where}")


def about(entry: Entry, place: Place) -> list[str]:
    """All about one setting, clean."""
    allowed = f"one of {', '.join(entry.choices)}" if entry.choices else one_line(entry.allowed)
    lines = [
        setting_line(entry),
        f"{entry.help}." if entry.help else "",
        f"its value: {allowed}; a change counts {entry.when}",
        *(f"but {one_line(remark)}" for remark in entry.remarks(place)),
    ]
    return [visible(line) for line in lines if line]


def saved_lines(entry: Entry, written: Written, place: Place) -> Sequence[str]:
    where = str(written.source.where if written.source is not None else written.path)
    done = "set" if written.source is not None else "not set"
    lines = [f"{entry.setting.key} is {done} in {where}{'' if written.changed else ', as it was'}"]
    if written.changed:
        remarks = entry.remarks(place)
        lines.append(one_line(remarks[0]) if remarks else f"it counts {entry.when}")
    return [visible(line) for line in lines]


def _fits(entry: Entry, wanted: Sequence[str]) -> bool:
    text = f"{entry.setting.key} {entry.group} {entry.help} {entry.value}".lower()
    return all(word in text for word in wanted)
