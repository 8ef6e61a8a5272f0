"""What could not be kept, in a few words each."""

from __future__ import annotations

import os
from collections.abc import Sequence

NAMED = 5

TOLD = (
    "[Meanwhile the user put files back to what they were before you changed them: {files}. "
    "Read them again before you change them.]"
)
"""For the model, with the user's next message."""

NO_TREE = "the folder is no git work tree, so what the command changed was not kept"
NO_GIT = "git is not installed, so what the command changed was not kept"
TOO_MANY = "the work tree is too large to compare, so what the command changed was not kept"
NO_ANSWER = "git could not say what the command changed, so it was not kept"
SHARED = "another command ran at the same time, so a change may be the other one's"
BACKGROUND = "a background process was running: changes may be its own, and what it changes later is not covered"
MOVED_ON = "git moved to another commit; undo puts back files, not that"
STAGED = "what is staged for git changed; undo puts back files, not that"
NOT_ENDED = "the program ended while the command ran: later changes by others may be among these"


def could_not_keep(names: Sequence[str], problem: str) -> str:
    return f"could not be kept ({problem}): {listed(names)}"


def large(names: Sequence[str]) -> str:
    return f"too large to be kept: {listed(names)}"


def too_much(names: Sequence[str]) -> str:
    return f"too much had changed before to keep all of it: {listed(names)}"


def unreadable(names: Sequence[str]) -> str:
    return f"could not be read: {listed(names)}"


def converted(names: Sequence[str]) -> str:
    return f"git stores another form of it, and what it was is not known: {listed(names)}"


def unnameable(count: int) -> str:
    return f"{count} changed {'file has a name' if count == 1 else 'files have names'} that is no UTF-8 text"


def came_from_elsewhere(names: Sequence[str]) -> str:
    return f"was there before as an ignored file, or was moved here, so undo leaves it: {listed(names)}"


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    shown = ", ".join(os.fsencode(name).decode("utf-8", "replace") for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED:,} more"
