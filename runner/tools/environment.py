"""The environment that a tool's child process gets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from runner.tools.secret_names import is_secret

_OWN_PREFIX = "QUARTERDECK_"
_COLOUR_FORCERS = frozenset({"FORCE_COLOR", "CLICOLOR_FORCE"})

QUIET: Mapping[str, str] = {"TERM": "dumb", "NO_COLOR": "1", "PAGER": "cat", "GIT_PAGER": "cat"}
"""What keeps programs from colouring, paging and waiting for keys; CI is left as it is."""


def is_withheld(name: str, value: str = "", *, hidden: Sequence[str] = (), passed: Sequence[str] = ()) -> bool:
    """Whether a variable is kept from children: secrets, this program's own settings, and what `hidden` names.

    A command that a model writes needs none of them, and one `env` would put them into the conversation. hidden,
    passed: names or globs, in any case; what is hidden is so whatever else is said of it. This program's own settings
    are passed only by their whole name.
    """
    upper = name.upper()
    if _named(upper, hidden):
        return True
    if upper.startswith(_OWN_PREFIX):
        return upper not in {entry.upper() for entry in passed}
    return is_secret(name, value) and not _named(upper, passed)


def _named(upper: str, entries: Sequence[str]) -> bool:
    return any(fnmatchcase(upper, entry.upper()) for entry in entries)


def child_environment(
    base: Mapping[str, str] | None = None, *, hidden: Sequence[str] = (), passed: Sequence[str] = ()
) -> dict[str, str]:
    """The environment for a child: base (this process's own where None) without what is withheld, made quiet."""
    source = os.environ if base is None else base
    kept = {
        name: value
        for name, value in source.items()
        if name not in _COLOUR_FORCERS and not is_withheld(name, value, hidden=hidden, passed=passed)
    }
    return kept | dict(QUIET)


def withheld(
    base: Mapping[str, str] | None = None, *, hidden: Sequence[str] = (), passed: Sequence[str] = ()
) -> tuple[str, ...]:
    """The names of the variables that children do not get, sorted; never a value."""
    source = os.environ if base is None else base
    return tuple(
        sorted(name for name, value in source.items() if is_withheld(name, value, hidden=hidden, passed=passed))
    )
