"""The model picker: what a model costs, holds and can do, and what the switch to it costs; also in the middle of a
run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from runner.models.base import ModelInfo
from runner.models.catalogue import Pricing
from runner.usage import Price, Usage
from tui.render.clean import clean
from tui.screens.picker import Picker
from tui.widgets.rows import Rows
from tui.words import about, about_money, cut, cut_middle, fit, price, window

SUMMARISED_AT: Final = 0.8
"""The used part of a window from which a history is summarised before it is sent."""

DETAIL_LINES: Final = 2
"""Lines below the list, kept free so that the list does not move with the selection."""

_KEYS: Final = {"set": ("key", "state-ok"), "missing": ("no key", "muted"), "not needed": ("", "muted")}
_TOOLS: Final = {True: ("tools", 8, "muted"), False: ("no tools", 8, "state-waiting"), None: ("tools ?", 8, "muted")}
_CLIENTS: Final = {"direct": "asked directly", "litellm": "asked through litellm", "demo": ""}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """key: "set", "missing", "not needed" or "" where it is not known. configured: named in the settings.

    pricing: where the price of an input depends on its size.
    """

    info: ModelInfo
    key: str
    configured: bool = False
    pricing: Pricing | None = None

    def price_of(self, tokens: int) -> Price | None:
        """The price of a request with so many tokens of input; None = not known."""
        return self.info.price if self.pricing is None else self.pricing.price_for(Usage(input=tokens))


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """now: give up the request that is open."""

    name: str
    now: bool


class Cell(NamedTuple):
    """One column of a row. numbers stand at the right."""

    text: str
    cells: int
    token: str = "muted"
    number: bool = False

    @property
    def shown(self) -> str:
        text = cut(self.text, self.cells)
        return text.rjust(self.cells) if self.number else text.ljust(self.cells)


class ModelRows(Rows):
    """history: tokens that another model would read again, an estimate; 0 = there is no history."""

    def __init__(self, *, id: str | None = None, history: int = 0, current: str = "") -> None:
        super().__init__(id=id)
        self.history = history
        self._current = current

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, ModelRow)
        cells = self._cells(row, width)
        room = max(1, width - 1 - sum(cell.cells + 2 for cell in cells))
        content = Content.assemble(
            (
                f" {fit(cut_middle(clean(row.info.name), room), room)}",
                "bold $foreground" if row.configured else "$foreground",
            ),
            *((f"  {cell.shown}", f"${cell.token}") for cell in cells),
        )
        return content.stylize("$selection-text on $selection") if selected else content

    def _cells(self, row: ModelRow, width: int) -> list[Cell]:
        """As many columns as leave room for the name."""
        info = row.info
        cells = [Cell(_price(info), 14, number=True), Cell(window(info.context_window), 5, number=True)]
        if self.history and width >= 50:
            cells.append(self._reread(row))
        if width >= 60:
            cells.append(Cell(*_TOOLS[info.tools]))
        if width >= 92:
            cells.append(Cell(info.client, 7))
        if width >= 70:
            text, token = _KEYS.get(row.key, ("", "muted"))
            cells.append(Cell(text, 6, token))
        return cells

    def _reread(self, row: ModelRow) -> Cell:
        if row.info.name == self._current:
            return Cell("in use", 8, number=True)
        size = row.info.context_window
        if size and self.history > size:
            return Cell("too long", 8, "state-waiting", number=True)
        cost = reread_cost(row, self.history)
        return Cell("unknown" if cost is None else about_money(cost) if cost else "free", 8, number=True)


class ModelPicker(Picker[ModelChoice | None]):
    """context_used: tokens of the session's history, an estimate; 0 = there is none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+n", "now", show=False, priority=True)]
    TITLE_TEXT = "Models"

    def __init__(
        self, load: Callable[[], Awaitable[Sequence[ModelRow]]], *, current: str, live: bool, context_used: int
    ) -> None:
        self._load = load
        self._current = current
        self._history = context_used
        self._live = live
        super().__init__()

    def hint(self) -> str:
        if self._live:
            return "enter: next request · ctrl+n: now, giving up the open one · esc closes"
        return "enter takes it · esc closes"

    def make_rows(self) -> Rows:
        return ModelRows(id="picker-rows", history=self._history, current=self._current)

    def on_mount(self) -> None:
        self.query_one(".picker-detail", Static).styles.height = DETAIL_LINES
        self._name_columns()

    def on_resize(self) -> None:
        self._name_columns()

    def _name_columns(self) -> None:
        """What the columns are, as far as they are shown."""
        width = self._list.content_size.width or self.size.width - 4
        columns = ["$ in / out a million", "window"]
        if self._history:
            columns.append(f"reading {about(self._history)} again")
        columns.append("tools")
        if width >= 92:
            columns.append("client")
        title = Content.assemble((self.TITLE_TEXT, "bold $primary"), (f"  {' · '.join(columns)} · key", "$muted"))
        self.query_one(".picker-title", Static).update(title, layout=False)

    async def load(self) -> Sequence[object]:
        return await self._load()

    def search_text(self, item: object) -> str:
        assert isinstance(item, ModelRow)
        return item.info.name

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, ModelRow)
        return Content(" · ").join(
            Content.styled(clean(text), f"${token}") for text, token in facts(item, self._history, self._current)
        )

    def choose(self, item: object) -> None:
        assert isinstance(item, ModelRow)
        self.leave(ModelChoice(item.info.name, now=False))

    def action_now(self) -> None:
        row = self._list.row
        if isinstance(row, ModelRow):
            self.leave(ModelChoice(row.info.name, now=self._live))


