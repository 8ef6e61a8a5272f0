"""Heights of things that stand one below the other: positions and changes in O(log n) (a Fenwick tree)."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    __slots__ = ("_tree", "_values", "total")

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._values = list(values)
        # tree[i] holds the sum of the (i & -i) values that end with value i - 1; tree[0] is unused.
        self._tree = [0, *self._values]
        for index in range(1, len(self._tree)):
            above = index + (index & -index)
            if above < len(self._tree):
                self._tree[above] += self._tree[index]
        self.total = sum(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def append(self, value: int) -> None:
        self._values.append(value)
        index = len(self._values)
        covered = value
        below = index - 1
        stop = index - (index & -index)
        while below > stop:
            covered += self._tree[below]
            below -= below & -below
        self._tree.append(covered)
        self.total += value

    def truncate(self, length: int) -> None:
        """Keep the first `length` values."""
        if length < len(self._values):
            self.total -= sum(self._values[length:])
            del self._values[length:]
            del self._tree[length + 1 :]

    def set(self, index: int, value: int) -> None:
        change = value - self._values[index]
        if not change:
            return
        self._values[index] = value
        self.total += change
        at = index + 1
        while at < len(self._tree):
            self._tree[at] += change
            at += at & -at

    def before(self, index: int) -> int:
        """The sum of the first `index` values."""
        found = 0
        while index:
            found += self._tree[index]
            index -= index & -index
        return found

    def find(self, position: int) -> tuple[int, int]:
        """The value that covers a position, and the position inside it; values of 0 cover nothing.

        A position past the end gives (len, what is left over).
        """
        index = 0
        step = 1 << len(self._values).bit_length()
        while step:
            step >>= 1
            probe = index + step
            if step and probe <= len(self._values) and self._tree[probe] <= position:
                index = probe
                position -= self._tree[probe]
        return index, position
