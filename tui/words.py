"""Numbers and short facts in words for people. Pure; unknown is said as such and never shown as 0."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.usage import Cost

_FIRST_ARGUMENTS = ("command", "pattern", "path", "url", "question", "query", "name")


def duration(seconds: float) -> str:
    """Seconds as "0.4 s", "12 s", "2 min 05 s" or "1 h 04 min"."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def seconds(amount: float) -> str:
    """Seconds that go on, without a fraction: "3 s", "12 s", "2 min 05 s"."""
    whole = max(0, int(amount))
    return f"{whole} s" if whole < 60 else duration(whole)


def span(amount: float) -> str:
    """Seconds that lie ahead, in one unit, because nobody knows them better: "40 s", "4 min", "3 h", "over a day"."""
    amount = max(0.0, amount)
    if amount < 90:
        return f"{amount:.0f} s"
    if amount < 90 * 60:
        return f"{amount / 60:.0f} min"
    return f"{amount / 3600:.0f} h" if amount < 24 * 3600 else "over a day"


def tokens(count: int) -> str:
    """A count of tokens as "812", "12.3k" or "1.20M"."""
    if count < 1000:
        return str(count)
    if count < 999_950:
        return f"{count / 1000:.1f}k"
    return f"{count / 1_000_000:.2f}M"


def about(count: int) -> str:
    """An estimate of tokens, marked as one and no more exact than it can be: "~812", "~9.0k", "~42k", "~1.2M"."""
    if count < 9950:
        return f"~{tokens(count)}"
    return f"~{count / 1000:.0f}k" if count < 999_500 else f"~{count / 1_000_000:.1f}M"


def window(count: int | None) -> str:
    """A context window as "128k" or "1M"; "?" where it is not known."""
    if count is None:
        return "?"
    if count >= 1_000_000:
        return f"{count / 1_000_000:.3g}M"
    return f"{count / 1000:.3g}k" if count >= 1000 else str(count)


def money(dollars: Decimal) -> str:
    """US dollars: cents from a dollar up, four places below, and never "0" for what is not free."""
    if dollars == 0:
        return "$0"
    if dollars < Decimal("0.0001"):
        return "under $0.0001"
    places = Decimal("0.01") if dollars >= 1 else Decimal("0.0001")
    return f"${dollars.quantize(places, ROUND_HALF_UP)}"


def about_money(dollars: Decimal) -> str:
    """An estimate in US dollars, marked as one: cents, below one cent two digits: "~$0.13", "~$0.0042"."""
    if dollars == 0:
        return "~$0"
    if dollars < Decimal("0.0001"):
        return "~$0.0001"
    places = Decimal("0.01") if dollars >= Decimal("0.01") else Decimal(10) ** (dollars.adjusted() - 1)
    return f"~${dollars.quantize(places, ROUND_HALF_UP):f}"


def price(dollars: Decimal) -> str:
    """A price for a million tokens, without idle zeros: "$3", "$0.15", "$0.038"."""
    rounded = dollars.quantize(Decimal("0.001") if dollars < 1 else Decimal("0.01"), ROUND_HALF_UP)
    exact = rounded if rounded else dollars
    return "free" if dollars == 0 else f"${exact.normalize():f}"


def cost(total: Cost, *, estimated: bool = False) -> str:
    """A sum of costs, "~" where a part is an estimate; what has no known price is said, not counted as nothing."""
    if total.unknown and not total.known:
        return "unknown"
    text = f"{'~' if estimated and total.known else ''}{money(total.known)}"
    return f"{text} + unknown" if total.unknown else text


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = max(0.0, (now - moment).total_seconds())
    if seconds < 60:
        return "just now"
    for size, name in ((60, "min"), (24, "h"), (14, "d")):
        seconds /= 60 if name != "d" else 24
        if seconds < size:
            return f"{int(seconds)} {name} ago"
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 run", "3 runs"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def arguments(value: Mapping[str, object] | str) -> str:
    """The telling part of a call's arguments on one line; not cleaned, not cut."""
    if isinstance(value, str):
        return one_line(value)
    edits = value.get("edits")
    if isinstance(edits, list):
        return one_line(_files(cast("list[object]", edits)))
    for name in _FIRST_ARGUMENTS:
        found = value.get(name)
        if isinstance(found, str) and found:
            return one_line(found)
    parts = [
        f"{name}={item if isinstance(item, str) else json.dumps(item, default=str)}" for name, item in value.items()
    ]
    return one_line(", ".join(parts))


def _files(edits: list[object]) -> str:
    given = [cast("Mapping[str, object]", edit).get("path") for edit in edits if isinstance(edit, dict)]
    paths = dict.fromkeys(str(path) for path in given)
    return f"{count(len(paths), 'file')}: {', '.join(paths)}" if len(paths) > 1 else "".join(paths)


def one_line(text: str) -> str:
    return " ".join(text.split())


def cut(text: str, width: int) -> str:
    """At most width cells of a terminal, the end replaced by an ellipsis."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def fit(text: str, width: int) -> str:
    """Exactly width cells: cut, or filled with spaces."""
    shown = cut(text, width)
    return shown + " " * (width - cell_len(shown))


def cut_middle(text: str, width: int) -> str:
    """At most width cells, the middle replaced by an ellipsis, so that a file's name stays readable."""
    if cell_len(text) <= width or width < 5:
        return cut(text, width)
    head = set_cell_size(text, (width - 1) // 3).rstrip()
    # More characters than cells never fit; a long text is not walked through from its beginning.
    tail = text[-2 * width :]
    while cell_len(tail) > width - 1 - cell_len(head):
        tail = tail[1:]
    return f"{head}…{tail}"


def imported_from(source: str) -> str:
    """Whose session it was before it was brought in here."""
    from runner.importing.steps import NAMES

    return f"imported from {NAMES.get(source, source)}"
