"""Thousands of sessions: the list, filters, search, opening the longest, jumping to a hit, and how each grows.

100 and 1,000 sessions, about half a minute. With QUARTERDECK_BENCH_SESSIONS=10000 in the environment also so many
(10,000 are two million facts: 2.7 GB of disk, and about five minutes on two slow cores with nothing else to do).
QUARTERDECK_BENCH_FOLDER keeps the stores there and uses them the next time.

The least of seven is shown, because whatever else the machine does only adds to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.making_sessions import LONGEST, count_facts, make_sessions

SIZES = (100, 1_000)
MEGABYTE = 1_000_000


def _sizes() -> tuple[int, ...]:
    asked = int(os.environ.get("QUARTERDECK_BENCH_SESSIONS", "0"))
    return (*(size for size in SIZES if size < asked), asked) if asked else SIZES


def _made(folder: Path, size: int) -> Path:
    path = folder / f"{size}" / "sessions.db"
    if not path.exists():
        start = time.perf_counter()
        make_sessions(path, size)
        print(f"{size:,} sessions made in {time.perf_counter() - start:.0f} s", flush=True)
    return path


def _measured(folder: Path) -> list[dict[str, Any]]:
    paths = [_made(folder, size) for size in _sizes()]
    command = [sys.executable, "-m", "tests.bench.looking_through", *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [
        {**json.loads(line), "facts": count_facts(path)}
        for line, path in zip(done.stdout.splitlines(), paths, strict=True)
    ]


def _show(name: str, found: list[dict[str, Any]], value: Callable[[dict[str, Any]], float], unit: str) -> None:
    values = [value(each) for each in found]
    cells = "".join(f"{each:>12,.1f}" for each in values)
    print(f"{name:<54}{cells} {unit:<2}  x {values[-1] / values[0]:.1f}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = _measured(Path(os.environ.get("QUARTERDECK_BENCH_FOLDER", folder)))
    print(f"{'sessions':<54}{''.join(f'{size:>12,}' for size in _sizes())}     growth")
    _show("facts, thousands", found, lambda each: each["facts"] / 1e3, "")
    for name in found[0]["seconds"]:
        _show(name, found, lambda each, name=name: each["seconds"][name] * 1e3, "ms")
    if found[-1]["indexing"] > 1:
        _show("all of it taken into the index", found, lambda each: each["indexing"], "s")
    _show("memory: the order of the list", found, lambda each: each["memory"]["list"] / MEGABYTE, "MB")
    _show(f"memory: the longest ({LONGEST:,} facts)", found, lambda each: each["memory"]["longest"] / MEGABYTE, "MB")
    _show("the database", found, lambda each: each["database"] / MEGABYTE, "MB")
    _show("the search index", found, lambda each: each["search"] / MEGABYTE, "MB")
    print(f"memory of the process at most, while indexing: {found[-1]['memory']['most'] / MEGABYTE:.0f} MB")
