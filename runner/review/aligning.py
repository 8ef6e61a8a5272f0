"""The longest common subsequence of two sequences, also of thousands of things of which most are alike. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

MOST_CELLS: Final = 200_000_000
"""Bits of the table that is kept at once, 25 MB; what is larger is divided first."""


def common(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The places in a and in b of what both have, in order. What both begin and end with always belongs to it."""
    start, last = 0, min(len(a), len(b))
    while start < last and a[start] == b[start]:
        start += 1
    end = 0
    while end < last - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = _between(a[start : len(a) - end], b[start : len(b) - end])
    return [
        *((place, place) for place in range(start)),
        *((left + start, right + start) for left, right in middle),
        *((len(a) - place, len(b) - place) for place in range(end, 0, -1)),
    ]


def _between(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """A row of the table is one number: bit j is 0 where the j-th of b makes the common part longer (Hyyrö, 2004)."""
    if not a or not b:
        return []
    if len(a) * len(b) > MOST_CELLS and len(a) > 1:
        return _divided(a, b)
    rows = _rows(a, b)
    found: list[tuple[int, int]] = []
    left, right = len(a), len(b)
    while left and right:
        bit = right - 1
        if rows[left - 1] >> bit & 1:
            right -= 1
        elif left > 1 and not rows[left - 2] >> bit & 1:
            left -= 1
        else:
            found.append((left - 1, bit))
            left, right = left - 1, bit
    return found[::-1]


def _rows(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[int]:
    rows: list[int] = []
    _last_row(a, b, rows)
    return rows


def _last_row(a: Sequence[Hashable], b: Sequence[Hashable], rows: list[int] | None = None) -> int:
    places: dict[Hashable, int] = {}
    for place, thing in enumerate(b):
        places[thing] = places.get(thing, 0) | 1 << place
    whole = (1 << len(b)) - 1
    row = whole
    for thing in a:
        both = row & places.get(thing, 0)
        row = ((row + both) | (row - both)) & whole
        if rows is not None:
            rows.append(row)
    return row


def _divided(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Both halves of a, each with the part of b with which the common parts together are longest (Hirschberg, 1975)."""
    half = len(a) // 2
    before = _lengths(_last_row(a[:half], b), len(b))
    after = _lengths(_last_row(a[half:][::-1], b[::-1]), len(b))
    at = max(range(len(b) + 1), key=lambda place: before[place] + after[len(b) - place])
    rest = ((left + half, right + at) for left, right in _between(a[half:], b[at:]))
    return [*_between(a[:half], b[:at]), *rest]


def _lengths(row: int, width: int) -> list[int]:
    """How long the common part with the first n of b is, for every n."""
    found = [0]
    for character in reversed(f"{row:0{width}b}"):
        found.append(found[-1] + (character == "0"))
    return found