def facts(row: ModelRow, history: int, current: str) -> list[tuple[str, str]]:
    """What to know before choosing, the most important first: text and theme variable."""
    info = row.info
    found: list[tuple[str, str]] = []
    if info.name == current:
        found.append(("in use", "state-ok"))
    if info.tools is False:
        found.append(("no tools: it can only answer", "state-waiting"))
    elif info.tools is None:
        found.append(("whether it takes tools is not known", "muted"))
    if history and info.name != current:
        found += _switching(row, history)
    elif info.context_window:
        found.append((f"window {info.context_window:,} tokens", "muted"))
    found.append((_price_words(info), "muted"))
    if row.key == "missing":
        found.append(("no key is set for it", "state-waiting"))
    rest = [_CLIENTS.get(info.client, info.client), "a demo, not a real model" if info.is_demo else "", info.note]
    return [*found, *((text, "muted") for text in rest if text)]


def _switching(row: ModelRow, history: int) -> list[tuple[str, str]]:
    """What becomes of the session's history with another model: whether it fits, and what reading it costs."""
    size = row.info.context_window
    read = about(history)
    if size and history > size:
        return [(f"does not fit ({read} of {window(size)}): will be summarised first", "state-waiting")]
    cost = reread_cost(row, history)
    price = "at an unknown price" if cost is None else "free" if not cost else about_money(cost)
    found = [(f"re-reads {read} tokens: {price}", "foreground")]
    if not size:
        return [*found, ("its window is not known", "muted")]
    if history >= size * SUMMARISED_AT:
        return [*found, (f"nearly full ({read} of {window(size)}): will be summarised first", "state-waiting")]
    return [*found, (f"fits: {read} of {window(size)}", "state-ok")]


def reread_cost(row: ModelRow, history: int) -> Decimal | None:
    """US dollars for reading the history once, uncached; None = not known."""
    price = row.price_of(history)
    return None if price is None else price.input * Decimal(history) / 1_000_000


def _price(info: ModelInfo) -> str:
    """Input and output price for a million tokens in a column."""
    if info.price is None:
        return "price unknown"
    if info.price.input == 0 and info.price.output == 0:
        return "free"
    return f"{price(info.price.input)} / {price(info.price.output)}"


def _price_words(info: ModelInfo) -> str:
    if info.price is None:
        return "price unknown"
    if info.price.input == 0 and info.price.output == 0:
        return "free"
    return f"{price(info.price.input)} in, {price(info.price.output)} out for a million tokens"
