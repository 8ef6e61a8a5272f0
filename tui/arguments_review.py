"""The arguments of the commands that look at stored sessions once more."""

from __future__ import annotations

from tui.argument_parser import Parser, common_options, positive


def replay_parser() -> Parser:
    text = """\
Play a stored session again: what was said on stdout, what happened on stderr, in the time that it took. What was
streamed is stored as a whole and is written bit by bit in the time that the response took. Ctrl-C ends it."""
    parser = Parser("quarterdeck replay", text)
    common_options(parser)
    parser.add_argument("id", metavar="ID", help="the session's id, or its beginning")
    parser.add_argument(
        "--speed", default="1", metavar="N", help="N times as fast, from 0.1 to 1000, or max (default 1)"
    )
    parser.add_argument(
        "--max-wait", default="10", metavar="SECONDS", help="cut longer pauses to this, or off (default 10)"
    )
    parser.add_argument("--json", action="store_true", help="every stored event as one line of JSON")
    return parser


def compare_parser() -> Parser:
    text = """\
Two sessions side by side: where they part, the calls that only one made, answers, tokens, cost and time.
Marks: ≠ they differ, ~ the same call with another result, < and > only one has it."""
    parser = Parser("quarterdeck compare", text)
    common_options(parser)
    parser.add_argument("a", metavar="A", help="a session's id, or its beginning")
    parser.add_argument("b", metavar="B", help="the other one's")
    parser.add_argument("--all", action="store_true", help="what is the same too")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


def fork_parser() -> Parser:
    text = """\
Begin a new session with a copy of another one up to the end of a turn, and print its id. The old session stays as it
is, also while it runs, and deleting either never harms the other. What the copied turns cost stays with the old one;
what you allowed for the old session is not allowed in the new one."""
    parser = Parser("quarterdeck fork", text)
    common_options(parser)
    parser.add_argument("id", metavar="ID", help="the session's id, or its beginning")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--turn", type=positive, metavar="N", help="after this turn (default: the last finished one)")
    where.add_argument("--before", type=positive, metavar="N", help="before the prompt of this turn, to ask it anew")
    where.add_argument("--list", action="store_true", help="only list the turns with their numbers")
    parser.add_argument("--name", metavar="NAME", help="a name for the new session")
    parser.add_argument("--json", action="store_true", help="as one JSON object, with the prompt that comes next")
    return parser
