"""The cage on macOS: a profile for sandbox-exec. Pure. Later lines of a profile win over earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from runner.tools.sandbox.places import Places

SANDBOX_EXEC: Final = "/usr/bin/sandbox-exec"

_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/dtracehelper")


def arguments(places: Places, *, scratch: Path, network: bool) -> list[str]:
    return [SANDBOX_EXEC, "-p", profile(places, scratch=scratch, network=network), "--"]


def profile(places: Places, *, scratch: Path, network: bool) -> str:
    """All may be read and run; only the places written; who could act in the command's stead may not be asked."""
    return "\n".join(_lines(places, scratch, network)) + "\n"


def _lines(places: Places, scratch: Path, network: bool) -> Iterator[str]:
    yield "(version 1)"
    yield "(allow default)"
    yield "(deny process-info*)"
    yield "(allow process-info* (target same-sandbox))"
    yield "(deny signal)"
    yield "(allow signal (target same-sandbox))"
    yield "(deny appleevent-send)"
    yield "(deny job-creation)"
    yield "(deny file-write*)"
    yield f"(allow file-write* {_places('subpath', (*places.writable, scratch))})"
    yield f"(allow file-write-data {' '.join(_literal('literal', name) for name in _DEVICES)})"
    if places.pinned:
        yield f"(deny file-write-unlink {_places('literal', places.pinned)})"
    if places.guarded:
        yield f"(deny file-write* {_places('subpath', places.guarded)})"
    if places.hidden:
        yield f"(deny file-read* file-write* {_places('subpath', places.hidden)})"
    if not network:
        # This machine's own ports too: there is no loopback of the command's own here.
        yield "(deny network*)"


def _places(kind: str, paths: Sequence[Path]) -> str:
    return " ".join(_literal(kind, str(path)) for path in paths)


def _literal(kind: str, path: str) -> str:
    r"""A path as a string of the profile's language: quotes and backslashes escaped, so that no name ends it."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'({kind} "{escaped}")'
