"""The model picker: its groups, its search, what it says of a switch, and what comes of it in the middle of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len

from runner.events import ModelRequested, ModelResponded, RunStarted, UsageUpdated
from runner.messages import UserMessage
from runner.models.base import ModelInfo, TextChunk
from runner.models.catalogue import Pricing
from runner.state import fold
from runner.state.settings import Asked
from runner.testing import ScriptedModel, calls, hold, reply
from runner.testing.scripted import usage
from runner.usage import Price, Usage
from tests.tui.cockpit import Deck, cockpit
from tui.catalogue import model_rows
from tui.model_list import Heading, Line, Marks, ModelRow, listed, reread_cost
from tui.model_memory import NAME, ModelMemory
from tui.model_switch import Switch, facts, next_level, switch_of
from tui.remembered import Remembered
from tui.screens.models import ModelPicker
from tui.view import View, history_tokens
from tui.widgets.model_rows import ModelRows

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRICE = Price(input=Decimal(3), output=Decimal(15))
INFO = ModelInfo(
    name="anthropic/claude-sonnet-4-5",
    provider="anthropic",
    context_window=128_000,
    price=PRICE,
    tools=True,
    vision=True,
    reasoning=True,
    efforts=("none", "low", "high"),
    client="litellm",
)
ROW = ModelRow(INFO, "set")
SWITCH = Switch(current="m", history=42_000)


def line(row: ModelRow, used: datetime | None = None) -> Line:
    return Line(row, row.info.name, used=used)


def words(row: ModelRow, switch: Switch = SWITCH, effort: str | None = None, temperature: float | None = None) -> str:
    return " · ".join(text for text, _ in facts(line(row), switch, effort, temperature, NOW))


def test_a_switch_says_what_reading_the_history_again_costs_and_whether_it_fits() -> None:
    assert words(ROW) == (
        "the switch re-reads ~42k tokens, none of it cached: ~$0.13 · fits: ~42k of 128k · "
        "$3 in, $15 out for a million tokens · asked through litellm"
    )


def changed(**changes: object) -> ModelRow:
    return replace(ROW, info=replace(INFO, **changes))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (changed(price=None), "re-reads ~42k tokens, none of it cached: at an unknown price"),
        (changed(price=None), " · price unknown"),
        (changed(price=Price(input=Decimal(0), output=Decimal(0))), "re-reads ~42k tokens: free"),
        (changed(context_window=32_000), "does not fit (~42k of 32k): will be summarised first"),
        (changed(context_window=50_000), "nearly full (~42k of 50k): will be summarised first"),
        (changed(context_window=None), "its window is not known"),
        (changed(tools=False), "no tools: it can only answer"),
        (changed(tools=None), "whether it takes tools is not known"),
        (replace(ROW, key="missing"), "no key is set for it"),
        (changed(client="direct"), "asked directly"),
        (changed(is_demo=True, client="demo"), "a demo, not a real model"),
        (changed(note="retires 2026-06-06"), "retires 2026-06-06"),
        (changed(price=replace(PRICE, cached_input=Decimal("0.3"))), "$3 in, $0.3 cached, $15 out"),
    ],
)
def test_what_to_know_before_choosing(row: ModelRow, said: str) -> None:
    assert said in words(row)


def test_settings_that_the_model_will_not_be_sent_are_said_before() -> None:
    assert "temperature 0.7 is not sent: not possible beside thinking" in words(ROW, effort="low", temperature=0.7)
    assert "effort max is not sent: the model does not take that level" in words(ROW, effort="max")
    assert "effort low is not sent: the model does not take it" in words(changed(efforts=()), effort="low")
    assert "not sent" not in words(ROW, effort="low")


def test_the_model_in_use_says_how_much_it_has_cached_and_a_new_session_reads_nothing_again() -> None:
    here = replace(SWITCH, current=INFO.name)
    assert words(ROW, here).startswith("in use · the next request reads ~42k tokens, how many from its cache is not")
    cheap = changed(price=replace(PRICE, cached_input=Decimal("0.3")))
    assert "in use · the next request reads ~42k tokens, 90% from its cache: ~$0.02" in words(
        cheap, replace(here, cached=0.9)
    )
    assert words(ROW, replace(SWITCH, history=0)).startswith("window 128,000 tokens · $3 in")
    before = replace(SWITCH, before=frozenset({INFO.name}))
    assert "it may have a part in its cache" in words(ROW, before)
    assert "used 3 h ago" in " ".join(
        text for text, _ in facts(line(ROW, NOW - timedelta(hours=3)), SWITCH, None, None, NOW)
    )


def test_a_dearer_price_for_long_inputs_and_a_cache_count() -> None:
    dear = Price(input=Decimal(6), output=Decimal(22), cached_input=Decimal(1))
    row = replace(ROW, pricing=Pricing(base=PRICE, tiers=((200_000, dear),)))
    assert reread_cost(row, 100_000) == Decimal("0.3")
    assert reread_cost(row, 300_000) == Decimal("1.8")
    assert reread_cost(row, 300_000, 200_000) == Decimal("0.8")
    assert reread_cost(changed(price=None), 1) is None


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


def some(name: str, key: str = "set", **changes: object) -> ModelRow:
    provider = name.partition("/")[0]
    plain = ModelInfo(name=name, provider=provider, price=PRICE, tools=True, vision=False, reasoning=False)
    return ModelRow(replace(plain, **changes), key)


MODELS = [
    some("openai/gpt-5"),
    some("openai/gpt-5-mini", vision=True),
    some("anthropic/claude-sonnet", "missing", vision=True, reasoning=True),
    some("ollama/qwen", "not needed", price=Price(input=Decimal(0), output=Decimal(0))),
    some("bedrock/claude-sonnet", "", price=None),
    replace(some("lab/own", ""), configured=True),
]


def told(entries: Sequence[Heading | Line]) -> list[str]:
    return [f"# {each.title} {each.note}".strip() if isinstance(each, Heading) else each.name for each in entries]


def test_models_stand_in_groups_and_those_that_can_be_used_come_first() -> None:
    assert told(listed(MODELS, Marks())) == [
        *("# Configured 1", "lab/own"),
        *("# OpenAI 2 models · key set", "gpt-5", "gpt-5-mini"),
        *("# Ollama 1 model · no key needed", "qwen"),
        *("# Anthropic 1 model · no key", "claude-sonnet"),
        *("# Amazon Bedrock 1 model · key not known", "claude-sonnet"),
    ]
    marks = Marks(favourites=("ollama/qwen", "openai/gpt-5"), recents={"lab/own": NOW, "gone/away": NOW})
    assert told(listed(MODELS, marks))[:6] == [
        *("# ★ Favourites 2", "ollama/qwen", "openai/gpt-5"),
        *("# Last used", "lab/own"),
        "# OpenAI 1 model · key set",
    ]
    used = told(listed(MODELS, marks, current="bedrock/claude-sonnet"))
    assert used[3:6] == ["# In use and last used", "bedrock/claude-sonnet", "lab/own"]
    assert told(listed(MODELS, Marks(), current="openai/gpt-5"))[:2] == ["# In use", "openai/gpt-5"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sonnet", ["anthropic/claude-sonnet", "bedrock/claude-sonnet"]),
        ("gpt mini", ["openai/gpt-5-mini"]),
        ("VISION", ["openai/gpt-5-mini", "anthropic/claude-sonnet"]),
        ("vision key", ["openai/gpt-5-mini"]),
        ("reasoning", ["anthropic/claude-sonnet"]),
        ("free", ["ollama/qwen"]),
        ("local", ["ollama/qwen"]),
        ("unknown", ["bedrock/claude-sonnet"]),
        ("amazon", ["bedrock/claude-sonnet"]),
        ("favourite", ["bedrock/claude-sonnet"]),
        ("recent", ["openai/gpt-5"]),
        ("configured", ["lab/own"]),
        ("g5m", ["openai/gpt-5-mini"]),
        ("zzz", []),
    ],
)
def test_a_search_finds_names_providers_and_what_a_model_can_do(query: str, names: list[str]) -> None:
    marks = Marks(favourites=("bedrock/claude-sonnet",), recents={"openai/gpt-5": NOW})
    found = [each.row.info.name for each in listed(MODELS, marks, query) if isinstance(each, Line)]
    assert sorted(found) == sorted(names)


def test_a_favourite_comes_first_in_a_search_too_and_a_usable_model_before_one_without_a_key() -> None:
    assert told(listed(MODELS, Marks(favourites=("bedrock/claude-sonnet",)), "sonnet"))[:2] == [
        "# ★ Favourites 1",
        "bedrock/claude-sonnet",
    ]
    more = [*MODELS, some("groq/claude-sonnet-old")]
    assert told(listed(more, Marks(), "sonnet"))[1] == "claude-sonnet-old"


@pytest.mark.parametrize("width", range(30, 120, 5))
@pytest.mark.parametrize("history", [0, 42_000])
def test_a_row_is_one_line_at_every_width(width: int, history: int) -> None:
    rows = ModelRows(switch=Switch(current="m", history=history))
    long = some("provider/" + "a-very-long-name-" * 4, price=None)
    for row in (ROW, long, some("m")):
        for entry in (line(row), replace(line(row, NOW), favourite=True), Heading("Somebody", "4 models · no key")):
            drawn = rows.draw(entry, width, selected=False).plain
            assert cell_len(drawn) == width or (isinstance(entry, Heading) and cell_len(drawn) < width)
    assert cell_len(rows.header("Models", "the history is ~42k tokens", width).plain) == width


def test_a_row_at_80_columns_has_every_important_column() -> None:
    rows = ModelRows(switch=SWITCH)
    drawn = " ".join(rows.draw(line(ROW), 76, selected=False).plain.split())
    assert drawn == "anthropi…claude-sonnet-4-5 $3 / $15 128k tools vision reasoning"
    small = line(some("x/y", price=None, context_window=8000, tools=False, vision=None))
    assert rows.draw(small, 76, selected=False).plain.split() == ["x/y", "price", "unknown", "8k", "—", "?", "—"]
    assert "~$0.13" in rows.draw(line(ROW), 106, selected=False).plain
    assert rows.draw(line(ROW), 36, selected=False).plain.split()[-3:] == ["$3", "/", "$15"]


def test_the_next_level_is_one_that_the_model_takes() -> None:
    assert [next_level(level, ("low", "high"), 1) for level in (None, "low", "high")] == ["low", "high", None]
    assert [next_level(level, ("low", "high"), -1) for level in (None, "low")] == ["high", None]
    assert next_level(None, None, 1) == "none"
    assert [next_level("medium", ("low", "high"), step) for step in (1, -1)] == ["high", "low"]
    assert next_level("max", ("low",), 1) is None
    assert next_level("high", (), 1) is None


def test_what_is_remembered_outlives_the_program_and_damage_is_harmless(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path)
    times = iter(NOW + timedelta(minutes=count) for count in range(100))
    memory = ModelMemory(remembered, lambda: next(times))
    assert memory.toggle("a/b")
    assert memory.toggle("c/d")
    assert not memory.toggle("a/b")
    for number in range(20):
        memory.used(f"m/{number}")
    memory.used("m/12")
    assert remembered.flush()
    again = ModelMemory(Remembered(tmp_path))
    assert again.favourites == ("c/d",)
    assert list(again.recents)[:3] == ["m/12", "m/19", "m/18"]
    assert len(again.recents) == 12
    path = remembered.path(NAME)
    odd = {"favourites": [1, None, "x/y", "x/y", "z" * 999], "recents": [7, {"name": "q"}, {"name": "r", "used": "no"}]}
    for text in ("{", "[]", '{"favourites": 7, "recents": {}}', json.dumps(odd)):
        path.write_text(text, encoding="utf-8")
        assert ModelMemory(Remembered(tmp_path)).recents == {}
    assert ModelMemory(Remembered(tmp_path)).favourites == ("x/y",)


def test_the_history_is_what_the_last_request_held_else_an_estimate_by_length() -> None:
    assert history_tokens(View()) == 0
    began = RunStarted(run_id="a", session_id="s", input=(UserMessage(text="x" * 400),))
    request = ModelRequested(run_id="a", model="m", input_tokens_estimate=50)
    first = fold([began, request])
    assert history_tokens(View(runs=(first,))) == 104
    responded = ModelResponded(model="m", text="y" * 40, usage=Usage(input=4000, cached_input=3000, output=1000))
    answered = fold([responded, UsageUpdated(context_used=5000)], first)
    later = fold([replace(began, run_id="b")])
    assert history_tokens(View(runs=(answered,))) == 5000
    assert history_tokens(View(runs=(answered, later))) == 5104
    switch = switch_of(View(model="m", runs=(answered, later), asked=Asked(effort="low")))
    assert (switch.cached, switch.before, switch.asked.effort) == (0.75, frozenset({"m"}), "low")
    assert switch_of(View(model="other", runs=(answered,))).cached is None


async def opened(deck: Deck) -> ModelPicker:
    await deck.pilot.press("ctrl+o")
    await deck.until(lambda: isinstance(deck.app.screen, ModelPicker) and deck.app.screen.line is not None)
    assert isinstance(deck.app.screen, ModelPicker)
    return deck.app.screen


def selected(picker: ModelPicker) -> str:
    return "" if picker.line is None else picker.line.row.info.name


async def chosen_by_mouse(deck: Deck, picker: ModelPicker, name: str) -> None:
    """A click selects, one on what is selected chooses."""
    place = next(at for at, text in enumerate(deck.screen_text().split("\n")) if name in text)
    column = picker.query_one("#picker-rows").region.x + 6
    await deck.pilot.click(offset=(column, place))
    await deck.until(lambda: selected(picker) == name)
    await deck.pilot.click(offset=(column, place))
    await deck.until(lambda: deck.view.model == name)


async def test_a_model_an_effort_and_a_temperature_are_chosen_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """One story: the list as it opens, a search, a favourite, settings, escape, the switch now, and the next run."""
    gate = hold()
    first = reply(calls(("list_files", {})), usage(41_000, 600))
    info = ModelInfo(
        name="test/other", provider="test", context_window=100_000, price=PRICE, tools=True, efforts=("low", "high")
    )
    other = ScriptedModel([reply(TextChunk("better")), reply(TextChunk("again"))], info=info)
    async with cockpit(
        tmp_path, [first, [TextChunk("slowly"), gate]], size=(80, 24), others={"test/other": other}
    ) as deck:
        await deck.send("hi")
        await deck.until(lambda: "slowly" in deck.screen_text())
        picker = await opened(deck)
        assert selected(picker) == "test/scripted"
        assert "In use" in deck.screen_text()
        await deck.pilot.press(*"other")
        await deck.until(
            lambda: "re-reads ~42k tokens, none of it cached: ~$0.12" in " ".join(deck.screen_text().split())
        )
        [row] = [text for text in deck.screen_text().split("\n") if "$3 / $15" in text and "tools" in text]
        assert "other" in row
        assert "enter next request · ctrl+n now" in deck.screen_text()
        await deck.pilot.press("ctrl+f")
        await deck.until(lambda: "★ test/other" in deck.screen_text())
        await deck.pilot.click("#models-effort", offset=(16, 0))
        await deck.until(lambda: "effort < low >" in deck.screen_text())
        await deck.pilot.press("right", "alt+m", *"9.5")
        await deck.until(lambda: "temperature is 9.5; it is 0 to 2" in deck.screen_text())
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        assert deck.view.asked == Asked()

        picker = await opened(deck)
        await deck.pilot.press(*"other", "right", "right", "alt+m", *"0.5", "enter")
        await deck.until(lambda: "effort < high >" in deck.screen_text())
        await deck.pilot.press("ctrl+n")
        await deck.ended()
        [request] = other.requests
        assert (request.settings.reasoning_effort, request.settings.temperature) == ("high", 0.5)
        assert "effort high · temp 0.5" in deck.screen_text()
        await deck.send("once more")
        await deck.until(lambda: len(other.requests) == 2)
        await deck.ended()
        assert other.requests[1].settings == request.settings

        await deck.send("/effort default")
        await deck.send("/temperature 3")
        await deck.until(lambda: "temperature is 3; it is 0 to 2" in deck.screen_text())
        assert (deck.view.asked.effort, deck.view.asked.temperature) == (None, 0.5)
        picker = await opened(deck)
        assert picker.line is not None
        assert (picker.line.row.info.name, picker.line.favourite) == ("test/other", True)
        await chosen_by_mouse(deck, picker, "test/scripted")
        await deck.pilot.resize_terminal(40, 10)
        await opened(deck)
        await deck.until(lambda: "• test/scripted" in deck.screen_text() and "effort <" in deck.screen_text())
