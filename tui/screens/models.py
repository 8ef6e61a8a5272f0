"""The model picker: price, window, tools and key before choosing; works in the middle of a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content

from runner.models.base import ModelInfo
from tui.render.clean import clean
from tui.screens.picker import Picker
from tui.widgets.rows import Rows
from tui.words import cut_middle, fit, money, price, tokens, window


@dataclass(frozen=True, slots=True)
class ModelRow:
    """key: "set", "missing", "not needed" or "" where it is not known. configured: named in the settings."""

    info: ModelInfo
    key: str
    configured: bool = False


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """now: give up the request that is open."""

    name: str
    now: bool


_KEYS = {"set": ("key set", "state-ok"), "missing": ("no key", "muted"), "not needed": ("no key needed", "state-ok")}


class ModelRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, ModelRow)
        info = row.info
        facts = [_price(info), f"{window(info.context_window):>5}"]
        tools = {True: "tools", False: "no tools", None: ""}[info.tools]
        word, token = _KEYS.get(row.key, ("", "muted"))
        right = f"{facts[0]:>17} {facts[1]}"
        if width >= 72:
            right += f"  {tools:<8}"
        tail = f" {word:<13}" if width >= 60 else ""
        room = width - cell_len(right) - len(tail) - 2
        content = Content.assemble(
            (
                f" {fit(cut_middle(clean(info.name), room), room)} ",
                "bold $foreground" if row.configured else "$foreground",
            ),
            (right, "$muted"),
            (tail, f"${token}"),
        )
        return content.stylize("$selection-text on $selection") if selected else content


class ModelPicker(Picker[ModelChoice | None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+n", "now", show=False, priority=True)]
    TITLE_TEXT = "Models"
    SUBTITLE = "$ in / out for a million tokens · window · tools · key"

    def __init__(
        self, load: Callable[[], Awaitable[Sequence[ModelRow]]], *, current: str, live: bool, context_used: int
    ) -> None:
        super().__init__()
        self._load = load
        self._current = current
        self._context_used = context_used
        self._live = live

    def hint(self) -> str:
        if self._live:
            return "enter: from the next request · ctrl+n: now, giving up the open one · esc closes"
        return "enter takes it · esc closes"

    def make_rows(self) -> Rows:
        return ModelRows(id="picker-rows")

    async def load(self) -> Sequence[object]:
        return await self._load()

    def search_text(self, item: object) -> str:
        assert isinstance(item, ModelRow)
        return item.info.name

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, ModelRow)
        info = item.info
        parts = [_price_words(info)]
        if info.context_window:
            parts.append(f"window {info.context_window:,} tokens")
        if self._context_used and info.name != self._current:
            parts.append(_rereading(info, self._context_used))
        if info.name == self._current:
            parts.append("in use now")
        if info.is_demo:
            parts.append("a demo, not a real model")
        if info.note:
            parts.append(info.note)
        return Content.styled(clean(" · ".join(filter(None, parts))), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, ModelRow)
        self.leave(ModelChoice(item.info.name, now=False))

    def action_now(self) -> None:
        row = self._list.row
        if isinstance(row, ModelRow):
            self.leave(ModelChoice(row.info.name, now=self._live))


def _price(info: ModelInfo) -> str:
    """Input and output price for a million tokens in a column."""
    if info.price is None:
        return "price unknown"
    if info.price.input == 0 and info.price.output == 0:
        return "free"
    return f"{price(info.price.input)} / {price(info.price.output)}"


def _price_words(info: ModelInfo) -> str:
    if info.price is None:
        return "its price is not known, so cost will show as unknown"
    if info.price.input == 0 and info.price.output == 0:
        return "free"
    return f"{price(info.price.input)} in, {price(info.price.output)} out for a million tokens"


def _rereading(info: ModelInfo, used: int) -> str:
    """What the switch itself costs: the new model reads the whole history once, uncached."""
    if info.context_window and used > info.context_window:
        return f"too small for the {tokens(used)} tokens of this session, which would be compacted first"
    if info.price is None:
        return f"reads {tokens(used)} tokens again"
    return f"reads {tokens(used)} tokens again, {money(info.price.input * Decimal(used) / 1_000_000)}"
