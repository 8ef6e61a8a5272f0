"""Whether there is a sandbox, what becomes of commands without one, what is asked about it, and the one for macOS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.tools.base import Sandbox
from runner.tools.builtin import SHELL
from runner.tools.sandbox import seatbelt, status
from runner.tools.sandbox.places import Places
from tests.conftest import need
from tests.processes.support import context, need_sandbox, run

BWRAP = need_sandbox()
BOX = Sandbox(mode="require")


@pytest.fixture
def without_bwrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH with a shell and all the rest of this machine's programs, but no bubblewrap."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "touch", "cat", "env"):
        (folder / name).symlink_to(need(name))
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.usefixtures("without_bwrap")
async def test_required_and_not_there_nothing_runs(tmp_path: Path) -> None:
    outcome = await run(SHELL, context(tmp_path, sandbox=BOX), command="touch ran")
    assert outcome.status == "error"
    assert "bubblewrap (bwrap) is not installed" in outcome.output
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("without_bwrap")
async def test_wished_for_and_not_there_it_runs_and_says_so(tmp_path: Path) -> None:
    ctx = context(tmp_path, sandbox=Sandbox(mode="auto"))
    why = "bubblewrap (bwrap) is not installed"
    outcome = await run(SHELL, ctx, command="touch ran")
    assert (tmp_path / "ran").exists()
    assert outcome.display is not None
    assert outcome.display["sandbox"] == {"on": False, "network": True, "why": why}
    assert SHELL.preview is not None
    preview = SHELL.preview(ctx, SHELL.validate({"command": "touch ran"}))
    assert preview["sandbox"] == {"on": False, "network": True, "why": why, "required": False, "write": []}
    assert status(ctx.sandbox).why == why


async def test_one_that_is_installed_but_forbidden_to_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin/bwrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    found = status(Sandbox(mode="auto"))
    assert (found.on, found.why) == (False, "bubblewrap does not work here: No permissions to create a new namespace")


async def test_it_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = tmp_path / "bin/bwrap"
    counting.parent.mkdir()
    counting.write_text(f'#!/bin/sh\necho x >> {tmp_path}/count\nexec {BWRAP} "$@"\n')
    counting.chmod(0o755)
    monkeypatch.setenv("PATH", f"{counting.parent}:{os.environ['PATH']}")
    assert [status(Sandbox(mode=mode)).on for mode in ("auto", "require", "auto")] == [True] * 3
    assert len((tmp_path / "count").read_text().split()) == 1


# What is asked, and shown before


@pytest.mark.parametrize(
    ("sandbox", "network", "asks"),
    [
        (Sandbox(), True, False),
        (Sandbox(mode="auto"), False, False),
        (Sandbox(mode="auto"), True, True),
        (Sandbox(mode="require", network=True), True, False),
    ],
)
def test_network_access_is_a_concern_only_where_the_sandbox_keeps_it_away(
    sandbox: Sandbox, network: bool, asks: bool, tmp_path: Path
) -> None:
    assert SHELL.concern is not None
    assert SHELL.risks is not None
    arguments = SHELL.validate({"command": "curl x", "network": network})
    ctx = context(tmp_path, sandbox=sandbox)
    assert ("network" in arguments) == network
    assert (SHELL.concern(ctx, arguments) is not None) == asks
    assert SHELL.risks(ctx, arguments) == (("with network access",) if asks else ())


def test_a_preview_tells_what_the_command_may_do(tmp_path: Path) -> None:
    assert SHELL.preview is not None
    more = tmp_path / "more"
    ctx = context(tmp_path, sandbox=Sandbox(mode="require", write=(more,)))
    found = SHELL.preview(ctx, SHELL.validate({"command": "x", "network": True}))["sandbox"]
    assert found == {"on": True, "network": True, "why": "", "required": True, "write": [str(more)]}
    assert "sandbox" not in SHELL.preview(context(tmp_path), SHELL.validate({"command": "x"}))


# The profile for macOS, as text


def test_the_profile_for_macos() -> None:
    places = Places(
        workspace=Path("/w"),
        writable=(Path("/w"), Path('/odd"name\\')),
        pinned=(Path("/w/.git"),),
        guarded=(Path("/w/.git/hooks"), Path("/w/.git/config")),
        hidden=(Path("/Users/me/.ssh"),),
    )
    text = seatbelt.profile(places, scratch=Path("/private/tmp/s"), network=False)
    lines = text.split("\n")
    allowed = '(allow file-write* (subpath "/w") (subpath "/odd\\"name\\\\") (subpath "/private/tmp/s"))'
    denied = '(deny file-write* (subpath "/w/.git/hooks") (subpath "/w/.git/config"))'
    # The last line that means a place decides.
    order = ["(deny file-write*)", allowed, denied]
    assert [line for line in lines if line in order] == order
    assert '(deny file-write-unlink (literal "/w/.git"))' in lines
    assert '(deny file-read* file-write* (subpath "/Users/me/.ssh"))' in lines
    assert "(deny network*)" in lines
    assert text.count("(") == text.count(")")
    assert "network" not in seatbelt.profile(places, scratch=Path("/s"), network=True)
    assert seatbelt.arguments(places, scratch=Path("/s"), network=True)[0] == "/usr/bin/sandbox-exec"
