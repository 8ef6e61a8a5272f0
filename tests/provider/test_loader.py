"""Loading litellm: quietly, without network, without holding up the event loop for long, in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.contract.sources import ROOT

LOAD = """
import asyncio, gc, json, os, sys, time
seen = []
def watch(name, args):
    if name == "socket.getaddrinfo":
        seen.append(str(args[0]))
    elif name == "socket.connect" and isinstance(args[1], tuple):
        seen.append(str(args[1][0]))
sys.addaudithook(watch)
from runner.models import litellm_loader
lags = []
async def tick():
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.002)
        lags.append(time.perf_counter() - before - 0.002)
async def main():
    ticker = asyncio.create_task(tick())
    waiting = asyncio.create_task(litellm_loader.load())
    await asyncio.sleep(0.05)
    waiting.cancel()
    assert not litellm_loader.loaded()
    first, second = await asyncio.gather(litellm_loader.load(), litellm_loader.load())
    assert first is second and litellm_loader.loaded()
    ticker.cancel()
    began = time.perf_counter()
    gc.collect()
    report = {
        "hosts": sorted(set(seen)),
        "version": first.version,
        "collecting": gc.isenabled(),
        "collection": time.perf_counter() - began,
        "lag": max(lags),
        "environ": {name: os.environ.get(name) for name in ("LITELLM_MODE", "FROM_DOTENV", "DEFAULT_MAX_RETRIES")},
    }
    with open(sys.argv[1], "w") as file:
        json.dump(report, file)
asyncio.run(main())
"""

BROKEN = """
import asyncio, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "litellm":
            raise ModuleNotFoundError("No module named 'litellm'", name="litellm")
sys.meta_path.insert(0, Missing())
from runner.errors import DependencyError
from runner.models import litellm_loader
for _ in range(2):
    try:
        asyncio.run(litellm_loader.load())
    except DependencyError as error:
        print(error.message, "|", error.fix, "|", error.action, "|", litellm_loader.loaded())
"""


def run(program: str, folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_loading_is_quiet_and_stays_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOTENV=yes\n", encoding="utf-8")
    target = tmp_path / "report.json"
    done = run(LOAD, tmp_path, str(target), DEFAULT_MAX_RETRIES="7")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    report: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    print(f"litellm {report['version']}: longest lag {report['lag'] * 1000:.0f} ms while it loaded,")
    print(f"a full collection afterwards {report['collection'] * 1000:.0f} ms")
    assert set(report["hosts"]) <= {"127.0.0.1", "localhost", "::1"}
    assert report["collecting"] is True
    # The environment is as it was before: neither changed by the loader nor by a .env file that litellm found.
    assert report["environ"] == {"LITELLM_MODE": None, "FROM_DOTENV": None, "DEFAULT_MAX_RETRIES": "7"}


def test_a_missing_package_is_told_each_time_in_words(tmp_path: Path) -> None:
    done = run(BROKEN, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("No module named 'litellm'" in line and "install litellm" in line for line in lines)
    assert all(line.endswith("abort | False") for line in lines)
