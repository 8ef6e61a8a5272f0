"""`quarterdeck themes`: which there are, what is wrong with one, and the beginning of another."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import themes
from runner.errors import ConfigError
from tui.cli import UsageError, tell
from tui.commands.common import enter_folder
from tui.settings.layers import printable
from tui.settings.load import user_file
from tui.theming import problem_words

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    match args.action:
        case "check":
            return _check(args.theme)
        case "new":
            return _new(args.name, args.model)
        case _:
            return _list()


def folder() -> Path:
    """Where the person's own themes are."""
    return user_file(os.environ).parent / "themes"


def _list() -> int:
    problems: list[themes.ThemeError] = []
    found = themes.load_all(folder(), problems=problems)
    built_in = themes.load_all()
    width = max(map(len, found))
    for name, theme in found.items():
        kind = "the terminal's" if theme.ansi else "dark" if theme.dark else "light"
        place = "" if built_in.get(name) == theme else f"  {folder() / name}.toml"
        print(printable(f"{name:<{width}}  {kind:<14}  {theme.title}{place}"))
    for problem in problems:
        tell(problem_words(problem))
    return 1 if problems else 0


def _check(wanted: str) -> int:
    from themes.contrast import audit
    from themes.loader import read

    try:
        theme = read(Path(wanted)) if wanted.endswith(".toml") else themes.load(wanted, folder())
    except themes.ThemeError as error:
        tell(problem_words(error))
        return 1
    findings = audit(theme)
    for finding in findings:
        print(finding)
    if findings:
        tell(f"{theme.name}: {len(findings)} pairs of colours are harder to read than {theme.contrast:g} to 1")
    elif theme.ansi:
        print(f"{theme.name} can be used; its colours are the terminal's, so their contrast is not known")
    else:
        print(f"{theme.name} can be used; all text reaches {theme.contrast:g} to 1")
    return 1 if findings else 0


def _new(name: str, model: str) -> int:
    if not _NAME.fullmatch(name):
        raise UsageError("quarterdeck themes new: NAME is lower case letters and digits, with hyphens between")
    built_in = themes.load_all()
    if name in built_in:
        raise UsageError(f"quarterdeck themes new: {name} is a built-in theme; give yours a name of its own")
    if model not in built_in:
        raise UsageError(f"quarterdeck themes new: --from is one of {', '.join(built_in)}")
    path = folder() / f"{name}.toml"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_copied(name, model))
    except FileExistsError as error:
        raise ConfigError("exists already", where=str(path), expected="another name") from error
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
    print(printable(f"{path} is a copy of {model}; what you leave out of it comes from there"))
    print(printable(f"use it: /theme {name} on the screen, or quarterdeck config set theme {name}"))
    return 0


def _copied(name: str, model: str) -> str:
    """The file of a built-in theme under another name; every line of it can be changed or left out."""
    from themes.loader import BUILT_IN

    text = (BUILT_IN / f"{model}.toml").read_text(encoding="utf-8")
    body = re.sub(r"\A(#[^\n]*\n|\s)*", "", text)
    title = " ".join(part.capitalize() for part in name.split("-"))
    body = re.sub(r'^name = "[^"]*"', f'name = "{name}"', body, count=1)
    body = re.sub(r'\ntitle = "[^"]*"', f'\ntitle = "{title}"\nextends = "{model}"', body, count=1)
    return (
        f"# A theme of your own; `quarterdeck themes check {name}` says what is hard to read in it.\n"
        '# Colours are "#rrggbb", or the terminal\'s own such as "ansi_blue".\n' + body
    )
