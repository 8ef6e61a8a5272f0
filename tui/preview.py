"""What a call will do, for a person who decides: exact, coloured, every invisible character marked. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual.content import Content

from tui.marked import marked
from tui.side_by_side import LEAST_WIDTH, beside, unified
from tui.words import count, duration

if TYPE_CHECKING:
    from runner.state import ApprovalView

__all__ = ["Preview", "diff", "files_of", "marked", "pretty", "preview", "who_asks"]


LONG_PATH = 60
"""Characters of a path that a title has room for at any width."""


@dataclass(frozen=True, slots=True)
class Preview:
    """title: what the tool wants. body: exactly what will happen. facts: where and how. token: its colour."""

    title: str
    body: Content
    facts: tuple[str, ...]
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What becomes of one file; nothing in it is clean."""

    path: str
    diff: str
    added: int | None
    removed: int | None
    new_file: bool

    @property
    def counts(self) -> str:
        return f"+{self.added if self.added is not None else '?'} -{self.removed if self.removed is not None else '?'}"


def preview(approval: ApprovalView, width: int = 80) -> Preview:
    """width: cells that the body has; from LEAST_WIDTH on old and new stand side by side."""
    found = approval.preview
    tool = approval.tool
    token = f"risk-{approval.risk}"
    match found.get("type"):
        case "command":
            return _command(tool, found, token)
        case "diff" | "diffs":
            return _diffs(tool, files_of(found), token, width)
        case "url":
            return _url(tool, found, token)
        case "text":
            body = marked(str(found.get("text", "")), "$foreground")
            return Preview(f"{tool} asks", body, (), token)
        case "question" | "form":
            return _question(approval)
        case "mcp":
            return _mcp(found, approval, token)
        case _:
            return Preview(f"{tool} wants to run", pretty(approval.arguments), (), token)


def _command(tool: str, found: Mapping[str, Any], token: str) -> Preview:
    lines = str(found.get("command", "")).split("\n")
    parts = [
        Content.assemble(("$ " if not index else "  ", "$muted"), marked(line, "$foreground"))
        for index, line in enumerate(lines)
    ]
    timeout = found.get("timeout")
    limit = f"ends after {duration(float(timeout))}" if isinstance(timeout, int | float) else "no time limit"
    facts = [f"in {found.get('cwd', '?')}", limit, *_surroundings(found)]
    does = "start a process that goes on by itself" if found.get("background") else "run a command"
    return Preview(f"{tool} wants to {does}", Content("\n").join(parts), tuple(facts), token)


def _surroundings(found: Mapping[str, Any]) -> list[str]:
    """The sandbox, and what of the environment differs."""
    facts: list[str] = []
    sandbox = found.get("sandbox")
    if isinstance(sandbox, dict):
        entry = cast("Mapping[str, object]", sandbox)
        if entry.get("on"):
            facts.append("sandbox on, with network" if entry.get("network") else "sandbox on, no network")
        else:
            why = entry.get("why")
            facts.append(f"no sandbox: {why}" if why else "no sandbox")
        folders = [folder for folder in _texts(entry.get("write")) if folder != found.get("cwd")]
        if folders:
            facts.append(f"may also write {', '.join(folders)}")
    withheld = _texts(found.get("withheld"))
    if withheld:
        facts.append(f"{count(len(withheld), 'variable')} withheld: {', '.join(withheld)}")
    return facts


def _texts(found: object) -> list[str]:
    return [str(each) for each in cast("list[object]", found)] if isinstance(found, list) else []


def files_of(found: Mapping[str, Any]) -> list[FileDiff]:
    """The files of a preview or of a display that shows changes; none where it shows something else."""
    match found.get("type"):
        case "diff":
            return [_file(found)]
        case "diffs":
            listed = found.get("files")
            entries = cast("list[object]", listed) if isinstance(listed, list) else []
            return [_file(cast("Mapping[str, Any]", each)) for each in entries if isinstance(each, dict)]
        case _:
            return []


def _file(found: Mapping[str, Any]) -> FileDiff:
    added, removed = found.get("added"), found.get("removed")
    return FileDiff(
        path=str(found.get("path", "?")),
        diff=str(found.get("diff", "")),
        added=added if isinstance(added, int) else None,
        removed=removed if isinstance(removed, int) else None,
        new_file=bool(found.get("new_file")),
    )


