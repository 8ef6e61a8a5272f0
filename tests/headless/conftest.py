"""A workspace, and a way to start the real program in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.headless.process import Process, Start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one small file."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "notes.txt").write_text("hello there\n")
    return workspace


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts `quarterdeck` with arguments; what still runs at the end of the test is killed."""
    started: list[Process] = []

    def begin(*arguments: str, **environ: str) -> Process:
        process = Process(arguments, folder, environ)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait()
        for pipe in (process.popen.stdin, process.popen.stdout, process.popen.stderr):
            if pipe is not None:
                pipe.close()
