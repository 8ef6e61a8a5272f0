"""Whether a command is what a deny rule names: through quoting, paths, options and other spellings of flags."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Literal

from runner.policy.shell.model import Line, Simple
from runner.policy.shell.options import EQUAL_FLAGS, VALUELESS
from runner.policy.shell.peel import base_name

Certainty = Literal["yes", "maybe", "no"]


def names_command(prefix: Sequence[str], command: Simple) -> Certainty:
    """maybe: a word that only the shell knows could make it one."""
    name = command.name
    if name is None:
        return "maybe"
    program = base_name(name)
    if program != base_name(prefix[0]):
        return "no"
    args = [word.text for word in command.words[1:]]
    found: Certainty = "yes"
    at = 0
    for wanted in prefix[1:]:
        if wanted.startswith("-") and len(wanted) > 1:
            answer = _has_flag(program, wanted, args)
        else:
            answer, at = _next_word(program, wanted, args, at)
        if answer == "no":
            return "no"
        if answer == "maybe":
            found = "maybe"
    return found


def names_line(prefix: Sequence[str], line: Line) -> Certainty:
    """The same for every command of a line; what hides may be it."""
    answers = {names_command(prefix, command) for command in line.commands}
    if "yes" in answers:
        return "yes"
    return "maybe" if "maybe" in answers or line.hides else "no"


def _next_word(program: str, wanted: str, args: Sequence[str | None], at: int) -> tuple[Certainty, int]:
    """The next word that is neither an option nor, perhaps, an option's value must be the wanted one."""
    may_be_value = False
    for place in range(at, len(args)):
        text = args[place]
        if text is None:
            return "maybe", place
        if text == wanted or _same_path(text, wanted):
            return "yes", place + 1
        if text.startswith("-"):
            may_be_value = "=" not in text and text not in VALUELESS.get(program, frozenset())
        elif may_be_value or (program == "git" and text.startswith("--")):
            may_be_value = False
        else:
            return "no", place
    return "no", len(args)


def _same_path(text: str, wanted: str) -> bool:
    if "/" not in wanted and wanted not in (".", "..", "~"):
        return False
    one, other = (posixpath.normpath(path.replace("//", "/")) for path in (text, wanted))
    return one.rstrip("*").rstrip("/") == other.rstrip("*").rstrip("/")


def _has_flag(program: str, wanted: str, args: Sequence[str | None]) -> Certainty:
    """Flags may stand anywhere, bundled, spelled out, or abbreviated."""
    same = EQUAL_FLAGS.get(program, {})
    if wanted.startswith("--"):
        spellings = [(wanted, *same.get(wanted, ()))]
    else:
        spellings = [(letter, *same.get(letter, ())) for letter in wanted[1:]]
    if all(any(_is_flag(text, spelling) for text in args if text is not None) for spelling in spellings):
        return "yes"
    if not wanted.startswith("--") and wanted in args:
        return "yes"
    return "maybe" if None in args else "no"


def _is_flag(text: str, spellings: tuple[str, ...]) -> bool:
    if not text.startswith("-"):
        return False
    for spelling in spellings:
        if spelling.startswith("--"):
            name = text.partition("=")[0]
            if text.startswith("--") and len(name) > 2 and spelling.startswith(name):
                return True
            if name == spelling:
                return True
        elif not text.startswith("--") and spelling.lstrip("-") in text[1:]:
            return True
    return False
