"""The words of a prefix: as a rule writes them, and whether an allowance of them can mean anything."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from runner.policy.shell.named import prefix_covers
from runner.policy.shell.peel import ASSIGNMENT, base_name
from runner.policy.shell.programs import CHANGES_FOLDER
from runner.policy.shell.walk import read_words

EXPECTED = 'a command and its first words, such as "git status" or ["git", "status"]'
_OPERATORS = frozenset({"&&", "||", ";", "|", "|&", "&", ">", ">>", "<", "<<", "<<<", "(", ")", "{", "}", "!"})


class PrefixError(ValueError):
    """What is wrong with a prefix, in words for the person who wrote it."""


def words_of(written: str | Sequence[str], effect: str) -> tuple[str, ...]:
    """The words of a rule's prefix; effect: allow, deny or ask. Needs no grammar. Raises PrefixError."""
    words = _split(written) if isinstance(written, str) else tuple(written)
    if not words or not words[0]:
        raise PrefixError("names no command")
    if ASSIGNMENT.match(words[0]):
        raise PrefixError("begins with a variable; it must begin with a command")
    if any(word in _OPERATORS or not word.isprintable() for word in words):
        raise PrefixError("has a shell operator or a control character in it")
    problem = allowance_problem(words) if effect == "allow" else None
    if problem is not None:
        raise PrefixError(problem)
    return words


def _split(written: str) -> tuple[str, ...]:
    """A text is split at blanks and quotes. What else a shell would expand in it is refused rather than guessed."""
    bare = re.sub(r"'[^']*'|\"[^\"$`\\\\]*\"", "", written)
    odd = re.search(r"[^\w\s@%+=:,./-]|[^\S ]", bare)
    if odd is not None:
        raise PrefixError(f"has {odd[0]!r} in it, which a shell would not take as it is; write a list of words")
    try:
        return tuple(shlex.split(written))
    except ValueError as error:
        raise PrefixError(f"is not one plain command ({error})") from error


def allowance_problem(words: Sequence[str]) -> str | None:
    """Why an allowance of these first words would cover nothing, or None."""
    line = read_words(words)
    prefix = tuple(words)
    for place, command in enumerate(line.commands):
        within = command.outer is None or command.offset is not None
        if within and prefix_covers(prefix, line, place):
            continue
        late = [risk.why for risk in command.risks if risk.index >= len(command.words)] or [
            risk.why for risk in command.risks
        ]
        return f"names too little: {late[0]}" if late else "names a command inside another one"
    if base_name(words[0]) in CHANGES_FOLDER:
        return None
    return next((f"cannot be allowed by its first words: {problem.why}" for problem in line.problems), None)
