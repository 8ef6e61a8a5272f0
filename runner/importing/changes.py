"""What a call of another program changed in a file, as the diff that our own calls show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from runner.importing.lines import number, tables, text
from runner.messages import JsonObject

MOST_CHARACTERS: Final = 400_000
"""Characters of a diff that are kept."""


def change_of(result: JsonObject) -> JsonObject | None:
    """The change that Claude Code wrote down beside a call's result; None where it tells of none."""
    path, content = text(result.get("filePath")), result.get("content")
    if not path:
        return None
    new = result.get("type") == "create" and isinstance(content, str)
    lines = list(_created(cast("str", content)) if new else _hunks(result.get("structuredPatch")))
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    if not added and not removed:
        return None
    body = "\n".join((f"--- {'/dev/null' if new else f'a/{path}'}", f"+++ b/{path}", *lines, ""))
    if len(body) > MOST_CHARACTERS:
        return None
    return {"type": "diff", "path": path, "diff": body, "added": added, "removed": removed, "new_file": new}


def _created(content: str) -> Iterator[str]:
    lines = content.split("\n")
    if lines[-1] == "":
        lines.pop()
    if lines:
        yield f"@@ -0,0 +1,{len(lines)} @@"
        yield from (f"+{line}" for line in lines)


def _hunks(patch: object) -> Iterator[str]:
    """Hunks whose lines are counted anew: what a log says of them may be wrong."""
    for hunk in tables(patch):
        lines = hunk.get("lines")
        if not isinstance(lines, list):
            continue
        found = [
            line for line in cast("list[object]", lines) if isinstance(line, str) and line[:1] in ("+", "-", " ", "\\")
        ]
        old, new = (sum(line[:1] in signs for line in found) for signs in ("- ", "+ "))
        yield f"@@ -{number(hunk.get('oldStart'))},{old} +{number(hunk.get('newStart'))},{new} @@"
        yield from found
