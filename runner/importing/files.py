"""Which files are logs of other programs, and what is in one. Nothing is looked at that was not asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Final, Literal

from runner.errors import ConfigError
from runner.importing.claude_code import read_claude_code
from runner.importing.codex import read_codex
from runner.importing.lines import Reading
from runner.importing.own import OwnLog, is_own, read_own
from runner.importing.steps import Log, Source

PLACES: Final[dict[Source, tuple[str, str]]] = {
    "claude-code": (".claude/projects", "**/*.jsonl"),
    "codex": (".codex/sessions", "**/rollout-*.jsonl"),
}
"""Where in a home the programs keep them, and their names there."""

_LOOKED_AT: Final = 50
"""Lines from whose kinds the program is told that wrote a log."""


def home_of(source: Source, environ: Mapping[str, str]) -> Path:
    """The folder of a program's logs: where its own variable says, else in the home."""
    variable = {"claude-code": "CLAUDE_CONFIG_DIR", "codex": "CODEX_HOME"}[source]
    folder, _, below = PLACES[source][0].partition("/")
    own = environ.get(variable)
    return (Path(own) if own else Path(environ.get("HOME") or Path.home()) / folder) / below


def logs_in(folder: Path, source: Source | None = None) -> list[Path]:
    """The logs below a folder, oldest first; of one program, or all files whose name ends as theirs do."""
    pattern = PLACES[source][1] if source else "**/*.jsonl"
    found = [path for path in folder.glob(pattern) if path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime, path))


def read_log(path: Path, source: Source | None = None) -> Log | OwnLog:
    """source: whose it is; None: it is looked for, and a file of ours is one too.

    Raises ConfigError where the file cannot be read, or where nothing tells whose log it is.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = list(islice(file, _LOOKED_AT))
            kind = source or _source_of(head)
            if kind is None:
                problem = "it is no log of a program that is known here"
                raise ConfigError(problem, where=str(path), expected="a session of Claude Code, Codex or Quarterdeck")
            if kind == "quarterdeck":
                return read_own(chain(head, file))
            read = read_claude_code if kind == "claude-code" else read_codex
            return read(chain(head, file))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _source_of(head: Iterable[str]) -> Source | Literal["quarterdeck"] | None:
    for line in _objects(head):
        if is_own(line):
            return "quarterdeck"
        if "payload" in line and line.get("type") in ("session_meta", "response_item", "event_msg", "turn_context"):
            return "codex"
        if "sessionId" in line or "parentUuid" in line:
            return "claude-code"
    return None


def _objects(lines: Iterable[str]) -> Iterator[Mapping[str, object]]:
    yield from Reading(lines).objects()
