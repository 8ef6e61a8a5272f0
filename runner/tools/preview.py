"""Previews and views: JSON objects that front ends draw, of a fixed set of types (SEMANTICS section 9).

Previews: {"type": "command", "command", "cwd", "timeout", "sandbox"?, "background"?}, {"type": "diff", "path", "diff",
"added", "removed", "new_file"}, {"type": "diffs", "files": [what a diff has]}, {"type": "url", "url", "host"},
{"type": "text", "text"}, {"type": "arguments"}.

Results also: {"type": "command_result", "exit_code", "signal", "sandbox"?}, {"type": "todo", "items": [{"text",
"status"}]}, {"type": "answers", "question", "answers", "reason"}, {"type": "page", "url", "status", "what", "bytes",
"title", "moved"?}, {"type": "media", "path", "what", "bytes", "width"?, "height"?}.

"sandbox" is there unless it is switched off: in a preview {"on", "network", "why" (not), "required", "write"}, in a
result {"on", "network", "why"}. "background": it goes on after the call.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from runner.messages import JsonObject
from runner.tools.truncate import encodable

CONTEXT = 3
"""Unchanged lines shown around a change."""

DIFF_SHOWN = 256 * 1024
"""Characters of a diff that are shown; of a longer one the rest is counted in its last line."""

_COMPARED = 4_000_000
"""Changed lines before times after that are compared line by line; beyond, they are shown as replaced whole."""

_NO_NEWLINE = "\\ No newline at end of file"


def command_preview(
    command: str,
    cwd: Path,
    timeout: float | None,
    *,
    sandbox: JsonObject | None = None,
    withheld: Sequence[str] = (),
    background: bool = False,
) -> JsonObject:
    """withheld: names of the environment variables that it does not get."""
    found: JsonObject = {"type": "command", "command": command, "cwd": str(cwd), "timeout": timeout}
    if sandbox is not None:
        found["sandbox"] = sandbox
    if withheld:
        found["withheld"] = [*withheld]
    if background:
        found["background"] = True
    return found


def url_preview(url: str) -> JsonObject:
    return {"type": "url", "url": url, "host": urlsplit(url).hostname or ""}


def text_preview(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def diff_preview(path: str, old: str | None, new: str, *, shown: int = DIFF_SHOWN) -> JsonObject:
    """A unified diff. old None: the file is new. shown: characters of it; of a longer one the rest is counted."""
    path = encodable(path)
    lines, added, removed = unified(old or "", new)
    name = "/dev/null" if old is None else f"a/{path}"
    within = list(_within(lines, shown))
    text = "\n".join([f"--- {name}", f"+++ b/{path}", *within]) + "\n" if within else ""
    return {
        "type": "diff",
        "path": path,
        "diff": encodable(text),
        "added": added,
        "removed": removed,
        "new_file": old is None,
    }


def _within(lines: Sequence[str], limit: int) -> Iterator[str]:
    size = 0
    for index, line in enumerate(lines):
        size += len(line) + 1
        if size > limit:
            yield f"[... {len(lines) - index:,} more lines of this diff are not shown ...]"
            return
        yield line


def unified(old: str, new: str) -> tuple[list[str], int, int]:
    """The hunks of a unified diff as lines without line feeds, and how many lines were added and removed."""
    before, after = _lines(old), _lines(new)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old_middle, new_middle = before[start : len(before) - end], after[start : len(after) - end]
    if not old_middle and not new_middle:
        return [], 0, 0
    groups = _groups(old_middle, new_middle, start, len(before), len(after))
    lines: list[str] = []
    added = removed = 0
    for group in groups:
        first, last = group[0], group[-1]
        lines.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines += _marked(" ", before[old_from:old_to])
            else:
                lines += _marked("-", before[old_from:old_to])
                lines += _marked("+", after[new_from:new_to])
                removed += old_to - old_from
                added += new_to - new_from
    return lines, added, removed


_Step = tuple[str, int, int, int, int]


def _groups(old: list[str], new: list[str], start: int, old_total: int, new_total: int) -> list[list[_Step]]:
    """What changed between the parts that differ, with context from around them, in whole-file line numbers."""
    if len(old) * len(new) > _COMPARED:
        steps: list[_Step] = [("replace", 0, len(old), 0, len(new))]
    else:
        steps = [*difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]
    moved = [(tag, a + start, b + start, c + start, d + start) for tag, a, b, c, d in steps]
    lead = min(CONTEXT, start)
    if lead:
        moved.insert(0, ("equal", start - lead, start, start - lead, start))
    old_end, new_end = start + len(old), start + len(new)
    tail = min(CONTEXT, old_total - old_end)
    if tail:
        moved.append(("equal", old_end, old_end + tail, new_end, new_end + tail))
    groups: list[list[_Step]] = [[]]
    for index, (tag, a, b, c, d) in enumerate(moved):
        inner = 0 < index < len(moved) - 1
        if tag == "equal" and inner and b - a > 2 * CONTEXT:
            groups[-1].append((tag, a, a + CONTEXT, c, c + CONTEXT))
            groups.append([(tag, b - CONTEXT, b, d - CONTEXT, d)])
        else:
            groups[-1].append((tag, a, b, c, d))
    return groups


def _lines(text: str) -> list[str]:
    """Split at line feeds only, each kept, so that a carriage return is a visible part of its line."""
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield mark + line[:-1]
        else:
            yield mark + line
            yield _NO_NEWLINE


def _range(start: int, stop: int) -> str:
    count = stop - start
    first = start + 1 if count else start
    return str(first) if count == 1 else f"{first},{count}"
