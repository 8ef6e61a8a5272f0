"""What the tools that change files share: looking, refusing what changed unseen, the new text, putting it there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import ToolContext, ToolOutput
from runner.tools.files import Book, book_of, read_whole, version_of, write_whole
from runner.tools.kept import keep_after, keep_before
from runner.tools.preview import DIFF_SHOWN, diff_preview
from runner.tools.workspace import Place, Refused, open_file


@dataclass(frozen=True, slots=True)
class FileNow:
    """A file as it is now. data None: it does not exist."""

    place: Place
    data: bytes | None

    @property
    def version(self) -> str | None:
        return None if self.data is None else version_of(self.data)


def look(place: Place) -> FileNow:
    try:
        with open_file(place) as fd:
            return FileNow(place, read_whole(fd, place.shown))
    except Refused as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return FileNow(place, None)
        raise


def remember_shown(ctx: ToolContext, file: FileNow) -> None:
    book = book_of(ctx)
    with book.lock:
        book.shown[ctx.call_id, file.place.real] = file.version


def refuse_changed(ctx: ToolContext, book: Book, file: FileNow, *, own_writes_allowed: bool) -> None:
    """Raises Refused where the file is not what was shown to the person, or not what the model read."""
    path, version = file.place.real, file.version
    key = (ctx.call_id, path)
    if key in book.shown and version != book.shown[key]:
        own = own_writes_allowed and book.came_from(path, version, book.shown[key])
        if not own:
            raise Refused(f"{file.place.shown} changed since you saw the diff; nothing was changed. Try again.")
    read = book.read.get(path)
    if read is not None and version != read:
        what = "was removed" if version is None else "changed on disk"
        raise Refused(f"{file.place.shown} {what} since it was read; nothing was changed. Read it again first.")


def replace_file(ctx: ToolContext, book: Book, file: FileNow, new: bytes) -> ToolOutput:
    kept_while(ctx, file, new, lambda: write_whole(file.place, new, expected=file.version))
    note_written(book, file, new)
    display = diff_of(file, new)
    made = "Created" if file.data is None else "Changed"
    text = f"{made} {file.place.shown}: {lines_of(display['added'])} added, {lines_of(display['removed'])} removed."
    return ToolOutput(text=text, display=display)


def kept_while(ctx: ToolContext, file: FileNow, new: bytes | None, change: Callable[[], None]) -> None:
    """Change a file, with the keeper told before and after. new: what it is to hold, None where it is removed."""
    path = file.place.real
    keep_before(ctx, path, file.data, new)
    try:
        change()
    except BaseException:
        keep_after(ctx, path, file.data)
        raise
    keep_after(ctx, path, new)


def note_written(book: Book, file: FileNow, new: bytes) -> None:
    path, after = file.place.real, version_of(new)
    book.written[path, after] = file.version
    book.read[path] = after


def diff_of(file: FileNow, new: bytes, *, shown: int = DIFF_SHOWN) -> JsonObject:
    old = None if file.data is None else file.data.decode("utf-8", "replace")
    return diff_preview(file.place.shown, old, new.decode("utf-8", "replace"), shown=shown)


def lines_of(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def encoded(name: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ToolInputError(f"{name}: character {error.start} is half of a surrogate pair") from error


def edited(file: FileNow, arguments: JsonObject) -> bytes:
    """The new content. Raises ToolInputError or Refused with what is wrong, in words for the model."""
    old, new = encoded("old", arguments["old"]), encoded("new", arguments["new"])
    shown = file.place.shown
    if not old:
        raise ToolInputError("old: is empty; write_file makes a new file")
    if old == new:
        raise ToolInputError("new: is the same as old")
    if file.data is None:
        raise Refused(f"{shown} does not exist; write_file makes a new file.")
    if file.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(f"{shown} is UTF-16, which this tool cannot edit.")
    pattern, ending = _pattern(file.data, old)
    matches = len(pattern.findall(file.data))
    if matches == 0:
        raise Refused(f"old was not found in {shown}. It must match exactly; read the file again. Nothing was changed.")
    if matches > 1 and not arguments["all"]:
        hint = "Give more of the text around it, or all=true."
        raise Refused(f"old was found {matches} times in {shown}, so nothing was changed. {hint}")
    if ending is not None:
        new = re.sub(rb"\r?\n", ending, new)
    return pattern.sub(lambda _: new, file.data)


def _pattern(data: bytes, old: bytes) -> tuple[re.Pattern[bytes], bytes | None]:
    """What to look for, and the line ending of the new text (None: as given).

    The model is shown lines, not their endings, so a line feed of `old` matches either ending of a file that has both.
    """
    windows = data.count(b"\r\n")
    if not windows:
        return re.compile(re.escape(old)), None
    parts = re.split(rb"\r?\n", old)
    ending = b"\r\n" if windows * 2 >= data.count(b"\n") else b"\n"
    return re.compile(rb"\r?\n".join(re.escape(part) for part in parts)), ending
