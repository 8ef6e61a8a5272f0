"""`quarterdeck` without a command: the screen."""

from __future__ import annotations

import argparse
import os
import sys

from tui.cli import EXIT_USAGE, tell
from tui.commands.common import load, report_withheld
from tui.terminal import Streams, can_open


def run(args: argparse.Namespace) -> int:
    reason = can_open(os.environ, Streams(stdin=sys.stdin, stderr=sys.stderr))
    if reason is not None:
        hint = "" if "quarterdeck run" in reason else " (without a screen: quarterdeck run PROMPT)"
        tell(f"{reason}{hint}")
        return EXIT_USAGE
    settings = load(args)
    # Said before the screen is taken, it is what stands in the terminal when the screen is left.
    report_withheld(settings)

    from tui.app import run_app

    return run_app(settings, prompt=args.prompt, session=args.session, resume=args.resume)
