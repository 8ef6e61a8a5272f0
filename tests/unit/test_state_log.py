"""AppendLog: immutable views that share their entries."""

from __future__ import annotations

import statistics
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from runner.log import AppendLog


class Views(RuleBasedStateMachine):
    """Any order of appending to any view, new or old: no view ever changes."""

    views = Bundle("views")

    def __init__(self) -> None:
        super().__init__()
        self.known: list[tuple[AppendLog[int], list[int]]] = []

    def _know(self, view: AppendLog[int], expected: list[int]) -> int:
        self.known.append((view, expected))
        return len(self.known) - 1

    @initialize(target=views, items=st.lists(st.integers(), max_size=3))
    def start(self, items: list[int]) -> int:
        return self._know(AppendLog(items), list(items))

    @rule(target=views, view=views, item=st.integers())
    def append(self, view: int, item: int) -> int:
        log, expected = self.known[view]
        return self._know(log.append(item), [*expected, item])

    @rule(target=views, view=views, items=st.lists(st.integers(), max_size=4))
    def extend(self, view: int, items: list[int]) -> int:
        log, expected = self.known[view]
        return self._know(log.extend(items), expected + items)

    @rule(target=views, view=views)
    def extend_by_itself(self, view: int) -> int:
        """Only a short one, since each time doubles it."""
        log, expected = self.known[view]
        return self._know(log.extend(log), expected * 2) if len(expected) < 20 else view

    @invariant()
    def nothing_changed(self) -> None:
        for log, expected in self.known:
            assert list(log) == expected
            assert len(log) == len(expected)


TestViews = Views.TestCase


@given(st.lists(st.integers(), max_size=20), st.integers(-25, 25), st.slices(20))
def test_it_reads_like_a_tuple(items: list[int], index: int, part: slice) -> None:
    log = AppendLog(items)
    assert log[part] == items[part]
    if -len(items) <= index < len(items):
        assert log[index] == items[index]
    else:
        with pytest.raises(IndexError):
            log[index]
    assert list(reversed(log)) == items[::-1]
    assert (3 in log) == (3 in items)


def test_an_older_view_does_not_see_what_came_later() -> None:
    old = AppendLog([1, 2])
    new = old.append(3)
    with pytest.raises(IndexError):
        old[2]
    assert old[-1] == 2
    assert old[:5] == [1, 2]
    assert (list(old), list(new)) == ([1, 2], [1, 2, 3])
    assert list(old.append(4)) == [1, 2, 4]
    assert list(new) == [1, 2, 3]


def test_equality_is_by_content() -> None:
    assert AppendLog([1]).append(2) == AppendLog([1, 2])
    assert AppendLog([1]) != AppendLog([2])
    assert AppendLog([1]) != [1]
    assert hash(AppendLog([1, 2])) == hash(AppendLog([1]).append(2))


def test_appending_costs_the_same_however_long_it_is() -> None:
    def cost(log: AppendLog[int]) -> float:
        costs: list[int] = []
        for _ in range(51):
            tracemalloc.start()
            log = log.append(1)
            costs.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        return statistics.median(costs)

    assert cost(AppendLog(range(100_000))) < 2 * cost(AppendLog(range(10)))
