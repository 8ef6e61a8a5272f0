"""The model picker: what a model costs and can do, and what the switch to it costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len

from runner.events import ModelRequested, ModelResponded, RunStarted, UsageUpdated
from runner.messages import UserMessage
from runner.models.base import ModelInfo, TextChunk
from runner.models.catalogue import Pricing
from runner.state import fold
from runner.testing import ScriptedModel
from runner.testing.scripted import reply, usage
from runner.usage import Price
from tests.tui.cockpit import cockpit
from tui.catalogue import model_rows
from tui.screens.models import ModelPicker, ModelRow, ModelRows, facts, reread_cost
from tui.view import View, history_tokens

PRICE = Price(input=Decimal(3), output=Decimal(15))
INFO = ModelInfo(
    name="anthropic/claude-sonnet-4-5",
    provider="anthropic",
    context_window=128_000,
    price=PRICE,
    tools=True,
    client="litellm",
)
ROW = ModelRow(INFO, "set")


def words(row: ModelRow, history: int = 42_000, current: str = "m") -> str:
    return " · ".join(text for text, _ in facts(row, history, current))


def test_a_switch_says_what_reading_the_history_again_costs_and_whether_it_fits() -> None:
    assert words(ROW) == (
        "re-reads ~42k tokens: ~$0.13 · fits: ~42k of 128k · $3 in, $15 out for a million tokens · "
        "asked through litellm"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (replace(ROW, info=replace(INFO, price=None)), "re-reads ~42k tokens: at an unknown price"),
        (replace(ROW, info=replace(INFO, price=None)), " · price unknown"),
        (replace(ROW, info=replace(INFO, price=Price(input=Decimal(0), output=Decimal(0)))), "tokens: free"),
        (
            replace(ROW, info=replace(INFO, context_window=32_000)),
            "does not fit (~42k of 32k): will be summarised first",
        ),
        (
            replace(ROW, info=replace(INFO, context_window=50_000)),
            "nearly full (~42k of 50k): will be summarised first",
        ),
        (replace(ROW, info=replace(INFO, context_window=None)), "its window is not known"),
        (replace(ROW, info=replace(INFO, tools=False)), "no tools: it can only answer"),
        (replace(ROW, info=replace(INFO, tools=None)), "whether it takes tools is not known"),
        (replace(ROW, key="missing"), "no key is set for it"),
        (replace(ROW, info=replace(INFO, client="direct")), "asked directly"),
        (replace(ROW, info=replace(INFO, is_demo=True, client="demo")), "a demo, not a real model"),
        (replace(ROW, info=replace(INFO, note="retires 2026-06-06")), "retires 2026-06-06"),
    ],
)
def test_what_to_know_before_choosing(row: ModelRow, said: str) -> None:
    assert said in words(row)


def test_a_warning_comes_first() -> None:
    row = replace(ROW, info=replace(INFO, tools=False, context_window=32_000))
    assert [token for _, token in facts(row, 42_000, "m")[:2]] == ["state-waiting", "state-waiting"]


def test_the_model_in_use_and_a_new_session_read_nothing_again() -> None:
    assert "re-reads" not in words(ROW, current=INFO.name)
    assert words(ROW, current=INFO.name).startswith("in use · window 128,000 tokens")
    assert words(ROW, 0).startswith("window 128,000 tokens · $3 in")


def test_a_dearer_price_for_long_inputs_counts() -> None:
    dear = Price(input=Decimal(6), output=Decimal(22))
    row = replace(ROW, pricing=Pricing(base=PRICE, tiers=((200_000, dear),)))
    assert reread_cost(row, 100_000) == Decimal("0.3")
    assert reread_cost(row, 300_000) == Decimal("1.8")
    assert reread_cost(replace(row, info=replace(INFO, price=None), pricing=None), 1) is None


def test_prices_that_depend_on_the_size_come_from_the_table() -> None:
    from runner.models import catalogue

    name = next(name for name in catalogue.table() if (known := catalogue.lookup(name)) and _tiered(known.pricing))
    known = catalogue.lookup(name)
    assert known is not None
    own = replace(known.info, price=Price(input=Decimal(1), output=Decimal(2)))
    assert model_rows([known.info], (), {})[0].pricing == known.pricing
    assert model_rows([own], (), {})[0].pricing is None


def _tiered(pricing: Pricing | None) -> bool:
    return pricing is not None and bool(pricing.tiers)


@pytest.mark.parametrize("width", range(36, 120, 4))
@pytest.mark.parametrize("history", [0, 42_000])
def test_a_row_is_one_line_at_every_width(width: int, history: int) -> None:
    rows = ModelRows(history=history, current="m")
    long = replace(ROW, info=replace(INFO, name="provider/" + "a-very-long-name-" * 4, price=None))
    for row in (ROW, long, replace(ROW, info=replace(INFO, name="m"))):
        assert cell_len(rows.draw(row, width, selected=False).plain) == width


def test_a_row_at_80_columns_tells_what_counts() -> None:
    rows = ModelRows(history=42_000, current="m")
    line = " ".join(rows.draw(ROW, 76, selected=False).plain.split())
    assert line == "anthrop…laude-sonnet-4-5 $3 / $15 128k ~$0.13 tools key"
    small = replace(ROW, key="missing", info=replace(INFO, name="x/y", context_window=8000, tools=False))
    assert rows.draw(small, 76, selected=False).plain.split()[-6:] == ["too", "long", "no", "tools", "no", "key"]
    assert "litellm" in rows.draw(ROW, 106, selected=False).plain


def test_the_history_is_what_the_last_request_held_else_an_estimate_by_length() -> None:
    assert history_tokens(View()) == 0
    began = RunStarted(run_id="a", session_id="s", input=(UserMessage(text="x" * 400),))
    request = ModelRequested(run_id="a", model="m", input_tokens_estimate=50)
    first = fold([began, request])
    assert history_tokens(View(runs=(first,))) == 104
    answered = fold([ModelResponded(model="m", text="y" * 40), UsageUpdated(context_used=5000)], first)
    later = fold([replace(began, run_id="b")])
    assert history_tokens(View(runs=(answered,))) == 5000
    assert history_tokens(View(runs=(answered, later))) == 5104


async def test_the_picker_is_readable_at_80_columns_and_24_rows(tmp_path: Path) -> None:
    answer = reply(TextChunk("hello"), usage(41_000, 600))
    other = ScriptedModel([], name="test/other", price=PRICE)
    async with cockpit(tmp_path, [answer], size=(80, 24), others={"test/other": other}) as deck:
        await deck.send("hi")
        await deck.ended()
        await deck.pilot.press("ctrl+o")
        await deck.until(lambda: isinstance(deck.app.screen, ModelPicker) and deck.app.screen.items)
        await deck.pilot.press(*"other")
        await deck.until(lambda: "re-reads ~42k tokens: ~$0.12" in deck.screen_text())
        [row] = [line for line in deck.screen_text().split("\n") if "test/other" in line]
        assert "$3 / $15" in row
        assert "~$0.12" in row
        assert "enter takes it · esc closes" in deck.screen_text()
        assert "reading ~42k again" in deck.screen_text()
