"""The arguments of `quarterdeck mcp`."""

from __future__ import annotations

import argparse
from typing import Final

from tui.argument_parser import Parser, common_options

MCP_TEXT: Final = """\
Servers of the Model Context Protocol, from the tables [mcp.NAME] of the configuration. `list` starts none of them,
`show` starts the one it names, says what it offers, and ends it.

Exit of show: 0 it is ready, 1 it cannot be reached, 2 there is no such server."""


def mcp_parser() -> Parser:
    parser = Parser("quarterdeck mcp", MCP_TEXT)
    common_options(parser)
    parts = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser, required=True)
    listing = parts.add_parser("list", help="the servers that are configured, and where")
    show = parts.add_parser("show", help="start a server and list its tools, prompts and resources")
    show.add_argument("name", metavar="NAME", help="as in [mcp.NAME]")
    for part in (listing, show):
        part.add_argument("--json", action="store_true", help="as one JSON object")
        part.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return parser
