"""The arguments of `quarterdeck themes`."""

from __future__ import annotations

import argparse
from typing import Final

from tui.argument_parser import Parser, common_options

THEMES_TEXT: Final = """\
Colour themes: those that are built in, and your own in the folder "themes" beside your configuration file. A file that
changes there is seen while the screen is open.

Exit: 0 all is well, 1 a theme cannot be used or is hard to read, 2 usage."""


def themes_parser() -> Parser:
    parser = Parser("quarterdeck themes", THEMES_TEXT)
    common_options(parser)
    parts = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser)
    listing = parts.add_parser("list", help="all themes (this is the default)")
    check = parts.add_parser("check", help="what is wrong with a theme, and what in it is hard to read")
    check.add_argument("theme", metavar="FILE", help="a file, or the name of a theme")
    new = parts.add_parser("new", help="begin a theme of your own, as a copy of a built-in one")
    new.add_argument("name", metavar="NAME", help="lower case, with hyphens; it is the name of the file too")
    new.add_argument("--from", dest="model", default="quarterdeck-dark", metavar="THEME", help="the one to copy")
    for part in (listing, check, new):
        part.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return parser
