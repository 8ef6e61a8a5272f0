"""A home and a workspace, and terminals in which the real program runs with nothing of the developer's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import need
from tests.e2e.records import Records
from tests.e2e.terminal import OpenTerminal, Terminal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace, with one small file."""
    workspace = tmp_path / "work"
    workspace.mkdir()
    (workspace / "notes.txt").write_text("alpha one\nbeta two\n")
    return workspace


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The whole environment of the terminals: a home of its own, no key of any provider, a quick demo model."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "QUARTERDECK_DATA": str(home / "data"),
        "QUARTERDECK_CONFIG": str(home / "config"),
        "QUARTERDECK_DEMO_SPEED": "4",
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONFAULTHANDLER": "1",
    }


@pytest.fixture
def config(environ: Mapping[str, str]) -> Path:
    """Where the person's configuration file goes."""
    return Path(environ["QUARTERDECK_CONFIG"]) / "config.toml"


@pytest.fixture
def terminal(folder: Path, environ: dict[str, str], tmp_path: Path) -> Iterator[OpenTerminal]:
    """Opens terminals of a size, in the workspace; all of one test share the home."""
    need("tmux")
    opened: list[Terminal] = []

    def begin(columns: int = 120, rows: int = 36, /, **more: str) -> Terminal:
        log = tmp_path / f"terminal-{len(opened)}.log"
        found = Terminal(folder, {**environ, **more}, log=log, columns=columns, rows=rows)
        opened.append(found)
        return found

    yield begin
    for each in opened:
        each.close()


@pytest.fixture
def records(environ: Mapping[str, str]) -> Records:
    return Records(Path(environ["QUARTERDECK_DATA"]))
