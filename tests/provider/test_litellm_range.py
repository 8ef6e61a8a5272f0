"""The fault table and the streams through both ends of the supported range of litellm (see .ci/litellm-range)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import NO_SKIP, soak_factor
from tests.contract.sources import ROOT

ENDS = sorted(path.stem.removeprefix("litellm-") for path in (ROOT / ".ci").glob("litellm-*.lock"))
SIZES = "" if soak_factor() > 1 else " and not ten-thousand and not megabyte"
"""What only takes long is left to the version of the environment, and to a soak."""

SUITE = ("test_fault_table.py", "test_streaming.py", "test_old_streams.py", "test_switching.py")


def folder_of(version: str) -> Path:
    """Where this version is; without it the test is skipped, or fails under QUARTERDECK_NO_SKIP=1."""
    folder = ROOT / ".cache" / f"litellm-{version}"
    if (folder / ".pin").is_file():
        return folder
    message = f"litellm {version} is not in {folder.relative_to(ROOT)}; .ci/litellm-range installs it"
    if NO_SKIP:
        pytest.fail(f"{message}; skipping is forbidden by QUARTERDECK_NO_SKIP")
    pytest.skip(f"MISSING TOOL: {message}")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", ENDS)
def test_the_suite_holds_at_this_end_of_the_range(version: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-k", f"not direct{SIZES}"]
        + [str(ROOT / "tests/provider" / name) for name in SUITE],
        cwd=ROOT,
        env={**inherited, "PYTHONPATH": str(folder_of(version)), "QUARTERDECK_TEST_LITELLM": version},
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    print(f"litellm {version}: {done.stdout.splitlines()[-1]}")


def test_the_pinned_ends_are_the_ends_of_what_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (supported,) = (need for need in project["project"]["dependencies"] if need.startswith("litellm"))
    found = re.fullmatch(r"litellm>=(\d+)\.(\d+),<(\d+)\.(\d+)", supported)
    assert found is not None
    lowest, beyond = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    first, last = (tuple(map(int, version.split("."))) for version in sorted(ENDS, key=_numbers))
    assert first == (*lowest, 0)
    assert last[:2] == (beyond[0], beyond[1] - 1)
    for version in ENDS:
        pin = (ROOT / ".ci" / f"litellm-{version}.lock").read_text(encoding="utf-8")
        assert pin.startswith(f"litellm=={version} \\\n")
        assert "--hash=sha256:" in pin


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
