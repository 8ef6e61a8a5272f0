"""All settings with their values, where each comes from, and what a change would come to. Blocks; use a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import themes
from runner.store.redact import Redactor
from tui.changing.every import (
    NAMED,
    KeyPath,
    Setting,
    every,
    names_of,
    path_of,
    shown,
    source_of,
    value_of,
    written,
)
from tui.changing.setting_file import given_in, standing
from tui.changing.setting_words import group_of, help_of, when_of
from tui.settings.layers import Layer
from tui.settings.load import load_settings
from tui.settings.rule_file import Place, rule_path
from tui.settings.values import Settings, Source, Withheld

PLACES: tuple[Place, Place] = ("user", "project")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One setting as it is. value: for people; field: as one would write it, "" where that is not shown.

    given: the files that set it, in force or not. waits: what the project's file would change without your trust.
    choices: values to choose from, () where it is written.
    """

    setting: Setting
    group: str
    help: str
    value: str
    field: str
    source: Source
    given: tuple[Place, ...] = ()
    waits: tuple[Withheld, ...] = ()
    choices: tuple[str, ...] = ()
    when: str = ""

    @property
    def name(self) -> str:
        """Within its group."""
        path = self.setting.path
        if path[0] in NAMED:
            return ".".join(path[2:])
        return ".".join(path[1:]) or self.setting.group

    @property
    def allowed(self) -> str:
        """What its value has to be, in words."""
        match self.setting.path:
            case ("theme",) | ("agent",):
                return "one of those there are"
            case ("model",) | ("agents", _, "model"):
                return "the name of a model, such as demo/pilot; the list of models has them all"
            case _:
                return self.setting.allowed

    @property
    def is_set(self) -> bool:
        return self.source.kind != "default"

    def remarks(self, place: Place) -> list[str]:
        """What saving to that file would not show at once, and why."""
        found: list[str] = []
        if self.source.kind in ("environment", "flag"):
            found.append(f"{self.source.where} decides: what is saved will not show until it is gone")
        elif self.source.kind == "project" and place == "user":
            found.append("the project's file decides here; your own counts elsewhere")
        found += [f"the project's file {item.text}; it waits for your trust: quarterdeck trust" for item in self.waits]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    settings: Settings
    entries: tuple[Entry, ...]
    paths: Mapping[Place, Path]


def read_book(
    cwd: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    begun: Sequence[KeyPath] = (),
) -> Book:
    """begun: tables that a person begins, such as ("agents", "reviewer"). Raises ConfigError."""
    settings = load_settings(cwd, environ, overrides)
    layers: dict[Place, Layer | None] = {place: standing(place, cwd=cwd, environ=environ) for place in PLACES}
    names = names_of(settings)
    for table, name in begun:
        names[table] = tuple(dict.fromkeys((*names[table], name)))
    redactor = Redactor(environ)
    entries = tuple(_masked(_entry(setting, settings, layers), redactor) for setting in every(names))
    return Book(
        settings=settings,
        entries=entries,
        paths={place: rule_path(place, cwd, environ) for place in PLACES},
    )


def _entry(setting: Setting, settings: Settings, layers: Mapping[Place, Layer | None]) -> Entry:
    value = value_of(settings, setting.path)
    return Entry(
        setting=setting,
        group=group_of(setting),
        help=help_of(setting),
        value=shown(setting, value),
        field=written(setting, value),
        source=source_of(settings, setting.path),
        given=tuple(place for place in PLACES if given_in(layers[place], setting.path)),
        waits=tuple(item for item in settings.withheld if _is_about(item, setting.path)),
        choices=_choices(setting, settings),
        when=when_of(setting.path),
    )


def _masked(entry: Entry, redactor: Redactor) -> Entry:
    """What looks like a secret is told to be one, wherever somebody wrote it, and is not given to edit."""
    value = redactor.text(entry.value)
    waits = tuple(replace(item, text=redactor.text(item.text)) for item in entry.waits)
    if value != entry.value or redactor.text(entry.field) != entry.field:
        return replace(entry, value=value, field="", setting=replace(entry.setting, private=True), waits=waits)
    return replace(entry, waits=waits)


def _is_about(item: Withheld, path: KeyPath) -> bool:
    key = path_of(item.key)
    # An agent's withheld fields are told one by one, each with its name in the text.
    return path[: len(key)] == key and (key[0] != "agents" or f": {path[-1]} = " in item.text)


def _choices(setting: Setting, settings: Settings) -> tuple[str, ...]:
    match setting.path:
        case ("theme",):
            return tuple(themes.load_all(settings.themes_dir, problems=[]))
        case ("agent",):
            return settings.agent_names()
        case _:
            return ("true", "false") if setting.kind == "switch" else setting.choices
