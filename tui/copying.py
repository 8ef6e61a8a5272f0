"""What can be copied of an item: its text, its blocks of code, its command, what it changed. Pure.

What is copied goes into other programs: it holds no control character but newlines and tabs, as it is on the screen.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from runner.state import CallItem, CommandItem, Item, TextItem, UserItem
from tui.render.calls import display_of
from tui.render.clean import Clean, clean, copied
from tui.render.code import language_of
from tui.render.groups import Together
from tui.words import count

if TYPE_CHECKING:
    from runner.events import FileChange
    from runner.undo.blobs import Blobs

_LEFT_OUT = re.compile(r"\[\.\.\. [\d,]+ more lines of this diff are not shown \.\.\.\]\Z")
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NEEDS_QUOTES = re.compile(r'["\\\x00-\x1f\x7f]')
MOST_COPIED: Final = 74_000
"""Bytes that every terminal with a clipboard takes; some take no more."""

MODE: Final = 0o100644
EXECUTABLE: Final = 0o100755


@dataclass(frozen=True, slots=True)
class Code:
    language: Clean
    text: Clean


def text_of(item: Item | Together | None) -> str | None:
    """The Markdown of a message, not clean; None where the item is none."""
    if isinstance(item, UserItem | TextItem):
        return item.text
    return None


def may_hold_code(item: Item | Together | None) -> bool:
    """Whether it is worth looking for blocks of code; cheap enough for every frame while a text streams."""
    if isinstance(item, TextItem) and item.live:
        return True
    text = text_of(item)
    return text is not None and ("```" in text or "~~~" in text or "    " in text or "\t" in text)


def code_blocks(text: str) -> list[Code]:
    """The blocks of code of a message, in their order, fenced or indented, also in lists and quotes."""
    from tui.render.markdown import code_of

    return [Code(clean(language_of(info)), copied(code)) for info, code in code_of(text)]


def command_of(item: Item | Together | None) -> Clean | None:
    """The command that a call runs, or that a person ran."""
    if isinstance(item, CommandItem):
        return copied(item.command)
    if isinstance(item, CallItem) and isinstance(item.arguments, Mapping):
        command = item.arguments.get("command") or item.arguments.get("cmd")
        if isinstance(command, list):
            command = _joined(cast("list[object]", command))
        return copied(command) if isinstance(command, str) and command else None
    return None


def _joined(words: list[object]) -> str:
    """A command in words, as another program may have written it; what a shell was given is the command itself."""
    if len(words) == 3 and words[1] in ("-c", "-lc"):
        return str(words[2])
    return shlex.join(map(str, words))


def changed(item: Item | Together | None) -> bool:
    """Whether a call changed files, or asks to."""
    if not isinstance(item, CallItem):
        return False
    return bool(item.changes) or any(each.diff for each in _files(item))


@dataclass(frozen=True, slots=True)
class Patch:
    """left_out: files that are not in it. words: why it may not be what was done."""

    text: str
    files: int
    left_out: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    diff: str
    new: bool


def _files(call: CallItem) -> list[_File]:
    """The diffs that a call shows."""
    display = display_of(call) or {}
    match display.get("type"):
        case "diff":
            found: list[object] = [display]
        case "diffs":
            files = display.get("files")
            found = cast("list[object]", files) if isinstance(files, list) else []
        case _:
            return []
    entries = [cast("Mapping[str, object]", each) for each in found if isinstance(each, Mapping)]
    return [
        _File(str(each.get("path", "")), str(each.get("diff", "")), bool(each.get("new_file")))
        for each in entries
        if each.get("path")
    ]


def shown_patch(call: CallItem) -> Patch | None:
    """The patch that the diffs of a call make; None where they are not all there."""
    files = _files(call)
    if not files or any(_LEFT_OUT.search(file.diff.rstrip("\n")) for file in files):
        return None
    text = "".join(
        _git_diff(file.path, None if file.new else file.path, file.path, without_names(file.diff)) for file in files
    )
    done = call.phase == "finished" and call.status == "ok"
    return _patch(text, len(files), (), "" if done else "it was not done")


def told_patch(path: str, folder: Path, diffs: Iterable[tuple[str, bool]]) -> Patch:
    """The patch that diffs of one file make, one after the other, each with whether the file was new then."""
    name, shown = _below(path, folder), list(diffs)
    if name is None or any(_LEFT_OUT.search(diff.rstrip("\n")) for diff, _ in shown):
        return Patch("", 0, (path,))
    return _patch("".join(_git_diff(name, None if new else name, name, diff) for diff, new in shown), 1, ())


def without_names(diff: str) -> str:
    """Without the two lines that name the file, where they are there."""
    parts = diff.split("\n", 2)
    named = len(parts) == 3 and parts[0].startswith("--- ") and parts[1].startswith("+++ ")
    return parts[2] if named else diff


def kept_patch(changes: Iterable[FileChange], blobs: Blobs, folder: Path) -> Patch:
    """The patch of what a call changed, from the contents that are kept for undo and the files as they are. Blocks."""
    from runner.tools.preview import unified

    parts: list[str] = []
    left_out: list[str] = []
    for change in changes:
        name = _below(change.path, folder)
        before, after = kept_text(change.before, blobs, None), kept_text(change.after, blobs, change.path)
        if name is None or before is None or after is None:
            left_out.append(change.path)
            continue
        lines, _, _ = unified(before, after)
        old, new = (None if digest is None else name for digest in (change.before, change.after))
        hunks = "".join(f"{line}\n" for line in lines)
        parts.append(_git_diff(name, old, new, hunks, change.mode, change.mode_after))
    return _patch("".join(parts), len(parts), tuple(left_out))


def _below(path: str, folder: Path) -> str | None:
    try:
        return str(Path(path).relative_to(folder.resolve()))
    except ValueError:
        return None


def kept_text(digest: str | None, blobs: Blobs, path: str | None) -> str | None:
    """The text with this digest, "" for a file that was or is not there; None where it is not known or is no text."""
    from runner.undo.blobs import LARGEST, digest_of

    if digest is None:
        return ""
    data = blobs.get(digest)
    if data is None and path is not None:
        try:
            file = Path(path)
            found = file.read_bytes() if file.is_file() and file.stat().st_size <= LARGEST else None
        except OSError:
            found = None
        data = found if found is not None and digest_of(found) == digest else None
    try:
        return None if data is None or b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _git_diff(
    name: str, old: str | None, new: str | None, hunks: str, mode: int | None = None, mode_after: int | None = None
) -> str:
    """One file as git writes it, so that new, empty and oddly named files are understood."""
    head = [f"diff --git {_quoted('a/' + name)} {_quoted('b/' + name)}"]
    before, after = (EXECUTABLE if (each or 0) & 0o111 else MODE for each in (mode, mode_after))
    if old is None:
        head.append(f"new file mode {after:o}")
    elif new is None:
        head.append(f"deleted file mode {before:o}")
    elif mode is not None and mode_after is not None and before != after:
        head += [f"old mode {before:o}", f"new mode {after:o}"]
    if hunks:
        names = (
            _quoted(f"{side}/{each}") if each is not None else "/dev/null"
            for side, each in zip("ab", (old, new), strict=True)
        )
        head += [f"{sign} {each}{_tab(each)}" for sign, each in zip(("---", "+++"), names, strict=True)]
    return "\n".join(head) + "\n" + hunks + ("\n" if hunks and not hunks.endswith("\n") else "")


def _tab(name: str) -> str:
    """A name with a space ends with a tab, so that nothing in it is taken for a time."""
    return "\t" if " " in name and not name.startswith('"') else ""


def _quoted(name: str) -> str:
    if not _NEEDS_QUOTES.search(name):
        return name
    escaped = "".join(f"\\{ord(each):03o}" if _NEEDS_QUOTES.match(each) else each for each in name)
    return f'"{escaped}"'


def _patch(text: str, files: int, left_out: tuple[str, ...], note: str = "") -> Patch:
    safe = _UNSAFE.sub(lambda found: clean(found[0]), text)
    if safe != text:
        note = f"{note}; " if note else ""
        note += "control characters in it became marks, so it may not apply"
    return Patch(safe, files, left_out, note)


def amount(text: str) -> str:
    """How much it is: "3 lines, 120 characters"."""
    lines = text.count("\n") + (not text.endswith("\n"))
    return f"{count(lines, 'line')}, {count(len(text), 'character')}" if lines > 1 else count(len(text), "character")
