"""A running command in a few words."""

from __future__ import annotations

import pytest

from runner.tools.marker import new_marker, with_marker
from runner.tools.names import SHORT, cut, short_name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("pytest -q", "pytest -q"),
        (["sh", "-c", "pytest -q"], "pytest -q"),
        (["/bin/bash", "-lc", "pytest -q"], "pytest -q"),
        (["/bin/bash", "--norc", "-c", "pytest -q", "arg0"], "pytest -q"),
        (["/usr/bin/python3", "-m", "pytest"], "python3 -m pytest"),
        (["bash", "script.sh", "-c", "x"], "bash script.sh -c x"),
        (["bash", "-o", "pipefail", "-c", "make"], "make"),
        (["bash", "-c"], "bash -c"),
        (["bash"], "bash"),
        ("cd src && pytest -q", "pytest -q"),
        ("cd 'my folder' && make; make install", "make; make install"),
        ("set -euo pipefail\nnpm ci\nnpm test", "npm ci npm test"),
        ("FOO=1 BAR='a b' make all", "make all"),
        ("env FOO=1 make", "make"),
        ("exec nohup ./server --port 80", "./server --port 80"),
        ("nice make", "make"),
        ("# build it\n  # all of it\nmake", "make"),
        ("cd /somewhere", "cd /somewhere"),
        ("cd /somewhere && ", "cd /somewhere &&"),
        ("env", "env"),
        ("nohup", "nohup"),
        ("env -i make", "env -i make"),
        ("  spread \t over\n\nlines  ", "spread over lines"),
        ("a\x1b[31mred\x07", "a [31mred"),
        ("\u202eevil", "evil"),
        ([], ""),
        ("", ""),
        (["/"], "/"),
    ],
)
def test_what_really_runs(command: str | list[str], name: str) -> None:
    assert short_name(command) == name


def test_long_ones_are_cut() -> None:
    assert short_name("x" * 10**6) == "x" * (SHORT - 1) + "…"
    assert len(short_name(["sh", "-c", "y " * 10**6])) == SHORT
    assert cut("\n" * 10**6) == ""


@pytest.mark.parametrize("command", ["A=1 " * 50_000, "cd x; " * 50_000, "env " * 50_000 + "-", "A='" * 100_000])
def test_no_command_takes_long_to_name(command: str) -> None:
    assert len(short_name(command)) <= SHORT


def test_a_marker_is_one_word_and_never_the_same() -> None:
    odd = new_marker("my run/1 \n", "ä" * 200)
    assert len(odd.split()) == 1
    assert odd.startswith("my_run_1__/____")
    assert len(odd) <= 64 + 1 + 64 + 1 + 16
    assert new_marker("run", "call") != new_marker("run", "call")


def test_the_markers_of_the_calls_around_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_marker({"A": "1"}, "a/b/c") == {"A": "1", "QUARTERDECK_CALL": "a/b/c"}
    monkeypatch.setenv("QUARTERDECK_CALL", " ".join(f"r/c/{number}" for number in range(20)))
    carried = with_marker({}, "a/b/c")["QUARTERDECK_CALL"].split()
    assert carried == [f"r/c/{number}" for number in range(12, 20)] + ["a/b/c"]
