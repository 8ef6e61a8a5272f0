"""Fuzzy search over many texts: a quick sieve first, Textual's matcher for the few that are left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from textual.fuzzy import FuzzySearch

T = TypeVar("T")

SIEVED = 400
"""Candidates that the slow matcher scores at most: it needs about 0.1 ms for each."""


def best(query: str, items: Iterable[T], text: Callable[[T], str], limit: int) -> list[T]:
    """The best matches of the query, best first; the first items in their own order for an empty query.

    Spaces in the query separate words that must all match.
    """
    words = query.lower().split()
    if not words:
        found: list[T] = []
        for item in items:
            found.append(item)
            if len(found) == limit:
                break
        return found
    sieves = [re.compile(".*?".join(map(re.escape, word))) for word in words]
    passed = [
        (text(item), item)
        for item in items
        if all(sieve.search(lowered) for lowered in (text(item).lower(),) for sieve in sieves)
    ]
    passed.sort(key=lambda pair: (*_closeness(words, pair[0].lower()), len(pair[0])))
    matcher = FuzzySearch(cache_size=SIEVED)
    scored = [
        (-sum(matcher.match(word, candidate)[0] for word in words), place, item)
        for place, (candidate, item) in enumerate(passed[:SIEVED])
    ]
    scored.sort(key=lambda entry: (entry[0], entry[1]))
    return [item for _, _, item in scored[:limit]]


def _closeness(words: list[str], candidate: str) -> tuple[int, int]:
    """How many words occur only scattered, and where the first one begins."""
    places = [candidate.find(word) for word in words]
    return sum(place < 0 for place in places), max(0, places[0])
