"""`quarterdeck config set` and `config unset`: one key of a file, with all else in it as it was."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from tui.changing.every import KeyPath, Setting, literal, path_of, source_of
from tui.changing.known import setting_at
from tui.changing.setting_file import Change, Written, save_setting
from tui.cli import UsageError
from tui.commands.common import enter_folder
from tui.settings.layers import printable
from tui.settings.load import load_settings
from tui.settings.rule_file import Place


def write(args: argparse.Namespace) -> int:
    key, value = _arguments(args)
    enter_folder(args)
    cwd, environ = Path.cwd(), os.environ
    path = path_of(key)
    setting = find(path)
    place: Place = "project" if args.project else "user"
    text = None if value is None else literal(setting, value)
    written = save_setting(
        Change(place=place, path=path, literal=text), cwd=cwd, environ=environ, now=datetime.now(UTC)
    )
    _report(setting, written, place)
    return 0


def _arguments(args: argparse.Namespace) -> tuple[str, str | None]:
    given: list[str] = args.words
    if args.action == "set":
        if len(given) != 2:
            raise UsageError("quarterdeck config set: give KEY and VALUE, such as: config set limits.max_turns 40")
        return given[0], given[1]
    if len(given) != 1:
        raise UsageError("quarterdeck config unset: give KEY, such as: config unset limits.max_turns")
    return given[0], None


def find(path: KeyPath) -> Setting:
    """The setting of that path, as a start here would know it. Raises ConfigError where there is none."""
    return setting_at(path, load_settings(Path.cwd(), os.environ))


def _report(setting: Setting, written: Written, place: Place) -> None:
    where = str(written.source.where if written.source is not None else written.path)
    done = "set" if written.source is not None else "not set"
    print(printable(f"{setting.key} is {done} in {where}{'' if written.changed else ', as it was'}"))
    if not written.changed:
        return
    decides = source_of(written.settings, setting.path)
    if decides.kind not in (place, "default"):
        print(printable(f"it does not show yet: {decides.where} decides"))
    else:
        print("it counts from the next start on; what runs already keeps what it began with")
