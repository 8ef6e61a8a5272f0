"""The arguments of `quarterdeck sessions` for marking sessions, for the trash, and for a damaged store."""

from __future__ import annotations

from collections.abc import Callable

from tui.argument_parser import Parser, positive


def keeping_parsers(add: Callable[..., Parser]) -> list[Parser]:
    """add: makes the parser of an action (the add_parser of the subparsers)."""
    tag = add("tag", help="give a session tags, each one word")
    untag = add("untag", help="take tags away from a session")
    note = add("note", help="write a note to a session; an empty one takes it away")
    one = (tag, untag, note)
    for part in one:
        part.add_argument("id", metavar="ID", help="the session's id, or its beginning")
        part.add_argument("--turn", type=positive, metavar="N", help="only this turn of one of its runs")
        part.add_argument("--run", metavar="RUN", help="which run, where it has more than one")
    for part in (tag, untag):
        part.add_argument("tags", nargs="+", metavar="TAG")
    note.add_argument("text", metavar="TEXT")
    several = (
        add("pin", help="keep sessions above all others in lists"),
        add("unpin", help="let pinned sessions go back to their places"),
        add("trash", help="take sessions out of all lists; after 7 days they are deleted"),
        add("restore", help="take sessions out of the trash"),
    )
    for part in several:
        part.add_argument("ids", nargs="+", metavar="ID", help="a session's id, or its beginning")
    rescue = add("rescue", help="save what can be read of a damaged store into a new one; the old file is kept")
    return [*one, *several, rescue]