def _diffs(tool: str, files: Sequence[FileDiff], token: str, width: int) -> Preview:
    if len(files) == 1:
        file = files[0]
        what = "make the file" if file.new_file else "change"
        facts = (f"{_lines(file.added)} added, {_lines(file.removed)} removed",)
        body = diff(file.diff, width)
        if len(file.path) > LONG_PATH:
            # A title has a few lines only; the name of a file is never told in part.
            body = Content("\n").join([file_line(file), body])
        return Preview(f"{tool} wants to {what} {file.path}", body, facts, token)
    parts: list[Content] = [file_line(file) for file in files]
    for file in files:
        parts += [Content(""), file_line(file), diff(file.diff, width)]
    added = sum(file.added or 0 for file in files)
    removed = sum(file.removed or 0 for file in files)
    facts = (f"{_lines(added)} added, {_lines(removed)} removed in all",)
    return Preview(f"{tool} wants to change {count(len(files), 'file')}", Content("\n").join(parts), facts, token)


def file_line(file: FileDiff) -> Content:
    """A file of several, as a heading."""
    new = "new file, " if file.new_file else ""
    return Content.assemble(marked(file.path, "bold $primary"), (f"  {new}{file.counts}", "$muted"))


def diff(text: str, width: int = 80) -> Content:
    """A unified diff as it fits best."""
    return beside(text, width) if width >= LEAST_WIDTH else unified(text)


def _lines(number: int | None) -> str:
    return count(number, "line") if number is not None else "? lines"


def _url(tool: str, found: Mapping[str, Any], token: str) -> Preview:
    url, host = str(found.get("url", "")), str(found.get("host", ""))
    start, end = _host_place(url, host)
    before, at, after = url[:start], url[start:end], url[end:]
    body = Content.assemble(
        ("host  ", "$muted"),
        marked(host or "?", f"bold ${token}"),
        "\n",
        ("url   ", "$muted"),
        marked(before, "$muted"),
        marked(at, f"bold ${token}"),
        marked(after, "$foreground"),
    )
    return Preview(f"{tool} wants to open an address", body, (), token)


def _host_place(url: str, host: str) -> tuple[int, int]:
    """Where the host stands in the URL: behind what looks like a user, which may look like a host itself."""
    start = url.find("//") + 2 if "//" in url else 0
    end = next((at for at in range(start, len(url)) if url[at] in "/?#\\"), len(url))
    start = max(start, url.rfind("@", start, end) + 1)
    found = url.lower().find(host.lower(), start, end) if host else -1
    return (found, found + len(host)) if found >= 0 else (len(url), len(url))


def who_asks(approval: ApprovalView) -> str:
    """Who asks a question, where that is not the agent: the name of a server. Not clean."""
    who = approval.preview.get("who")
    return who if isinstance(who, str) else ""


def _question(approval: ApprovalView) -> Preview:
    """A question's text; who asks stands over it, because the words may be a stranger's."""
    server, text = who_asks(approval), str(approval.preview.get("text", ""))
    if not server:
        return Preview(f"{approval.agent or 'the agent'} asks you", marked(text, "$foreground"), (), "state-waiting")
    body = Content.assemble(("its words: ", "$risk-medium"), marked(text, "$foreground"))
    facts = ("the words are the server's, not the agent's", "never give a server a password")
    return Preview(f"the server {server} asks you", body, facts, "risk-medium")


def _mcp(found: Mapping[str, Any], approval: ApprovalView, token: str) -> Preview:
    """A tool of a server: what it says it does is the server's word."""
    server, tool = str(found.get("server", "?")), str(found.get("tool", approval.tool))
    arguments = found.get("arguments")
    shown = cast("Mapping[str, Any]", arguments) if isinstance(arguments, dict) else approval.arguments
    parts = [pretty(shown)]
    if found.get("approval") == "changed":
        changed = ", ".join(_texts(found.get("changed"))) or "something"
        parts.insert(0, marked(f"this tool is not what you allowed before: {changed} changed", "bold $risk-high"))
        if old := found.get("old_description"):
            parts.append(Content.assemble(("it said before: ", "$muted"), marked(str(old), "$muted")))
    description = str(found.get("description", "") or "")
    if description:
        parts.append(Content.assemble(("it says of itself: ", "$risk-medium"), marked(description, "$muted")))
    facts = [f"server {server}, {'trusted' if found.get('trusted') else 'not trusted'}"]
    if found.get("approval") == "new":
        facts.append("never allowed before")
    hints = _hints(found.get("annotations"))
    if hints:
        facts.append(f"it says: {hints}")
    return Preview(f"{tool} of the server {server} wants to run", Content("\n").join(parts), tuple(facts), token)


def _hints(found: object) -> str:
    """What a server says about its tool, which nobody has checked."""
    entry = cast("dict[str, object]", found) if isinstance(found, dict) else dict[str, object]()
    return ", ".join(f"{name} {str(value).lower()}" for name, value in entry.items() if isinstance(value, bool))


def pretty(arguments: Mapping[str, Any] | str) -> Content:
    """Arguments as JSON, one a line, escapes shown as JSON writes them."""
    if isinstance(arguments, str):
        return marked(arguments, "$foreground")
    return marked(json.dumps(arguments, indent=2, ensure_ascii=False, default=str), "$foreground")
