"""The real `quarterdeck run` as a process of its own, driven over its pipes as a script from outside would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from tests.contract.sources import ROOT

Event: TypeAlias = dict[str, Any]

PATIENCE = 60.0
"""Seconds until a test gives up waiting for a state; nothing here waits for time to pass."""


class Process:
    """A running `quarterdeck`. In JSON mode the events are read as they come."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environ: dict[str, str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._changed = threading.Condition()
        self._output = bytearray()
        self._errors = bytearray()
        self._readers = [
            threading.Thread(target=self._read, args=(self.popen.stdout, self._output), daemon=True),
            threading.Thread(target=self._read, args=(self.popen.stderr, self._errors), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe: Any, into: bytearray) -> None:
        while data := os.read(pipe.fileno(), 1 << 16):
            with self._changed:
                into.extend(data)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def stdout(self) -> str:
        return self._output.decode()

    @property
    def stderr(self) -> str:
        return self._errors.decode()

    @property
    def events(self) -> list[Event]:
        """Every complete line of stdout so far."""
        whole, _, _ = bytes(self._output).rpartition(b"\n")
        return [json.loads(line) for line in whole.split(b"\n") if line]

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Return when it holds, looked at after every output and, for what makes no output, many times a second."""
        until = time.monotonic() + PATIENCE
        with self._changed:
            while not holds():
                assert time.monotonic() < until, f"{what} did not come:\n{self.stdout}\n{self.stderr}"
                self._changed.wait(0.02)

    def wait_for(self, kind: str, count: int = 1, **fields: object) -> Event:
        """The count-th event of the kind with these fields, waited for."""

        def found() -> list[Event]:
            return [
                event
                for event in self.events
                if event["kind"] == kind and all(event.get(name) == value for name, value in fields.items())
            ]

        self.wait_until(lambda: len(found()) >= count or not self._alive(), f"{kind} {fields}")
        assert len(found()) >= count, f"{kind} {fields} did not come:\n{self.stdout}\n{self.stderr}"
        return found()[count - 1]

    def _alive(self) -> bool:
        return any(reader.is_alive() for reader in self._readers)

    def send(self, command: Event | str) -> None:
        line = command if isinstance(command, str) else json.dumps(command)
        self.write(line.encode() + b"\n")

    def write(self, data: bytes) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(data)
        self.popen.stdin.flush()

    def close_stdin(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def end(self) -> int:
        """Wait for the end, and read what is left; returns the exit code."""
        code = self.popen.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events if not event["kind"].endswith("_delta")]


Start: TypeAlias = Callable[..., Process]
