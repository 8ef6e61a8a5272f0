"""The arguments of `quarterdeck policy`."""

from __future__ import annotations

import argparse
from typing import Final

from tui.argument_parser import MODES, Parser, common_options, positive

BY: Final = ("user", "rule", "grant", "timeout", "stop", "disconnect")
DECISIONS: Final = ("allow", "deny", "edit", "answer", "end_run")

POLICY_TEXT: Final = """\
What may run here, and which rule says so: rules of your configuration, of the project's and of QUARTERDECK_RULES, and
what you allowed or denied for the project or for every project.

Exit of check: 0 allowed, 1 denied, 3 asks a person, 2 usage or configuration. Exit of test: 0, or 1 where one fails."""


def policy_parser() -> Parser:
    parser = Parser("quarterdeck policy", POLICY_TEXT)
    common_options(parser)
    parts = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser, required=True)
    check = parts.add_parser("check", help="the decision about one call, with its rule and its reason")
    check.add_argument("tool", nargs="?", metavar="TOOL", help="the tool, such as write_file (default: shell)")
    check.add_argument("arguments", nargs="?", metavar="JSON", help="its arguments as a JSON object")
    check.add_argument("--command", metavar="LINE", help="a shell line, instead of TOOL and JSON")
    check.add_argument("--approve", choices=MODES, metavar="MODE", help=f"in this mode: {', '.join(MODES)}")
    test = parts.add_parser("test", help="run the examples that stand beside the rules, in default mode")
    listing = parts.add_parser("list", help="every rule and every lasting grant, in the order of their levels")
    trial = parts.add_parser("try", help="what the rules of a file would have done to the approvals of the past")
    trial.add_argument("file", metavar="RULE.toml", help="a file with [[rules]]")
    book = parts.add_parser("ledger", help="every decision that was made about a call, searched")
    book.add_argument("--text", metavar="WORDS", help="with these words in the call, the rule or the reason")
    book.add_argument("--tool", metavar="NAME", help="about this tool")
    book.add_argument("--by", choices=BY, metavar="WHO", help=f"decided by: {', '.join(BY)}")
    book.add_argument("--decision", choices=DECISIONS, metavar="WHAT", help=f"one of {', '.join(DECISIONS)}")
    book.add_argument("--since", metavar="WHEN", help="2026-01-31, today, or 7d for the last 7 days with today")
    book.add_argument("--limit", type=positive, default=50, metavar="N", help="the newest N (default 50)")
    granted = parts.add_parser("grants", help="what people allowed or denied beyond one call, and what is left of it")
    revoke = parts.add_parser("revoke", help="take grants back")
    revoke.add_argument("key", nargs="?", metavar="KEY", help="the grant's key, or its beginning")
    revoke.add_argument("--all", action="store_true", help="all that count in this folder")
    for part in (check, test, listing, trial, book, granted):
        part.add_argument("--json", action="store_true", help="as one JSON object")
    for part in (check, test, listing, trial, book, granted, revoke):
        part.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return parser
