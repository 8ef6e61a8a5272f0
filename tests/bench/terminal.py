"""A program on a pseudo-terminal, timed from its start to the moment when it shows a text."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Generator, Mapping, Sequence

ESCAPES = re.compile(rb"\x1b\[[0-9;:?<>=!]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78]")


class Terminal:
    """A child on a pty of the given size; what it writes is read by `until`, so call that, or it blocks."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.started = time.monotonic()
        self._descriptor = descriptor
        self.raw = bytearray()
        self._text = bytearray()

    def send(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def until(self, marker: str, *, timeout: float = 60.0, since: int = 0) -> float:
        """Seconds of the monotonic clock when the marker has been drawn; raises TimeoutError."""
        wanted = marker.encode()
        deadline = time.monotonic() + timeout
        while wanted not in self._text[since:]:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                shown = bytes(self._text[-2000:]).decode(errors="replace")
                raise TimeoutError(f"{marker!r} was not shown; the last of what was: {shown}")
        return time.monotonic()

    def take(self, seconds: float) -> None:
        """Read what comes within that time, at most once."""
        self._read(seconds)

    def settle(self, quiet: float = 0.5) -> None:
        """Wait until nothing was drawn for so long."""
        seen, since = len(self.raw), time.monotonic()
        while time.monotonic() - since < quiet:
            self.take(quiet / 4)
            if len(self.raw) != seen:
                seen, since = len(self.raw), time.monotonic()

    @property
    def position(self) -> int:
        return len(self._text)

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return False
        self.raw += data
        self._text += ESCAPES.sub(b"", data)
        return bool(data)


@contextlib.contextmanager
def on_terminal(
    command: Sequence[str], environ: Mapping[str, str], *, columns: int = 120, rows: int = 40, cwd: str | None = None
) -> Generator[Terminal]:
    """Start the command on a pty; it is killed at the end."""
    pid, descriptor = pty.fork()
    if pid == 0:
        if cwd is not None:
            os.chdir(cwd)
        os.execvpe(command[0], list(command), dict(environ))
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    terminal = Terminal(pid, descriptor)
    try:
        yield terminal
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)


def bench_environ(home: str, **more: str) -> dict[str, str]:
    """An environment with nothing of the developer's in it."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {
        **keep,
        "HOME": home,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "QUARTERDECK_DATA": f"{home}/data",
        "QUARTERDECK_CONFIG": f"{home}/config",
        **more,
    }
