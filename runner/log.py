"""An append-only sequence with structural sharing: the state can be immutable and appending still costs O(1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class AppendLog(Sequence[T], Generic[T]):
    """An immutable view of the first `len` entries of a shared list.

    Appending to the newest view extends the shared list; appending to an older one copies, so a view never changes.
    """

    __slots__ = ("_items", "_length")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)
        self._length = len(self._items)

    def append(self, item: T) -> AppendLog[T]:
        return self.extend((item,))

    def extend(self, items: Iterable[T]) -> AppendLog[T]:
        new: AppendLog[T] = AppendLog()
        shared = self._items if len(self._items) == self._length else self._items[: self._length]
        shared.extend(items)
        new._items = shared
        new._length = len(shared)
        return new

    def first(self, count: int) -> AppendLog[T]:
        """A view of the first entries, which are not copied."""
        view: AppendLog[T] = AppendLog()
        view._items, view._length = self._items, min(count, self._length)
        return view

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            return [self._items[i] for i in range(start, stop, step)]
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError(index)
        return self._items[index]

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._length)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AppendLog):
            return NotImplemented
        mine: list[object] = list(self)
        theirs: list[object] = list(other)  # pyright: ignore[reportUnknownArgumentType]
        return mine == theirs

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"AppendLog({list(self)!r})"
