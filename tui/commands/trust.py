"""`quarterdeck trust`: what the project's configuration would change, and a person's yes to it."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime

from runner.errors import ConfigError
from tui.cli import UsageError, tell
from tui.commands.common import ask, load
from tui.settings import ConfigFile, Settings, trust_file, trusted_folder


def run(args: argparse.Namespace) -> int:
    settings = load(args)
    file = next((file for file in settings.files if file.kind == "project"), None)
    if file is None:
        raise ConfigError("there is no .quarterdeck/config.toml here", where=str(settings.cwd))
    folder = trusted_folder(file.path)
    if args.revoke:
        known = trust_file(os.environ).revoke(folder)
        print(f"{folder} is {'no longer' if known else 'not'} trusted")
        return 0
    if not settings.withheld:
        already = file.trusted is True
        print(f"{file.path} {'is trusted' if already else 'changes nothing that needs your trust'}")
        return 0
    _show(settings, file)
    if not args.yes:
        if not sys.stdin.isatty():
            raise UsageError("quarterdeck trust: there is nobody to ask; after reading the list, use --yes")
        if not ask("Trust this file as it is now?"):
            tell("not trusted; nothing was changed")
            return 1
    trust_file(os.environ).trust(folder, file.sha256, datetime.now(UTC))
    print(f"{folder} is trusted, until the file changes")
    return 0


def _show(settings: Settings, file: ConfigFile) -> None:
    print(f"{file.path} would change:")
    for item in settings.withheld:
        line = item.where.rpartition(":")[2]
        print(f"  line {line}: {item.text}")
