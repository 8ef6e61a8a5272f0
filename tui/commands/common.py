"""What several commands share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.errors import ConfigError
from tui.cli import UsageError, tell
from tui.settings import Settings, load_settings
from tui.settings.layers import dotted


def load(args: argparse.Namespace, overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings of a command: its own options win. --cwd is entered, so that everything agrees on the folder."""
    enter_folder(args)
    options = {name: getattr(args, name, None) for name in ("model", "agent", "theme", "approve")}
    options["sandbox.mode"] = getattr(args, "sandbox", None)
    return load_settings(Path.cwd(), os.environ, {**options, **(overrides or {})})


def located(error: ConfigError, settings: Settings) -> ConfigError:
    """What is wrong with the keymap, with the file and line that says so."""
    action_id = error.where.removeprefix("keys.")
    place = settings.source(dotted(("keys", action_id))).where or settings.source("keymap").where
    return ConfigError(str(error), where=place) if place and action_id != error.where else error


def enter_folder(args: argparse.Namespace) -> None:
    folder: str | None = args.cwd
    if folder is None:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"--cwd {folder}: {error.strerror}") from error


def report_withheld(settings: Settings) -> None:
    """One line about what the project's file may not change yet."""
    if not settings.withheld:
        return
    keys = ", ".join(dict.fromkeys(item.key for item in settings.withheld))
    file = next(file.path for file in settings.files if file.kind == "project")
    tell(f"{file} is not trusted yet, so these are ignored: {keys}. To see and accept them: quarterdeck trust")


def write_out(pieces: Iterable[str], output: str | None) -> None:
    """To a new file of its owner's alone, since a session may hold anything that was on the screen; None: to stdout."""
    if output is None:
        for piece in pieces:
            sys.stdout.write(piece)
        return
    path = Path(output)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} exists; remove it, or write to another file") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    with open(descriptor, "w", encoding="utf-8") as file:
        file.writelines(pieces)
    print(f"wrote {path}", file=sys.stderr)


def ask(question: str) -> bool:
    """Ask a person yes or no on the terminal; anything but a clear yes is no."""
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in {"y", "yes"}
