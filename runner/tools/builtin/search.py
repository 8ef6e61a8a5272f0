"""search: lines that match a regular expression, by ripgrep where there is one.

Matching always happens in a child process: a pattern that backtracks without end holds the interpreter's lock, and
a child can be killed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolError, ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput, ToolStep
from runner.tools.builtin import search_worker
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.child import Ending
from runner.tools.names import cut
from runner.tools.process import run_process
from runner.tools.threads import in_thread
from runner.tools.workspace import concern_about, enter

MATCHES = 200
"""Matching lines that are shown."""

LINE_SHOWN = 300
"""Characters of a matching line that are shown."""

SECONDS = 30.0
"""For one search."""

_OUTPUT = 2 * 1024 * 1024

# The ignore rules are cut down to .gitignore files, which is what the worker knows.
_RIPGREP = [
    "--no-config",
    "--color=never",
    "--no-heading",
    "--with-filename",
    "--line-number",
    "--null",
    "--no-messages",
    "--hidden",
    "--no-require-git",
    "--no-ignore-dot",
    "--no-ignore-global",
    "--no-ignore-exclude",
    "--sort=path",
    "--max-columns=4096",
    "--max-columns-preview",
    "--glob=!.git",
]

_PARAMS = (
    Param(name="pattern", type="string", description="A regular expression, matched line by line.", required=True),
    Param(name="path", type="string", description="The file or folder to look in.", default="."),
    Param(name="glob", type="string", description='Only files whose name matches, such as "*.py" or "src/**/*.ts".'),
)
_check = checker(_PARAMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """path: relative to cwd, or absolute."""

    pattern: str
    path: str
    cwd: Path
    globs: tuple[str, ...]


def _validate(arguments: JsonObject) -> JsonObject:
    found = _check(arguments)
    for name in ("pattern", "glob"):
        if found[name] is not None and (not found[name] or "\0" in found[name]):
            raise ToolInputError(f"{name}: is empty or has a NUL character in it")
    return found


async def _run(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    place = enter(ctx, str(arguments["path"]))
    if not await in_thread(lambda: os.path.exists(place.real), name="tool-search"):
        raise ToolInputError(f"path: {place.shown} does not exist")
    query = Query(
        pattern=arguments["pattern"],
        path=place.shown,
        cwd=Path(place.root) if place.inside else ctx.workspace,
        globs=tuple(search_worker.expand_braces(arguments["glob"])) if arguments["glob"] else (),
    )
    yield ToolOutput(text=await find(ctx, query, shutil.which("rg")))


async def find(ctx: ToolContext, query: Query, ripgrep: str | None) -> str:
    """The result as text, the same whether by ripgrep or by the worker, which also takes what ripgrep cannot."""
    if ripgrep is not None and all(_is_file_name(glob) for glob in query.globs):
        ending = await _child(ctx, _ripgrep_argv(ripgrep, query), query)
        # 2 is a pattern of another dialect, such as one that looks ahead.
        if ending.timed_out or ending.exit_code in (0, 1) or "\0" in ending.output:
            return _as_text(ending)
    ending = await _child(ctx, _worker_argv(query), query)
    if ending.exit_code == search_worker.BAD_PATTERN:
        raise ToolInputError(f"pattern: {ending.output.strip()}")
    if ending.exit_code not in (0, None):
        raise ToolError(f"The search failed: {ending.output.strip()[-500:]}")
    return _as_text(ending)


def _is_file_name(glob: str) -> bool:
    return "/" not in glob and not glob.startswith("!") and re.search(r"[*?\[]", glob) is not None


async def _child(ctx: ToolContext, argv: list[str], query: Query) -> Ending:
    name = cut(f"search {query.pattern}")
    return await run_process(argv, ctx, name=name, cwd=query.cwd, timeout=SECONDS, live=False, output_limit=_OUTPUT)


def _ripgrep_argv(ripgrep: str, query: Query) -> list[str]:
    # A --glob would override the ignore files; a file type does not.
    types = [f"--type-add=wanted:{glob}" for glob in query.globs]
    chosen = ["--type=wanted"] if types else []
    return [ripgrep, *_RIPGREP, *types, *chosen, f"--regexp={query.pattern}", "--", query.path]


def _worker_argv(query: Query) -> list[str]:
    spec = importlib.util.find_spec("pathspec")
    if not sys.executable or spec is None or spec.origin is None:
        raise ToolError("Searching needs ripgrep, or a Python interpreter with pathspec.")
    library = str(Path(spec.origin).parent.parent)
    return [sys.executable, "-I", "-S", search_worker.__file__, library, query.pattern, query.path, *query.globs]


def _as_text(ending: Ending) -> str:
    lines: list[str] = []
    files: set[str] = set()
    more = False
    for path, number, text in _matches(ending.output):
        if len(lines) == MATCHES:
            more = True
            break
        files.add(path)
        lines.append(f"{path}:{number}: {text}")
    if ending.timed_out:
        lines.append(f"[the search was ended after {SECONDS:g} s; look in a smaller path, or with a glob]")
    elif more:
        lines.append(f"[the first {MATCHES} matching lines; there are more: narrow the pattern, the path or the glob]")
    elif not lines:
        return "No matches."
    else:
        lines.append(f"[{_count(len(lines), 'matching line')} in {_count(len(files), 'file')}]")
    return "\n".join(lines)


def _matches(output: str) -> Iterator[tuple[str, str, str]]:
    """The records `path NUL line:text`; a last one that was cut by the end of the child does not count."""
    for record in output.split("\n")[:-1]:
        path, found, rest = record.partition("\0")
        number, colon, text = rest.partition(":")
        if not found or not colon or not number.isdigit():
            continue
        text = text.rstrip("\r")
        yield path.removeprefix("./"), number, text if len(text) <= LINE_SHOWN else text[:LINE_SHOWN] + " [...]"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


SEARCH = Tool(
    name="search",
    description=(
        "Search files for lines that match a regular expression. Files that .gitignore names, binary files and .git "
        f"are left out. Shows at most {MATCHES} lines as path:line: text."
    ),
    parameters=schema_of(_PARAMS),
    run=_run,
    validate=_validate,
    kind="read",
    read_only=True,
    idempotent=True,
    concern=lambda ctx, arguments: concern_about(ctx, str(arguments["path"]), writes=False),
)
