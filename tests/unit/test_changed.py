"""The quick way to change a frozen value makes what the library's own makes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import pytest

from runner.changed import changed
from runner.state import RunState
from tests.store.making import short_run


def test_it_is_what_replace_makes_for_every_field() -> None:
    state = short_run("run-1", "session-1").state
    other = RunState()
    for field in fields(RunState):
        new = {field.name: getattr(other, field.name)}
        made = changed(state, **new)
        assert made == replace(state, **new)
        assert made is not state
    assert changed(state) == state


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(TypeError, match="no field 'colour'"):
        changed(RunState(), colour=1)

    @dataclass(frozen=True)
    class Open:
        one: int = 1
        two: int = 2

    @dataclass(frozen=True, slots=True)
    class Checked:
        one: int = 1
        two: int = 2

        def __post_init__(self) -> None:
            assert self.one

    for value in (Open(), Checked()):
        with pytest.raises(TypeError, match="not made for this"):
            changed(value, one=2)
