"""The arguments of `quarterdeck undo`."""

from __future__ import annotations

from typing import Final

from tui.argument_parser import Parser, common_options, positive

UNDO_TEXT: Final = """\
Put files back to what they were before the agent changed them: what its file tools changed, and what its commands
changed in a git work tree. Without options it is the last turn of this folder's newest session that changed anything.
The diff is shown first. A file that somebody else changed since, or a later turn, is left alone without --force.

Not covered: what commands changed outside of a git work tree, files that git ignores, submodules, .git itself, files
over 16 MB.

Exit: 0 put back or nothing to do, 1 something was left as it is, 2 usage or configuration."""


def undo_parser() -> Parser:
    parser = Parser("quarterdeck undo", UNDO_TEXT)
    common_options(parser)
    parser.add_argument("session", nargs="?", metavar="SESSION", help="the session's id, or its beginning")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="only list the turns that changed files, with their numbers")
    what.add_argument("--turn", type=positive, metavar="N", help="this turn, as --list numbers them")
    what.add_argument("--since", type=positive, metavar="N", help="this turn and every later one")
    what.add_argument("--redo", action="store_true", help="take back what was put back last")
    parser.add_argument(
        "--file", action="append", default=[], metavar="PATH", help="only this file; may be given several times"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would happen and change nothing")
    parser.add_argument(
        "--force", action="store_true", help="also over later changes by others; --redo brings them back"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--json", action="store_true", help="as one JSON object; does not ask, so with --yes or --dry-run"
    )
    return parser
