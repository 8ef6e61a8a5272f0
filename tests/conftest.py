"""What every test relies on: an environment of its own, and one way to ask for a tool of the system."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from runner.testing import invalid_requests
from tests import replayed

# Read once, because the isolation below takes every QUARTERDECK_ variable away from the tests.
NO_SKIP = os.environ.get("QUARTERDECK_NO_SKIP", "") not in {"", "0"}
SOAK = max(1, int(os.environ.get("QUARTERDECK_SOAK", "1")))

# Where bytecode may not be kept, every worker and every program that is started compiles all of the project again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Started by nohup or behind an &, these would be ignored by every program that a test starts.
for number, usual in (
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

# A loaded machine makes examples slowly; that says nothing about what is tried.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

replayed.install()

_SECRET_SUFFIXES = ("_API_KEY", "_API_BASE", "_BASE_URL", "_AUTH_TOKEN", "_ACCESS_TOKEN")
_FOREIGN_PREFIXES = ("QUARTERDECK_", "LITELLM_", "OTEL_", "TEXTUAL_", "AWS_", "AZURE_", "VERTEX")
_FOREIGN_NAMES = frozenset(
    {"GOOGLE_APPLICATION_CREDENTIALS", "HF_TOKEN", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"}
)
_XDG_FOLDERS = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
}


def need(tool: str) -> str:
    """Return the path of a system tool; without it the test is skipped, or fails under QUARTERDECK_NO_SKIP=1.

    May also be called at the top of a module, for all of its tests.
    """
    path = shutil.which(tool)
    if path is not None:
        return path
    missing(f"{tool} is not installed, and this test drives the real {tool}")


def missing(message: str) -> NoReturn:
    """Skip what cannot be tried on this machine, or fail under QUARTERDECK_NO_SKIP=1."""
    if NO_SKIP:
        pytest.fail(f"{message}; skipping is forbidden by QUARTERDECK_NO_SKIP")
    pytest.skip(f"MISSING TOOL: {message}", allow_module_level=True)


def soak_factor() -> int:
    """How many times the usual number of random examples and kills to try: 1 in the suite, more in `make soak`."""
    return SOAK


def is_foreign(name: str) -> bool:
    """Whether an environment variable of the developer's could change a test or reach a provider."""
    upper = name.upper()
    return upper in _FOREIGN_NAMES or upper.endswith(_SECRET_SUFFIXES) or upper.startswith(_FOREIGN_PREFIXES)


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the test an empty home and no key of any provider; returns that home."""
    for name in [name for name in os.environ if is_foreign(name)]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name, folder in _XDG_FOLDERS.items():
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setenv("QUARTERDECK_DATA", str(home / "quarterdeck-data"))
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(home / "quarterdeck-config"))
    # A proxy of the developer's must not see, or break, the loopback servers of the tests.
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost,::1")
    return home


@pytest.fixture(autouse=True)
def every_request_is_valid() -> Iterator[None]:
    """A request that some provider would refuse fails the test, also where a run has swallowed the assertion."""
    before = len(invalid_requests())
    yield
    assert invalid_requests()[before:] == []


@pytest.fixture(autouse=True)
def every_run_is_replayed() -> Iterator[None]:
    """A run that does not come back from where it was stored as it was seen live fails its test."""
    yield
    assert replayed.differences() == []
