"""How figures are taken and printed: several runs in turn, medians, and the spread beside them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence


def in_turn(runs: int, measures: Mapping[str, Callable[[], float]], *, warmup: int = 1) -> dict[str, list[float]]:
    """Each measure `runs` times, A B A B ..., so that a machine that slows down slows all of them."""
    for _ in range(warmup):
        for measure in measures.values():
            measure()
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(runs):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def show(name: str, values: Sequence[float], unit: str, *, scale: float = 1.0, against: Sequence[float] = ()) -> None:
    """One line: the median, the range, and the ratio to the other figures, pair by pair."""
    scaled = [value * scale for value in values]
    line = f"{name:<46} {statistics.median(scaled):9.1f} {unit:<4} ({min(scaled):.1f} to {max(scaled):.1f})"
    if against:
        ratios = [value / other for value, other in zip(values, against, strict=True) if other > 0]
        line += f"   ratio {statistics.median(ratios):.2f}" if ratios else ""
    print(line, flush=True)
