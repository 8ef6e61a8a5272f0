"""Telling whether the program behind an owner still lives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from runner.store import process
from runner.store.process import FOREIGN_SILENCE, is_alive, start_time, this_process
from runner.tools import table
from tests.store.making import until


def test_this_process_lives_and_no_other_time_or_boot_does() -> None:
    me = this_process("me")
    assert is_alive(me, 0.0)
    assert not is_alive(replace(me, started="ticks:1"), 0.0)
    assert not is_alive(replace(me, place=f"another-boot {table.place().partition(' ')[2]}"), 0.0)
    assert not is_alive(replace(me, started=""), 0.0)


def test_an_owner_in_another_container_lives_as_long_as_it_is_heard_of() -> None:
    boot = table.place().partition(" ")[0]
    foreign = replace(this_process("me"), place=f"{boot} pid:[1]", pid=1, started="ticks:7", seen=1000.0)
    assert is_alive(foreign, 1000.0 + FOREIGN_SILENCE - 1)
    assert not is_alive(foreign, 1000.0 + FOREIGN_SILENCE + 1)


@pytest.mark.parametrize("with_proc", [True, False], ids=["proc", "psutil"])
def test_a_process_has_a_start_time_until_it_is_dead(monkeypatch: pytest.MonkeyPatch, with_proc: bool) -> None:
    if with_proc and start_time(os.getpid()) is None:
        pytest.skip("this system has no /proc")
    if not with_proc:
        monkeypatch.setattr(process, "_has_proc", lambda: False)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    first = start_time(child.pid)
    assert first is not None
    assert start_time(child.pid) == first
    assert first != start_time(os.getpid())
    child.kill()
    until(lambda: start_time(child.pid) is None, "the zombie counts as dead")
    child.communicate(timeout=20)
    assert start_time(child.pid) is None
