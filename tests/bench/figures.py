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


def show_spread(
    name: str, values: Sequence[float], *, against: Sequence[float] = (), grown_from: Sequence[float] = ()
) -> None:
    """One line of seconds as milliseconds: the median, the 99th percentile and the most.

    The ratios are of the percentiles to the other figures'; the growth is that of the 99th since the smallest size.
    """
    middle, high = _percentiles(values)
    line = f"{name:<50} p50 {middle * 1e3:6.1f}  p99 {high * 1e3:6.1f}  max {max(values) * 1e3:6.1f} ms"
    if against:
        other = _percentiles(against)
        line += f"   ratio {middle / other[0]:.1f}, {high / other[1]:.1f}"
    if grown_from and grown_from is not values:
        line += f"   growth {high / _percentiles(grown_from)[1]:.2f}"
    print(f"{line}   n {len(values)}", flush=True)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=100, method="inclusive")[98]
