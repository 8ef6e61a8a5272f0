"""The cage on Linux: the arguments of bubblewrap. Pure, but for looking at what this machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from runner.tools.sandbox.places import Places

TMP: Final = Path("/tmp")
_PRIVATE: Final = (TMP, Path("/var/tmp"), Path("/run"), Path("/var/run"))
_OF_RUN: Final = (
    *(
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/run/NetworkManager/resolv.conf",
        "/run/NetworkManager/no-stub-resolv.conf",
    ),
    *("/run/current-system", "/run/booted-system", "/run/wrappers", "/run/opengl-driver"),
)
"""What names are looked up with, and where a NixOS keeps its programs."""

_KEPT_BY_ROOT: Final = ("CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID")
"""Without these root cannot work on another user's files, as it does in most containers. None of them gets through a
read-only mount, to a device, or out of the namespaces."""


def arguments(
    bwrap: str, variant: Sequence[str], places: Places, *, scratch: Path, empty: Path, network: bool
) -> list[str]:
    """What comes before the command. variant: what the probe found to be needed. scratch: the command's /tmp. empty: a
    file, which stands for those that are hidden.
    """
    everything = "--bind" if Path("/") in places.writable else "--ro-bind"
    found = [bwrap, *variant, everything, "/", "/"]
    found += _binds("--bind", [path for path in places.writable if _is_above_private(path)])
    found += ["--dev", "/dev", "--proc", "/proc", *_private(scratch)]
    found += _binds("--bind", [path for path in places.writable if path != Path("/") and not _is_above_private(path)])
    found += _binds("--bind", places.pinned)
    found += _binds("--ro-bind", places.guarded)
    found += _hiding(places, empty)
    # No --die-with-parent: the signal that asks a command to end would end its whole cage at once. Whoever is left when
    # this program dies is ended by its supervisor.
    found += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    found += [] if network else ["--unshare-net"]
    found += ["--cap-drop", "ALL"]
    if os.geteuid() == 0:
        found += [word for name in _KEPT_BY_ROOT for word in ("--cap-add", name)]
    return [*found, "--chdir", str(places.workspace), "--"]


def _binds(option: str, paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        yield from (option, str(path), str(path))


def _is_above_private(path: Path) -> bool:
    return path != Path("/") and any(private != path and private.is_relative_to(path) for private in _PRIVATE)


def _private(scratch: Path) -> Iterator[str]:
    """Sockets of the machine's services would still answer through a read-only mount: of /run only a little is left."""
    yield from ("--bind", str(scratch), str(TMP))
    for path in _PRIVATE[1:]:
        if path.is_dir() and not path.is_symlink():
            yield from ("--tmpfs", str(path))
    for name in _OF_RUN:
        if os.path.exists(name):
            yield from ("--ro-bind", name, name)


def _hiding(places: Places, empty: Path) -> Iterator[str]:
    for path in places.hidden:
        inside = [private for private in _PRIVATE if path.is_relative_to(private)]
        if inside and not any(path.is_relative_to(writable) for writable in places.writable):
            continue  # It is not there anyway.
        if path.is_dir():
            yield from ("--tmpfs", str(path), "--remount-ro", str(path))
        else:
            yield from ("--ro-bind", str(empty), str(path))
