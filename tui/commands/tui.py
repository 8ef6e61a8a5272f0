"""`quarterdeck` without a command: the screen, or line mode where there can be none."""

from __future__ import annotations

import argparse
import os
import sys

from tui.cli import tell
from tui.commands.common import load, report_withheld
from tui.terminal import Streams, can_open


def run(args: argparse.Namespace) -> int:
    reason = None if args.plain else can_open(os.environ, Streams(stdin=sys.stdin, stderr=sys.stderr))
    settings = load(args)
    if reason is not None:
        tell(f"{reason}; this is line mode")
    # Said before the screen is taken, it is what stands in the terminal when the screen is left.
    report_withheld(settings)
    if args.plain or reason is not None:
        from tui.line_mode.start import run_line_mode

        return run_line_mode(settings, prompt=args.prompt, session=args.session, resume=args.resume)

    from tui.app import run_app

    return run_app(settings, prompt=args.prompt, session=args.session, resume=args.resume)
