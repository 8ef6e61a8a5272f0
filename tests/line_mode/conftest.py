"""Terminals and pipes that are closed whatever a test comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.line_mode.terminal import Pipes, Terminal


class OpenTerminal(Protocol):
    def __call__(self, *arguments: str, **environ: str) -> Terminal: ...


class OpenPipes(Protocol):
    def __call__(self, *arguments: str) -> Pipes: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    workspace = tmp_path / "work"
    workspace.mkdir()
    (workspace / "notes.txt").write_text("alpha one\n")
    return workspace


@pytest.fixture
def terminal(folder: Path) -> Iterator[OpenTerminal]:
    opened: list[Terminal] = []

    def begin(*arguments: str, **environ: str) -> Terminal:
        opened.append(Terminal(folder, *(arguments or ("--plain",)), environ=environ))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


@pytest.fixture
def pipes(folder: Path) -> Iterator[OpenPipes]:
    opened: list[Pipes] = []

    def begin(*arguments: str) -> Pipes:
        opened.append(Pipes(folder, *(arguments or ("--plain",))))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()
