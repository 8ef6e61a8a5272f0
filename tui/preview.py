"""What a call will do, for a person who decides: exact, coloured, every invisible character marked. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.content import Content

from tui.render.clean import MARKS, visible
from tui.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.state import ApprovalView

_DIFF = {
    "+": "$diff-added on $diff-added-bg",
    "-": "$diff-removed on $diff-removed-bg",
    "@": "$diff-hunk on $diff-hunk-bg",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """title: what the tool wants. body: exactly what will happen. facts: where and how. token: its colour."""

    title: str
    body: Content
    facts: tuple[str, ...]
    token: str


def preview(approval: ApprovalView) -> Preview:
    found = approval.preview
    tool = approval.tool
    match found.get("type"):
        case "command":
            return _command(tool, found)
        case "diff":
            return _diff(tool, found)
        case "url":
            return _url(tool, found)
        case "text":
            body = marked(str(found.get("text", "")), "$foreground")
            return Preview(f"{tool} asks", body, (), "risk-medium")
        case _:
            return Preview(f"{tool} wants to run", pretty(approval.arguments), (), "risk-medium")


def _command(tool: str, found: Mapping[str, Any]) -> Preview:
    lines = str(found.get("command", "")).split("\n")
    parts = [
        Content.assemble(("$ " if not index else "  ", "$muted"), marked(line, "$foreground"))
        for index, line in enumerate(lines)
    ]
    timeout = found.get("timeout")
    limit = f"ends after {duration(float(timeout))}" if isinstance(timeout, int | float) else "no time limit"
    facts = (f"in {found.get('cwd', '?')}", limit)
    return Preview(f"{tool} wants to run a command", Content("\n").join(parts), facts, "risk-high")


def _diff(tool: str, found: Mapping[str, Any]) -> Preview:
    path = str(found.get("path", "?"))
    what = "make the file" if found.get("new_file") else "change"
    facts = (f"{_lines(found.get('added'))} added, {_lines(found.get('removed'))} removed",)
    return Preview(f"{tool} wants to {what} {path}", diff(str(found.get("diff", ""))), facts, "risk-medium")


def _lines(number: object) -> str:
    return count(number, "line") if isinstance(number, int) else "? lines"


def _url(tool: str, found: Mapping[str, Any]) -> Preview:
    url, host = str(found.get("url", "")), str(found.get("host", ""))
    before, at, after = url.partition(host) if host else (url, "", "")
    body = Content.assemble(
        ("host  ", "$muted"),
        marked(host or "?", "bold $risk-high"),
        "\n",
        ("url   ", "$muted"),
        marked(before, "$muted"),
        marked(at, "bold $risk-high"),
        marked(after, "$foreground"),
    )
    return Preview(f"{tool} wants to open an address", body, (), "risk-high")


def diff(text: str) -> Content:
    """A unified diff, coloured by line; the sign stays, so colour is never the only difference."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) > 2 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        # The names of the file stand in the title already, whole.
        del lines[:2]
    return Content("\n").join([marked(line, _DIFF.get(line[:1], "$diff-context")) for line in lines])


def pretty(arguments: Mapping[str, Any] | str) -> Content:
    """Arguments as JSON, one a line, escapes shown as JSON writes them."""
    if isinstance(arguments, str):
        return marked(arguments, "$foreground")
    return marked(json.dumps(arguments, indent=2, ensure_ascii=False, default=str), "$foreground")


def marked(text: str, style: str) -> Content:
    """Untrusted text with every invisible or dangerous character replaced by a mark that stands out."""
    shown = visible(text)
    content = Content.styled(shown, style)
    for found in MARKS.finditer(shown):
        content = content.stylize("bold $risk-high reverse", found.start(), found.end())
    return content
