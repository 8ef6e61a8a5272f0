"""What a session changed, in rows, bodies and text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from textual.content import Content

from tui.changes import ChangedFile, FileText
from tui.marked import marked
from tui.render.clean import clean, visible
from tui.side_by_side import LEAST_WIDTH, beside, unified
from tui.undo_words import shown_path
from tui.words import count, cut_middle, fit, one_line

SIGNS: Final = {"new": "+", "gone": "-", "changed": "~"}
"""What became of a file; said by a sign, never by colour alone."""

_WORDS: Final = {"new": "new", "gone": "removed", "changed": "changed"}


def became(file: ChangedFile) -> str:
    change = file.change
    if change is None:
        return "new" if file.told and file.told[0].new else "changed"
    if change.before is None and change.after is not None:
        return "new"
    return "gone" if change.after is None and change.before is not None else "changed"


def file_row(file: ChangedFile, text: FileText | None, width: int, *, indent: int) -> Content:
    """text None: its diff is not made yet."""
    ink = "$muted" if file.unchanged else "$foreground"
    counts = text.counts if text is not None else ""
    end = "as before" if file.unchanged else counts or ("?" if text is not None else "")
    room = max(8, width - indent - 4 - len(end))
    name = visible(one_line(shown_path(file.path, file.folder)))
    line = Content.assemble(
        (" " * indent, "$muted"), (f"{SIGNS[became(file)]} ", ink), (fit(cut_middle(name, room), room), ink)
    )
    return line + (Content("  ") + _counts(end) if end else Content(""))


def _counts(text: str) -> Content:
    added, space, removed = text.partition(" ")
    if not text.startswith("+"):
        return Content.styled(text, "$muted")
    return Content.assemble((added, "$diff-added"), space, (removed, "$diff-removed"))


def all_row(files: int, sums: tuple[int, int], unknown: int, width: int) -> Content:
    """Above the files of the whole session."""
    end = f"  +{sums[0]} -{sums[1]}" + (f", {unknown} unknown" if unknown else "")
    text = fit(f" all of {count(files, 'file')}", max(8, width - len(end)))
    return Content.assemble((text, "bold $foreground"), (end, "$muted"))


def body(texts: Sequence[FileText], more: int, notes: Iterable[str], width: int) -> Content:
    """The diffs below each other, then what is to be known of them. more: files that are not shown."""
    parts = [_file_body(text, width) for text in texts]
    if more:
        parts.append(Content.styled(f"and {count(more, 'more file')}: choose one to see it", "$muted"))
    parts += [Content.styled(note, "$state-waiting") for note in notes]
    return Content("\n\n").join(parts)


def _file_body(text: FileText, width: int) -> Content:
    file, what = text.file, became(text.file)
    head = Content.assemble(
        (f"{SIGNS[what]} {_WORDS[what]} ", "bold $primary"),
        marked(one_line(shown_path(file.path, file.folder)), "bold $foreground"),
        ("  " if text.counts else "", "$muted"),
        _counts(text.counts) if text.counts and not file.unchanged else Content(""),
    )
    parts = [head]
    if text.note:
        parts.append(Content.styled(clean(text.note), "$muted"))
    if file.put_back:
        parts.append(Content.styled("something of it was put back by you", "$state-waiting"))
    if text.text:
        parts.append(beside(text.text, width) if width >= LEAST_WIDTH else unified(text.text))
    return Content("\n").join(parts)


def plain(texts: Iterable[FileText]) -> str:
    """The same for a pager; not clean."""
    parts: list[str] = []
    for text in texts:
        head = f"{_WORDS[became(text.file)]} {shown_path(text.file.path, text.file.folder)}  {text.counts}".rstrip()
        parts.append("\n".join(part for part in (head, text.note, text.text.rstrip("\n")) if part))
    return "\n\n".join(parts) + "\n"
