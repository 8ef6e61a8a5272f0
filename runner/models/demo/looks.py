"""Carrying out what only looks: all looks that stand together are asked for in one response."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

from runner.messages import JsonObject
from runner.models.demo.failures import failure
from runner.models.demo.intents import CURRENT, Describe, ListFiles, ReadFile, Search
from runner.models.demo.outcome import Outcome
from runner.models.demo.stage import Script, Stage, Wanted, ask, block, code, plural

Look: TypeAlias = ListFiles | ReadFile | Describe | Search

_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")
_HIT = re.compile(r"^(?P<file>[^:\n]+?)[:-](?P<line>\d+)[:-]")
_LANGUAGES = {".py": "python", ".md": "markdown", ".toml": "toml", ".json": "json", ".sh": "sh", ".yml": "yaml"}


def look(looks: Sequence[Look], stage: Stage) -> Script:
    wanted = [_call(one) for one in looks]
    if stage.missing(*dict.fromkeys(call.tool for call in wanted)):
        return False
    what = "; ".join(_describe(one) for one in looks)
    together = " They do not depend on each other, so I ask for them together." if len(looks) > 1 else ""
    reasoning = f"To do: {what}. Looking changes nothing.{together}"
    outcomes = yield from ask(stage, reasoning, _intro(looks), *wanted)
    good = True
    for one, outcome in zip(looks, outcomes, strict=True):
        stage.say(report(one, outcome))
        good = good and outcome.ok
    return good


def _call(one: Look) -> Wanted:
    match one:
        case ListFiles(path=path):
            return Wanted("list_files", {"path": path})
        case ReadFile(path=path, start=start, end=end):
            arguments: JsonObject = {"path": path}
            if start is not None:
                arguments |= {"start": start, "end": end}
            return Wanted("read_file", arguments)
        case Describe(path=path):
            return Wanted("read_file", {"path": path})
        case Search(pattern=pattern, path=path, is_regex=is_regex):
            return Wanted("search", {"pattern": pattern if is_regex else literal(pattern), "path": path})


def literal(text: str) -> str:
    """A regular expression that matches the text itself, in Python's and in ripgrep's dialect."""
    return _SPECIAL.sub(lambda special: "\\" + special[0], text)


def _describe(one: Look) -> str:
    match one:
        case ListFiles(path=path):
            return f"list {_place(path)}"
        case ReadFile(path=path, start=None):
            return f"read {path}"
        case ReadFile(path=path, start=start, end=end):
            return f"read lines {start} to {end} of {path}"
        case Describe(path=path):
            return f"see what can be counted in {path}"
        case Search(pattern=pattern, path=path):
            return f"search {_place(path)} for {pattern!r}"


def _place(path: str) -> str:
    return "the working folder" if path == CURRENT else path


def _intro(looks: Sequence[Look]) -> str:
    if len(looks) > 1:
        return f"I look at {len(looks)} things at once."
    match looks[0]:
        case ListFiles(path=path):
            return f"I list {_place(path)}."
        case ReadFile(path=path) | Describe(path=path):
            return f"I read {code(path)}."
        case Search(pattern=pattern, path=path):
            return f"I search {_place(path)} for {code(pattern)}."


def report(one: Look, outcome: Outcome) -> str:
    """What a look came to, in words that come from the result."""
    if not outcome.ok:
        return failure(outcome, _describe(one))
    match one:
        case ListFiles(path=path):
            return _listed(path, outcome)
        case ReadFile(path=path):
            return _read(path, outcome)
        case Describe(path=path):
            return _counted(path, outcome)
        case Search(pattern=pattern, path=path):
            return _found(pattern, path, outcome)


def entries(outcome: Outcome) -> tuple[list[str], list[str]]:
    """The folders and the files of a listing; a folder's name ends with a slash."""
    names = [line.strip() for line in outcome.lines if not line.rstrip().endswith(":")]
    folders = [name for name in names if name.split("  ")[0].rstrip().endswith("/")]
    return folders, [name for name in names if name not in folders]


def _listed(path: str, outcome: Outcome) -> str:
    folders, files = entries(outcome)
    place = "The working folder" if path == CURRENT else code(path)
    if not folders and not files:
        return f"The tool says: {outcome.body.strip()}"
    what = f"{place} has {plural(len(folders), 'folder')} and {plural(len(files), 'file')} in this listing"
    cut = ", and the listing was cut" if outcome.cut else ""
    return f"{what}{cut}:\n\n{block(chr(10).join([*folders, *files]), most=24)}"


def _read(path: str, outcome: Outcome) -> str:
    lines = outcome.content.splitlines()
    if not lines:
        return f"The tool says: {outcome.body.strip() or f'nothing about {code(path)}'}"
    whole = f" of {outcome.total_lines:,}" if outcome.total_lines is not None else ""
    cut = ", and the tool left a part out because it is long" if outcome.cut else ""
    language = _LANGUAGES.get(PurePosixPath(path).suffix, "")
    return f"{code(path)}: {plural(len(lines), 'line')}{whole} came back{cut}.\n\n{block(outcome.content, language)}"


def _counted(path: str, outcome: Outcome) -> str:
    text = outcome.content
    if not text:
        return f"There is nothing to count in {code(path)}. The tool says: {outcome.body.strip()}"
    words = Counter(word.lower() for word in re.findall(r"[^\W\d_]{5,}", text))
    headings = [line.lstrip("# ").strip() for line in text.splitlines() if re.match(r"#{1,6} \S", line)]
    frequent = ", ".join(f"{code(word)} ({count})" for word, count in words.most_common(5))
    parts = [
        f"I have no understanding, so I cannot say what {code(path)} means. What I can count: "
        f"{plural(len(text.splitlines()), 'line')}, {plural(len(text.split()), 'word')}"
        f"{' in the part that I was shown' if outcome.cut else ''}.",
        f"Most frequent long words: {frequent}." if frequent else "",
        f"Headings: {'; '.join(headings[:8])}." if headings and path.endswith(".md") else "",
    ]
    return " ".join(part for part in parts if part)


def _found(pattern: str, path: str, outcome: Outcome) -> str:
    hits = [found for line in outcome.lines if (found := _HIT.match(line))]
    place = _place(path)
    if not hits:
        return (
            f"The search for {code(pattern)} in {place} says: {code(outcome.output) if outcome.output else 'nothing'}"
        )
    files = {hit["file"] for hit in hits}
    cut = " The result was cut, so there are more." if outcome.cut else ""
    matches = f"{plural(len(hits), 'matching line')} in {plural(len(files), 'file')}"
    return f"{code(pattern)}: {matches}.{cut}\n\n{block(chr(10).join(outcome.lines))}"
