"""A file that is not text, as it is named in a message: with type and size, because its content is not sent."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

SUFFIXES = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "bmp",
        "tif",
        "tiff",
        "ico",
        "avif",
        "heic",
        "psd",
        "pdf",
        "zip",
        "gz",
        "bz2",
        "xz",
        "zst",
        "7z",
        "rar",
        "tar",
        "mp3",
        "mp4",
        "m4a",
        "mov",
        "mkv",
        "webm",
        "ogg",
        "flac",
        "wav",
        "avi",
        "ttf",
        "otf",
        "woff",
        "woff2",
        "sqlite",
        "db",
        "wasm",
        "exe",
        "dll",
        "so",
        "dylib",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "odt",
        "ods",
    ]
)
"""Endings of files that are looked into; anything else is text until it is read."""

LONGEST = 4096
"""Characters of a pasted path."""

ONLY_NAMED = "only its name and size are sent, not what is in it"


def may_be_media(name: str) -> bool:
    return name.rpartition(".")[2].lower() in SUFFIXES


def media_words(path: Path) -> str:
    """ "a PNG picture, 640x480 pixels, 34 kB", "" where it is text or cannot be read. Reads its beginning."""
    from runner.tools.media import PROBE, media_of

    try:
        size = path.stat().st_size
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            found = media_of(file.read(PROBE))
    except (OSError, ValueError):
        return ""
    return "" if found is None else f"{found.described}, {_size(size)}"


def named(name: str, words: str) -> str:
    return f"{name} ({words})"


def path_in(pasted: str, workspace: Path) -> Path | None:
    """The file that a whole paste is the path of, as a terminal gives it when a file is dropped on it."""
    text = pasted.strip()
    if not text or len(text) > LONGEST or "\n" in text:
        return None
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    elif text[0] in "\"'" or "\\ " in text:
        try:
            parts = shlex.split(text)
        except ValueError:
            return None
        if len(parts) != 1:
            return None
        text = parts[0]
    if not may_be_media(text) or "\0" in text:
        return None
    try:
        path = workspace / os.path.expanduser(text)
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def name_paste(pasted: str, workspace: Path) -> str:
    """What goes into the message in the place of a pasted path of such a file, "" where it is none."""
    path = path_in(pasted, workspace)
    words = "" if path is None else media_words(path)
    if path is None or not words:
        return ""
    shown = path.relative_to(workspace) if path.is_relative_to(workspace) else path
    return f"{named(str(shown), words)} "


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"
