"""The arguments of `quarterdeck serve`."""

from __future__ import annotations

import argparse

from tui.argument_parser import Parser, choice_options, common_options

PORT = 8730


def serve_parser() -> Parser:
    parser = Parser("quarterdeck serve", SERVE_TEXT)
    common_options(parser)
    choice_options(parser)
    parser.add_argument("--theme", metavar="NAME", help="the colour theme")
    parser.add_argument("--port", type=_port, default=PORT, metavar="N", help=f"default: {PORT}; 0 takes a free one")
    parser.add_argument(
        "--host", metavar="ADDRESS", help="listen at another address than 127.0.0.1, which lets other machines in"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--session", metavar="ID", help="open this session (an id or its beginning)")
    again.add_argument("--continue", dest="resume", action="store_true", help="open the last session of this folder")
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("expected 0 to 65535")
    return number


SERVE_TEXT = """\
Serve the screen to a browser on this machine. Nobody gets in without the token in the printed address; nothing is
loaded from other hosts. Each page is a program of its own that ends with the page, its runs aborted and saved.

Not possible in a browser: your own editor ($EDITOR), ctrl+z, and some keys that browsers keep (ctrl+w, ctrl+n, ctrl+t).
Copying needs the browser's leave for the clipboard."""
