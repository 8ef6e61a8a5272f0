"""`quarterdeck` without a command: the screen, or line mode where there can be none."""

from __future__ import annotations

import argparse
import gc
import os
import sys

from runner.errors import ConfigError
from tui.cli import tell
from tui.commands.common import load, located, report_withheld
from tui.terminal import Streams, can_open, is_served


def run(args: argparse.Namespace) -> int:
    in_browser = is_served(os.environ, sys.stdin)
    plain = args.plain and not in_browser
    reason = None if plain or in_browser else can_open(os.environ, Streams(stdin=sys.stdin, stderr=sys.stderr))
    settings = load(args)
    if reason is not None:
        tell(f"{reason}; this is line mode")
    # Said before the screen is taken, it is what stands in the terminal when the screen is left.
    report_withheld(settings)
    if plain or reason is not None:
        from tui.line_mode.start import run_line_mode

        gc.enable()
        return run_line_mode(settings, prompt=args.prompt, session=args.session, resume=args.resume)

    from tui.opening import open_screen

    try:
        return open_screen(
            settings,
            prompt=args.prompt,
            session=args.session,
            resume=args.resume,
            debug=args.debug,
            in_browser=in_browser,
            given_folder=args.cwd,
        )
    except ConfigError as error:
        raise located(error, settings) from error
