"""What starting costs: modules that must not be loaded by an import, asked of a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.sources import ROOT

REPORT = "\nimport json as _j, sys as _s; _s.stderr.write('\\n' + _j.dumps(sorted(_s.modules)))"

HELP = """
import runpy, sys
sys.argv = ['quarterdeck', '--help']
try:
    runpy.run_module('tui', run_name='__main__', alter_sys=True)
except SystemExit as stop:
    if stop.code not in (None, 0):
        raise
"""

HEAVY_FOR_RUNNER = ("litellm", "textual", "rich", "prompt_toolkit", "pydantic", "sqlite3", "httpx", "mcp")
HEAVY_FOR_HELP = ("textual", "litellm", "pydantic", "rich", "prompt_toolkit", "sqlite3", "httpx", "mcp")
HEAVY_FOR_THEMES = ("textual", "rich", "pydantic", "runner", "tui", "tomllib", "dataclasses")


def loaded_after(program: str, folder: Path) -> tuple[set[str], str]:
    """The top names a fresh interpreter has loaded after a program, and what the program printed."""
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stderr.rsplit("\n", 1)[1])
    return {name.partition(".")[0] for name in names}, done.stdout


@pytest.mark.parametrize(
    ("room", "heavy"), [("runner", HEAVY_FOR_RUNNER), ("themes", HEAVY_FOR_THEMES)], ids=["runner", "themes"]
)
def test_importing_a_room_loads_nothing_heavy(room: str, heavy: tuple[str, ...], tmp_path: Path) -> None:
    loaded, _ = loaded_after(f"import {room}", tmp_path)
    assert room in loaded
    assert not loaded & set(heavy)


def test_the_help_text_needs_neither_the_interface_nor_a_provider(tmp_path: Path) -> None:
    loaded, printed = loaded_after(HELP, tmp_path)
    assert "quarterdeck" in printed
    assert not loaded & set(HEAVY_FOR_HELP)
