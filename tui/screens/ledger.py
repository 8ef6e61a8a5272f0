"""The ledger of the session: every request that was paid for, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.content import Content
from textual.widgets import Input, Static

from tui.ledger_words import (
    LEGEND,
    LedgerRow,
    cost_of,
    facts,
    ledger_rows,
    new_tokens,
    number,
    price_words,
    sums,
    sums_words,
    why,
)
from tui.render.clean import clean
from tui.screens.picker import Picker
from tui.screens.viewer import Viewer
from tui.widgets.rows import Rows
from tui.words import fit, one_line

if TYPE_CHECKING:
    from runner.state import RunState
    from tui.desk import Desk

FRESH = 1.0
"""Seconds between two looks for new requests while a run goes on."""

_WIDE, _BROAD = 96, 120


def open_ledger(desk: Desk, argument: str) -> None:
    """argument: what to look for, or "run id:place" of a request to begin at."""
    desk.host.show_screen(LedgerScreen(desk, argument))


class Cells(NamedTuple):
    """The columns of a line; last takes what room is left."""

    when: str
    place: str
    model: str
    numbers: Sequence[str]
    price: str
    cost: str
    last: str


NAMES = Cells("ended", "run.turn", "model", ("new", "cached", "out", "think"), "$ a million", "cost", "where from")
"""What stands above the columns. $ a million: tokens in and out."""


def cells_of(row: LedgerRow, *, provider: bool) -> Cells:
    """provider: there is room for its name before the model's."""
    entry, usage = row.entry, row.entry.usage
    kinds = (new_tokens(usage) + usage.cache_write, usage.cached_input, usage.output, usage.reasoning)
    return Cells(
        when=f"{entry.time.astimezone():%H:%M:%S}",
        place=f"{row.run}.{entry.turn}" + (f" try {entry.attempt}" if entry.attempt > 1 else ""),
        model=clean(one_line(entry.model if provider else entry.model.rpartition("/")[2])),
        numbers=[number(row, kind) for kind in kinds],
        price=price_words(entry.price),
        cost=cost_of(row),
        last=clean(one_line(" · ".join(filter(None, (why(entry), "estimated" if row.estimated else "reported"))))),
    )


def line(cells: Cells, width: int, tokens: tuple[str, str, str]) -> Content:
    """tokens: the theme's variables of the cost, of the last column, and of all the others."""
    wide = width >= _WIDE
    # On a narrow screen what was thought is left out, and so is the price.
    numbers = "".join(f"{text:>7}" for text in (cells.numbers if wide else cells.numbers[:3]))
    left = f" {fit(cells.when, 9)}{fit(cells.place, 10)}"
    price = f" {cells.price:>12}" if wide else ""
    cost = f"{cells.cost:>10} "
    room = max(0, width - len(left) - len(numbers) - len(price) - len(cost))
    model = min(26, max(8, room // 2))
    return Content.assemble(
        (left, "$muted"),
        (fit(cells.model, min(model, room)), f"${tokens[2]}"),
        (numbers, f"${tokens[2]}"),
        (price, "$muted"),
        (cost, f"${tokens[0]}"),
        (fit(cells.last, max(0, room - model)), f"${tokens[1]}"),
    ).truncate(width, pad=True)


class LedgerRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, LedgerRow)
        last = "state-failed" if row.entry.discarded else "state-waiting" if row.estimated else "muted"
        cost = "state-waiting" if row.entry.cost_usd is None else "foreground"
        content = line(cells_of(row, provider=width >= _BROAD), width, (cost, last, "foreground"))
        return content.stylize("$selection-text on $selection") if selected else content


class Heading(Static):
    """The names of the columns."""

    def on_resize(self) -> None:
        self.update(line(NAMES, self.content_size.width, ("muted", "muted", "muted")), layout=False)


class LedgerScreen(Picker[None]):
    TITLE_TEXT: ClassVar[str] = "Ledger"
    SUBTITLE: ClassVar[str] = LEGEND

    def __init__(self, desk: Desk, argument: str = "") -> None:
        super().__init__()
        self._desk = desk
        run_id, colon, place = argument.rpartition(":")
        self._wanted = (run_id, int(place)) if colon and place.isdigit() else None
        self._text = "" if self._wanted else argument
        self._all: list[LedgerRow] = []
        self._total = ""

    def make_rows(self) -> Rows:
        return LedgerRows(id="picker-rows")

    def hint(self) -> str:
        return "enter shows all of a request · type a model, a turn, estimated, discarded · esc closes"

    def search_text(self, item: object) -> str:
        assert isinstance(item, LedgerRow)
        entry = item.entry
        source = "estimated" if item.estimated else "reported"
        unknown = "unknown" if entry.cost_usd is None else ""
        return f"{entry.model} turn {entry.turn} {source} {unknown} {why(entry)}"

    def start(self) -> None:
        self.query_one(".picker").mount(Heading("", classes="ledger-head", markup=False), before=self._list)
        self._take()
        if self._text:
            self.query_one(Input).value = self._text
        self.refilter(self._begin_at())
        self.set_interval(FRESH, self._look_again)

    @property
    def _runs(self) -> tuple[RunState, ...]:
        return self._desk.deck.view().runs

    def _take(self) -> None:
        self.items = self._all = ledger_rows(self._runs)

    def _begin_at(self) -> int:
        """The request that was asked for, else the newest."""
        places = [(row.run_id, row.place) for row in self._all]
        return places.index(self._wanted) if self._wanted in places else len(places) - 1

    def _look_again(self) -> None:
        """Requests that were closed since; the selection stays, at the end it follows."""
        if sum(len(run.ledger) for run in self._runs) == len(self._all):
            return
        at = self._list.selected
        at_end = self._list.row is None or self._list.row is self._all[-1]
        self._take()
        self.refilter(-1 if at_end else at)

    def refilter(self, keep: int = -1) -> None:
        """All that match, in order; the totals are those of what is listed."""
        words = self.query_one(Input).value.lower().split()
        found = [row for row in self._all if all(word in self.search_text(row).lower() for word in words)]
        self._list.selected = keep if 0 <= keep < len(found) else len(found) - 1
        self._list.set_rows(found)
        self._total = f"{'of these' if words else 'total'}: {sums_words(sums(found))}"
        self.show_detail()

    def detail(self, item: object | None) -> Content:
        return Content.styled(clean(self._total), "$foreground")

    def choose(self, item: object) -> None:
        assert isinstance(item, LedgerRow)
        title = Content.assemble(("Request", "bold $foreground"), (f"  {clean(one_line(item.entry.model))}", "$muted"))
        lines = [
            Content.assemble(
                (f"{name:<10}", "$muted"), (clean(one_line(value)) if name[:1] != " " else value, "$foreground")
            )
            for name, value in facts(item)
        ]
        self._desk.host.show_screen(Viewer(title, Content("\n").join(lines)))
