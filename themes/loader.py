"""Reads theme files and says precisely what is wrong with a broken one.

A file has `name` (equal to the file's name), `title`, `dark`, optionally `contrast` (the ratio its text promises,
4.5 if absent) and `extends` (a built-in theme that supplies what the file leaves out), a table `[base]`, and one
table for each group of tokens. Colours are "#rrggbb" or one of the terminal's own, such as "ansi_blue".
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from themes.vocabulary import BASE, TOKENS

BUILT_IN: Final = Path(__file__).parent
DEFAULT_CONTRAST: Final = 4.5

_HUES: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI_COLOURS: Final = frozenset(
    ("ansi_default", *(f"ansi_{hue}" for hue in _HUES), *(f"ansi_bright_{hue}" for hue in _HUES))
)
_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_FIELDS: Final = ("name", "title", "dark", "contrast", "extends", "base")
_GROUPS: Final = tuple(dict.fromkeys(token.partition(".")[0] for token in TOKENS))
_A_COLOUR: Final = 'a colour such as "#5fafd7" or "ansi_blue"'


class ThemeError(Exception):
    """A theme that cannot be used: which file, which key in it, and what was expected there."""

    def __init__(self, file: Path | None, key: str, expected: str) -> None:
        self.file = file
        self.key = key
        self.expected = expected
        place = ": ".join(part for part in (str(file) if file else "", key) if part)
        super().__init__(f"{place}: {expected}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One theme, complete: every name of the vocabulary has a colour."""

    name: str
    title: str
    dark: bool
    contrast: float
    """The contrast ratio its text reaches on every ground; nothing is promised for colours the terminal chooses."""
    base: Mapping[str, str] = field(hash=False)
    tokens: Mapping[str, str] = field(hash=False)

    def token(self, name: str) -> str:
        """The colour of a semantic token such as "state.running"; KeyError for a name outside the vocabulary."""
        return self.tokens[name]

    def colour(self, name: str) -> str:
        """The colour of a token or of a base colour: the name alone tells them apart."""
        return self.tokens[name] if "." in name else self.base[name]

    @property
    def ansi(self) -> bool:
        """Whether the ground is the terminal's own, so that nothing may assume how light it is."""
        return self.base["background"].startswith("ansi_")


def load(name: str, extra_dir: Path | None = None) -> Theme:
    """The theme of that name; a file in `extra_dir` wins over a built-in theme. Raises ThemeError."""
    for folder in (extra_dir, BUILT_IN):
        if folder is not None and _NAME.fullmatch(name) and (file := folder / f"{name}.toml").is_file():
            return read(file)
    names = sorted({file.stem for file in (*_files(BUILT_IN), *_files(extra_dir))})
    raise ThemeError(None, f"theme {name!r}", f"there is none of that name; there are {', '.join(names)}")


def load_all(extra_dir: Path | None = None, *, problems: list[ThemeError] | None = None) -> dict[str, Theme]:
    """Every theme by name, built-in ones first; broken files of `extra_dir` go to `problems` when it is given."""
    themes = {file.stem: read(file) for file in _files(BUILT_IN)}
    for file in _files(extra_dir):
        try:
            themes[file.stem] = read(file)
        except ThemeError as error:
            if problems is None:
                raise
            problems.append(error)
    return themes


def read(file: Path) -> Theme:
    """The theme in one file. Raises ThemeError."""
    data = _parse(file)
    name = _text(file, data, "name")
    if name != file.stem or not _NAME.fullmatch(name):
        raise ThemeError(file, "name", f'expected "{file.stem}" (as the file), lower case with hyphens, found "{name}"')
    _reject_unknown(file, "", data, (*_FIELDS, *_GROUPS))
    parent = _parent(file, data)
    base = _colours(file, data, ("base",), BASE, parent.base if parent else {})
    tokens = _colours(file, data, _GROUPS, TOKENS, parent.tokens if parent else {})
    return Theme(
        name=name,
        title=_text(file, data, "title"),
        dark=parent.dark if parent and "dark" not in data else _flag(file, data, "dark"),
        contrast=_ratio(file, data, parent.contrast if parent else DEFAULT_CONTRAST),
        base=MappingProxyType(base),
        tokens=MappingProxyType(tokens),
    )


def _files(folder: Path | None) -> list[Path]:
    return sorted(folder.glob("*.toml"), key=lambda file: file.stem) if folder is not None and folder.is_dir() else []


def _parse(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(file, "", f"expected a TOML file: {error}") from error
    except UnicodeDecodeError as error:
        raise ThemeError(file, "", f"expected UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise ThemeError(file, "", f"expected a readable file: {error.strerror}") from error


def _parent(file: Path, data: Mapping[str, object]) -> Theme | None:
    if "extends" not in data:
        return None
    built_in = {path.stem: path for path in _files(BUILT_IN)}
    wanted = data["extends"]
    # Only built-in themes can be extended, and they extend nothing, so a chain can neither be long nor a circle.
    if file.parent == BUILT_IN or not isinstance(wanted, str) or wanted not in built_in:
        raise ThemeError(file, "extends", f"expected a built-in theme ({', '.join(built_in)}), found {wanted!r}")
    return read(built_in[wanted])


def _colours(
    file: Path,
    data: Mapping[str, object],
    tables: Iterable[str],
    vocabulary: Mapping[str, str],
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """The colours of some tables in the vocabulary's order, each checked, with the inherited ones filled in."""
    found: dict[str, str] = {}
    for table in tables:
        entries = data.get(table, {})
        if not isinstance(entries, dict):
            raise ThemeError(file, table, f"expected a table [{table}] of colours, found {entries!r}")
        prefix = "" if table == "base" else f"{table}."
        colours = {prefix + key: value for key, value in cast("dict[str, object]", entries).items()}
        _reject_unknown(file, f"{table}.", colours, [key for key in vocabulary if key.startswith(prefix)], prefix)
        for key, value in colours.items():
            found[key] = _colour(file, f"{table}.{key.removeprefix(prefix)}", value)
    complete = {key: found.get(key) or inherited.get(key) for key in vocabulary}
    for key, value in complete.items():
        if value is None:
            shown = key if "." in key else f"base.{key}"
            raise ThemeError(file, shown, f"missing: expected {_A_COLOUR} for {vocabulary[key]}")
    return cast("dict[str, str]", complete)


def _reject_unknown(file: Path, shown: str, found: Iterable[str], known: Iterable[str], prefix: str = "") -> None:
    names = [name.removeprefix(prefix) for name in known]
    for name in (key.removeprefix(prefix) for key in found):
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"expected one of {', '.join(names)}"
            raise ThemeError(file, f"{shown}{name}", f"unknown: {hint}")


def _colour(file: Path, key: str, value: object) -> str:
    if isinstance(value, str) and (_HEX.fullmatch(value) or value in ANSI_COLOURS):
        return value.lower()
    raise ThemeError(file, key, f"expected {_A_COLOUR}, found {value!r}")


def _text(file: Path, data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value
    raise ThemeError(file, key, f"expected one line of text, found {value!r}")


def _flag(file: Path, data: Mapping[str, object], key: str) -> bool:
    value = data.get(key)
    if isinstance(value, bool):
        return value
    raise ThemeError(file, key, f"expected true or false, found {value!r}")


def _ratio(file: Path, data: Mapping[str, object], default: float) -> float:
    value = data.get("contrast", default)
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 21:
        return float(value)
    raise ThemeError(file, "contrast", f"expected a ratio from 1 to 21, found {value!r}")
