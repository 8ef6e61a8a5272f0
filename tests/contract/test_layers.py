"""Dependencies point one way; the rules themselves are the import-linter contracts in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys

from tests.contract.sources import ROOT


def test_every_import_contract_is_kept() -> None:
    program = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
