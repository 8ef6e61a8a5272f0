"""A running command in a few words, for people."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

SHORT = 60
"""Characters of a name."""

_READ = 4096

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_WRAPPERS = frozenset({"exec", "command", "nohup", "setsid", "time", "env", "nice", "ionice", "stdbuf", "xvfb-run"})
_SET = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=(?:\"[^\"]*\"|'[^']*'|[^\s\"';&|]*)\s+")
_MOVED = re.compile(r"(?:cd|pushd)\s+(?:\"[^\"]*\"|'[^']*'|[^\s\"';&|]+)\s*(?:&&|;|\n)\s*")
_STRICT = re.compile(r"(?:set\s+[-+][^;&|\n]*|trap\s+[^;&|\n]*)(?:&&|;|\n)\s*")
_COMMENT = re.compile(r"#[^\n]*\n\s*")
_WORD = re.compile(r"(\S+)\s+(?=[^-\s])")


def short_name(command: str | Sequence[str]) -> str:
    """The first words of what a command line, or an argv, really runs: `sh -c "cd x && pytest -q"` is `pytest -q`.

    One line without control characters, at most SHORT characters.
    """
    return cut(_script(command) if isinstance(command, str) else _program(list(command)))


def cut(text: str) -> str:
    """On one line, without what a terminal would obey, and short."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text[:_READ]).split())
    return shown if len(shown) <= SHORT else shown[: SHORT - 1] + "…"


def _program(argv: list[str]) -> str:
    if not argv:
        return ""
    name = os.path.basename(argv[0]) or argv[0]
    script = _after_c(argv) if name in _SHELLS else None
    return " ".join([name, *argv[1:]]) if script is None else _script(script)


def _after_c(argv: list[str]) -> str | None:
    """The script that a shell is given with -c, which may stand together with other flags, as in `bash -lc`."""
    words = iter(argv[1:])
    for word in words:
        if word in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
            next(words, None)
        elif not word.startswith(("-", "+")):
            return None
        elif not word.startswith("--") and word.endswith("c"):
            return next(words, None)
    return None


def _script(text: str) -> str:
    """What comes before the command is skipped: remarks, folders, settings, variables, programs that start another."""
    rest = text.strip()[:_READ]
    while rest:
        for prelude in (_COMMENT, _MOVED, _STRICT, _SET):
            found = prelude.match(rest)
            if found is not None:
                break
        else:
            found = _WORD.match(rest)
            if found is None or found[1] not in _WRAPPERS:
                return rest
        shorter = rest[found.end() :].lstrip()
        if not shorter:
            return rest
        rest = shorter
    return rest
