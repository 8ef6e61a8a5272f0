"""`quarterdeck serve`: the screen in a browser, on this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys

from runner.errors import ConfigError
from tui.cli import UsageError, tell
from tui.commands.common import load, report_withheld
from tui.serving.gate import Gate, is_loopback

PASSED_ON = ("model", "agent", "sandbox", "approve", "theme", "session")


def run(args: argparse.Namespace) -> int:
    host: str = args.host or "127.0.0.1"
    # What is wrong with the settings is said here, and not in a browser.
    settings = load(args)
    report_withheld(settings)
    try:
        from tui.serving.server import Site, serve
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed", expected="pip install textual-serve") from error
    if not is_loopback(host):
        tell(
            f"WARNING: {host} is reached from other machines: whoever gets the address below can run commands here as "
            "you, and nothing on its way is encrypted"
        )
    site = Site(Gate(host=host, port=args.port), arguments(args))
    try:
        asyncio.run(serve(site, _say))
    except OSError as error:
        raise UsageError(f"cannot listen at {host}:{args.port}: {error.strerror or error}; see --port") from error
    return 0


def _say(address: str) -> None:
    print(f"Open this in your browser (the token in it lets whoever has it in): {address}", flush=True)
    if sys.stdin.isatty():
        print("Each page is a program of its own, and ends with the page. Ctrl+C ends all of them.", flush=True)


def arguments(args: argparse.Namespace) -> list[str]:
    """What each program is started with; the folder was entered already."""
    found = [f"--{name}={value}" for name in PASSED_ON if (value := getattr(args, name)) is not None]
    return [*found, *(["--continue"] if args.resume else []), *(["--debug"] if args.debug else [])]
