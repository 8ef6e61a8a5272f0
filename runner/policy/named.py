"""The strings among a call's arguments that name files and addresses, at any depth.

What is found can only make an allowance narrower and a denial wider, so a name that is none costs a question at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from runner.messages import JsonObject

_PATH_WORDS = frozenset(
    {"path", "paths", "file", "files", "filename", "filenames", "filepath", "filepaths"}
    | {"dir", "dirs", "directory", "directories", "folder", "folders"}
)
_PATH_NAMES = frozenset({"source", "destination"})
_KEYED = frozenset({"paths", "files", "filenames", "filepaths", "directories", "folders"})
_URL_WORDS = frozenset({"url", "urls", "uri", "uris", "href"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def paths_among(arguments: JsonObject) -> Iterator[str]:
    """Under names such as path, file, old_path or outputDir, in lists and objects too."""
    return (text for name, text in _strings(arguments) if _is_path(name))


def urls_among(arguments: JsonObject) -> Iterator[str]:
    return (text for name, text in _strings(arguments) if _last_word(name) in _URL_WORDS)


def _is_path(name: str) -> bool:
    return _last_word(name) in _PATH_WORDS or name.lower() in _PATH_NAMES


def _last_word(name: str) -> str:
    """The word that says what it is: "file" of targetFile, and of file_name too."""
    words = [word.lower() for word in _WORD.findall(name)]
    if len(words) > 1 and words[-1] in ("name", "names"):
        words.pop()
    return words[-1] if words else ""


def _strings(arguments: JsonObject) -> Iterator[tuple[str, str]]:
    """Each string with the name that it stands under, in the order of the text; an item of a list has the list's.

    Not by recursion: how deep it goes is the model's choice.
    """
    left: list[tuple[str, Any]] = [("", arguments)]
    while left:
        name, value = left.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            left.extend((name, item) for item in reversed(cast("list[Any]", value)))
        elif isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            if _last_word(name) in _KEYED:
                # {"files": {"a.py": "its text"}}
                yield from ((name, key) for key in fields if not _is_path(key))
            left.extend(reversed(fields.items()))
