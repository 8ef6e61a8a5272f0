"""The search of a machine without ripgrep, as a program: worker LIBRARY PATTERN PATH [GLOB...].

Prints `path NUL line:text` for each matching line, like `rg --null --line-number`. LIBRARY is the folder that holds
pathspec, because the interpreter is started without its site.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

BAD_PATTERN = 3
"""The exit code where the pattern is no regular expression."""

_PIECE = 1024 * 1024
_PROBE = 8192
_UTF16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def expand_braces(glob: str) -> list[str]:
    """`*.{ts,tsx}` as `*.ts` and `*.tsx`; braces inside braces as well."""
    found = re.search(r"\{([^{}]*,[^{}]*)\}", glob)
    if found is None:
        return [glob]
    choices = [glob[: found.start()] + choice + glob[found.end() :] for choice in found[1].split(",")]
    return list(dict.fromkeys(text for choice in choices for text in expand_braces(choice)))


class Ignored:
    """The rules of the .gitignore files from the repository's top down to a folder; the deepest match decides."""

    def __init__(self, folder: str, rules: Sequence[tuple[str, GitIgnoreSpec]]) -> None:
        self.folder = folder
        self._rules = rules

    @classmethod
    def above(cls, folder: str) -> Ignored:
        """What applies to the entries of a folder that was named by the caller, which is searched even if ignored."""
        tops = [folder]
        while not os.path.exists(os.path.join(tops[0], ".git")) and os.path.dirname(tops[0]) != tops[0]:
            tops.insert(0, os.path.dirname(tops[0]))
        found = cls(tops[0], ()).inside(tops[0])
        for inner in tops[1:]:
            found = cls(inner, ()).inside(inner) if found.matches(inner, is_folder=True) else found.inside(inner)
        return found

    def inside(self, folder: str) -> Ignored:
        from pathspec import GitIgnoreSpec

        try:
            lines = Path(folder, ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return Ignored(folder, self._rules)
        return Ignored(folder, [(folder, GitIgnoreSpec.from_lines(lines)), *self._rules])

    def matches(self, path: str, *, is_folder: bool) -> bool:
        for folder, spec in self._rules:
            relative = os.path.relpath(path, folder) + ("/" if is_folder else "")
            verdict = spec.check_file(relative).include
            if verdict is not None:
                return verdict
        return False


def files(start: str, wanted: Wanted) -> Iterator[str]:
    """The files to look at, in order of their names. A file named by the caller is looked at whatever ignores it."""
    if not os.path.isdir(start):
        yield start
        return
    yield from _walk(start, Ignored.above(os.path.realpath(start)), wanted)


def _walk(shown: str, ignored: Ignored, wanted: Wanted) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(shown), key=lambda entry: os.fsencode(entry.name))
    except OSError:
        return  # Like ripgrep, what cannot be opened is left out.
    for entry in entries:
        real = os.path.join(ignored.folder, entry.name)
        path = entry.name if shown == "." else os.path.join(shown, entry.name)
        if entry.name == ".git":
            continue
        if entry.is_dir(follow_symlinks=False):
            if not ignored.matches(real, is_folder=True):
                yield from _walk(path, ignored.inside(real), wanted)
        elif entry.is_file(follow_symlinks=False) and wanted.has(path) and not ignored.matches(real, is_folder=False):
            yield path


class Wanted:
    """The files that the globs choose: all without any, else those of a positive one that no `!` takes away."""

    def __init__(self, globs: Sequence[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(globs)
        self._positive = any(not glob.startswith("!") for glob in globs)

    def has(self, path: str) -> bool:
        include = self._spec.check_file(path).include
        return include is True if self._positive else include is not False


def search(path: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Matching lines with their numbers. A file with a NUL byte at its beginning is binary and has none."""
    with open(path, "rb", opener=_open) as file:
        probe = file.read(_PROBE)
        encoding = _UTF16.get(probe[:2])
        if encoding is None and b"\0" in probe:
            return
        file.seek(0)
        for number, line in _lines(file, encoding):
            if pattern.search(line):
                yield number, line


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _lines(file: BinaryIO, encoding: str | None) -> Iterator[tuple[int, str]]:
    """Numbered lines; an overlong one comes in pieces, so that a file of one line is not held in memory."""
    if encoding is not None:
        yield from enumerate(file.read().decode(encoding, "replace").splitlines(), 1)
        return
    number = 1
    while piece := file.readline(_PIECE):
        text = piece.rstrip(b"\r\n").decode("utf-8", "replace")
        yield number, text.removeprefix("\ufeff") if number == 1 else text
        number += piece.endswith(b"\n")


def main(arguments: Sequence[str]) -> int:
    library, source, start, *globs = arguments
    sys.path.append(library)
    try:
        pattern = re.compile(source)
    except (re.error, OverflowError, RecursionError) as error:
        os.write(2, f"{source!r} is not a regular expression: {error}".encode("utf-8", "replace"))
        return BAD_PATTERN
    out = sys.stdout.buffer
    for path in files(start, Wanted(globs)):
        try:
            for number, line in search(path, pattern):
                out.write(os.fsencode(path) + f"\0{number}:{line}\n".encode("utf-8", "replace"))
        except OSError:
            continue
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
