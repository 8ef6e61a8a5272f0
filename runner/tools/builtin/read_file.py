"""read_file: the lines of a text file, numbered."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput
from runner.tools.builtin.make import threaded
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.files import EDITABLE, book_of
from runner.tools.media import PROBE, Media, media_of
from runner.tools.workspace import Place, Refused, concern_about, enter, open_file

LINES = 2000
CHARACTERS = 256 * 1024
"""At most that much is shown of a file in one call."""

LINE_SHOWN = 2000
"""Characters of one line that are shown."""

READABLE = 1024 * 1024 * 1024
"""Bytes of the largest file that is looked through for its lines."""

_PIECE = 64 * 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_PARAMS = (
    Param(name="path", type="string", description="The file, relative to the working folder.", required=True),
    Param(name="start", type="integer", description="The first line to show, from 1.", minimum=1),
    Param(name="end", type="integer", description="The last line to show, included.", minimum=1),
)


@dataclass(slots=True)
class _Read:
    """What one pass over a file found. more: the first line that was left out because of the size, 0 for none."""

    lines: list[str] = field(default_factory=list[str])
    total: int = 0
    more: int = 0
    replaced: bool = False
    version: str = ""


def _read(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    start, end = arguments["start"] or 1, arguments["end"]
    if end is not None and end < start:
        raise ToolInputError(f"end: {end} is before start ({start})")
    place = enter(ctx, str(arguments["path"]))
    with open_file(place) as fd:
        size = os.fstat(fd).st_size
        if size > READABLE:
            raise Refused(f"{place.shown} is too large to read ({size:,} bytes); use search or shell.")
        probe = os.pread(fd, PROBE, 0)
        media = media_of(probe)
        if media is not None:
            return _named(place, size, media)
        with open(fd, "rb", closefd=False) as file:
            found = _scan(file, start, end, "utf-16" if probe.startswith(_UTF16) else "utf-8")
    if size <= EDITABLE:
        book = book_of(ctx)
        with book.lock:
            book.read[place.real] = found.version
    return ToolOutput(text=_as_text(place, found, start, end))


def _scan(file: io.BufferedReader, start: int, end: int | None, encoding: str) -> _Read:
    """Number, count and hash in one pass, so that what is remembered as read is what was shown."""
    found = _Read()
    digest = hashlib.sha256()
    size = 0
    if encoding == "utf-8":
        lines = _split(file, digest.update)
    else:
        data = file.read(EDITABLE + 1)
        if len(data) > EDITABLE:
            raise Refused("The file is UTF-16 and too large to be converted.")
        digest.update(data)
        lines = _split(io.BytesIO(data.decode(encoding, "replace").encode("utf-8")), len)
    for raw, length in lines:
        found.total += 1
        if found.total < start or (end is not None and found.total > end) or found.more:
            continue
        line = _line(raw, length, found)
        size += len(line)
        if len(found.lines) == LINES or (size > CHARACTERS and found.lines):
            found.more = found.total
        else:
            found.lines.append(line)
    found.version = digest.hexdigest()
    return found


def _split(file: BinaryIO, hashed: Callable[[bytes], object]) -> Iterator[tuple[bytes, int]]:
    """The beginning of each line, and the bytes it has: a file of one line is not held in memory."""
    raw, length = b"", 0
    while piece := file.readline(_PIECE):
        hashed(piece)
        if length < _PIECE:
            raw += piece
        length += len(piece)
        if piece.endswith(b"\n"):
            yield raw, length
            raw, length = b"", 0
    if length:
        yield raw, length


def _line(raw: bytes, length: int, found: _Read) -> str:
    raw = raw.rstrip(b"\r\n")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
        found.replaced = True
    if found.total == 1:
        text = text.removeprefix("\ufeff")
    if len(text) > LINE_SHOWN:
        return f"{text[:LINE_SHOWN]} [... this line goes on; it has {length:,} bytes ...]"
    return text


def _as_text(place: Place, found: _Read, start: int, end: int | None) -> str:
    if found.total == 0:
        return f"{place.shown} is empty."
    if start > found.total:
        raise ToolInputError(f"start: {place.shown} has only {found.total:,} lines")
    width = len(str(start + len(found.lines) - 1))
    lines = [f"{number:>{width}}\t{line}" for number, line in enumerate(found.lines, start)]
    last = start + len(found.lines) - 1
    if found.more:
        lines.append(f"[lines {start}-{last} of {found.total}; go on with start={found.more}]")
    elif start > 1 or last < found.total:
        lines.append(f"[lines {start}-{last} of {found.total}]")
    if found.replaced:
        lines.append("[some bytes are not valid UTF-8 and are shown as \ufffd]")
    return "\n".join(lines)


def _named(place: Place, size: int, media: Media) -> ToolOutput:
    text = f"{place.shown} is {media.described} ({size:,} bytes). Its content is not shown."
    display: JsonObject = {"type": "media", "path": place.shown, "what": media.words, "bytes": size}
    if media.width and media.height:
        display |= {"width": media.width, "height": media.height}
    return ToolOutput(text=text, display=display)


READ_FILE = Tool(
    name="read_file",
    description=(
        "Read a text file. Each line comes with its number and a tab, which are not part of the file. "
        f"At most {LINES} lines are shown at once; start and end choose others."
    ),
    parameters=schema_of(_PARAMS),
    run=threaded(_read),
    validate=checker(_PARAMS),
    kind="read",
    read_only=True,
    idempotent=True,
    concern=lambda ctx, arguments: concern_about(ctx, str(arguments["path"]), writes=False),
)
