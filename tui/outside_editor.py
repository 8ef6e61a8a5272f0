"""A text in the person's own editor: $VISUAL or $EDITOR, in a file that only they may read, gone afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from textual.app import SuspendNotSupported

LONGEST = 4 * 1024 * 1024
"""Bytes that are taken back."""


class EditorError(Exception):
    """Why nothing came back, in words for the person."""


def edit(
    text: str, suffix: str, environ: Mapping[str, str], suspend: Callable[[], AbstractContextManager[None]]
) -> str:
    """What the person made of the text. Blocks until the editor ends. suspend: gives it the terminal.

    Raises EditorError.
    """
    command = _command(environ)
    fd, name = tempfile.mkstemp(prefix="quarterdeck-", suffix=suffix)
    path = Path(name)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        code = _run([*command, name], environ, suspend)
        if code:
            raise EditorError(f"{command[0]} ended with code {code}, so nothing was taken over")
        return _read(path)
    finally:
        path.unlink(missing_ok=True)


def show(
    text: str,
    command: list[str],
    suffix: str,
    environ: Mapping[str, str],
    suspend: Callable[[], AbstractContextManager[None]],
) -> None:
    """Let a program show the text; what it does to its copy is not kept. Blocks until it ends. Raises EditorError."""
    fd, name = tempfile.mkstemp(prefix="quarterdeck-", suffix=suffix)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        code = _run([*command, name], environ, suspend)
        if code:
            raise EditorError(f"{command[0]} ended with code {code}")
    finally:
        Path(name).unlink(missing_ok=True)


def editor_of(environ: Mapping[str, str]) -> list[str]:
    """The command of the person's editor. Raises EditorError where none is set."""
    return _command(environ)


def pager_of(environ: Mapping[str, str]) -> list[str]:
    """The command of the person's pager, else of less; empty where there is neither. Raises EditorError."""
    wanted = environ.get("PAGER", "").strip()
    try:
        command = shlex.split(wanted)
    except ValueError as error:
        raise EditorError(f"the pager {wanted!r} cannot be understood: {error}") from error
    if command:
        return command
    less = shutil.which("less", path=environ.get("PATH"))
    return [less, "-R"] if less else []


def _command(environ: Mapping[str, str]) -> list[str]:
    wanted = environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()
    if not wanted:
        raise EditorError("no editor is set: VISUAL and EDITOR are empty")
    try:
        command = shlex.split(wanted)
    except ValueError as error:
        raise EditorError(f"the editor {wanted!r} cannot be understood: {error}") from error
    if not command:
        raise EditorError("no editor is set: VISUAL and EDITOR are empty")
    return command


def _run(command: list[str], environ: Mapping[str, str], suspend: Callable[[], AbstractContextManager[None]]) -> int:
    # While another program has the terminal nothing may be drawn, so the screen's loop waits for it.
    try:
        with suspend():
            return subprocess.run(command, check=False, env=dict(environ)).returncode
    except SuspendNotSupported as error:
        raise EditorError("this terminal cannot be lent to an editor") from error
    except OSError as error:
        raise EditorError(f"{command[0]} cannot be started: {error.strerror}") from error


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()[: LONGEST + 1]
    except OSError as error:
        raise EditorError(f"the edited file cannot be read: {error.strerror}") from error
    if len(data) > LONGEST:
        raise EditorError(f"the edited file is longer than {LONGEST // 1024 // 1024} MB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EditorError("the edited file is not UTF-8") from error
