"""Whether a cage can be built here: tried once, because a program that is installed may still be forbidden to work."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.tools.base import Sandbox
from runner.tools.sandbox import bubblewrap, seatbelt
from runner.tools.sandbox.places import Places

PROBE_SECONDS: Final = 10.0
_TRUE: Final = ("/bin/true", "/usr/bin/true", "/run/current-system/sw/bin/true")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxStatus:
    """on: commands run in a sandbox. why: they do not, in words for people; "" where they do. how: by what program.

    wanted: it is not switched off. required: without one no command runs.
    """

    on: bool
    why: str = ""
    how: str = ""
    wanted: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What builds the cage. program: its path, "" where there is none. variant: arguments that this machine needs."""

    program: str = ""
    variant: tuple[str, ...] = ()
    why: str = ""


def status(sandbox: Sandbox) -> SandboxStatus:
    """What becomes of commands under this setting. Blocks for some 20 ms the first time."""
    if sandbox.mode == "off":
        return SandboxStatus(on=False, why="it is switched off")
    found = means()
    return SandboxStatus(
        on=bool(found.program),
        why=found.why,
        how=os.path.basename(found.program),
        wanted=True,
        required=sandbox.mode == "require",
    )


def means() -> Means:
    if sys.platform == "darwin":
        return _seatbelt()
    if sys.platform != "linux":
        return Means(why=f"there is none for {sys.platform}")
    path = shutil.which("bwrap")
    if path is None:
        return Means(why="bubblewrap (bwrap) is not installed")
    return _bubblewrap(os.path.abspath(path))


@functools.cache
def _bubblewrap(path: str) -> Means:
    # Root needs no user namespace, but where it lacks the power to do without, one may still be allowed.
    variants = [(), ("--unshare-user",)] if os.geteuid() == 0 else [()]
    why = ""
    for variant in variants:
        with tempfile.TemporaryDirectory(prefix="quarterdeck-probe-") as folder:
            root = Path(folder).resolve()
            places = Places(workspace=root, writable=(root,), pinned=(), guarded=(), hidden=())
            before = bubblewrap.arguments(path, variant, places, scratch=root, empty=root, network=False)
            problem = _try([*before, *_true()])
        if problem is None:
            return Means(program=path, variant=variant)
        why = why or problem
    return Means(why=f"bubblewrap does not work here: {why}")


@functools.cache
def _seatbelt() -> Means:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-probe-") as folder:
        root = Path(folder).resolve()
        places = Places(workspace=root, writable=(root,), pinned=(), guarded=(), hidden=())
        problem = _try([*seatbelt.arguments(places, scratch=root, network=False), "/usr/bin/true"])
    return Means(program=seatbelt.SANDBOX_EXEC) if problem is None else Means(why=f"sandbox-exec: {problem}")


def _true() -> list[str]:
    return [next((path for path in _TRUE if os.path.exists(path)), "true")]


def _try(argv: list[str]) -> str | None:
    """What is wrong, in the program's own last words; None where nothing is."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False, env={}
        )
    except subprocess.TimeoutExpired:
        return f"it did not start within {PROBE_SECONDS:g} s"
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return said.removeprefix("bwrap: ") or f"it ended with exit code {done.returncode}"
