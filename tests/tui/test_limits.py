"""At a limit the run asks on the screen: raise it, write a value, take it off, another model, wrap up, stop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.events import LimitReached
from runner.testing import ScriptedModel, calls, hold, reply, text
from runner.usage import Price
from tests.tui.cockpit import Deck, cockpit
from tui.limits import BY_NAME, LIMITS, find_limit, for_config, next_value, read_value
from tui.widgets.limit_card import LimitCard

LOOK = calls(("list_files", {}))
CHEAP = Price(input=Decimal(3), output=Decimal(15))


def card(deck: Deck) -> LimitCard:
    return deck.app.cockpit.query_one(LimitCard)


@asynccontextmanager
async def at_limit(
    folder: Path,
    *,
    limits: Mapping[str, Any] | None = None,
    size: tuple[int, int] = (120, 40),
    price: Price | None = CHEAP,
    others: Mapping[str, ScriptedModel] | None = None,
    draft: str = "",
) -> AsyncGenerator[Deck]:
    """A run that asks what to do, after one turn."""
    steps = [reply(text("Looking. "), LOOK), "All seen.", "Said once more."]
    limits = {"max_turns": 1} if limits is None else limits
    async with cockpit(folder, steps, limits=limits, size=size, price=price, others=others) as deck:
        # In one breath, so that the draft is there before anything can ask.
        deck.conductor.submit("look")
        deck.composer.replace_all(draft)
        await deck.until(lambda: deck.view.limit_asked is not None and card(deck).display, "the question")
        await deck.settle()
        yield deck


async def armed(deck: Deck) -> None:
    await deck.until(lambda: card(deck).has_focus and card(deck).arming.armed, "an armed card")
    await deck.settle()


async def test_the_card_says_what_is_used_up_and_the_ways_on(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        shown = deck.screen_text()
        assert "The turn limit is reached: 1 of 1 turns" in shown
        for words in ("r raise to 2", "e another value", "o no turn limit", "m another model", "w wrap up", "x stop"):
            assert words in shown
        assert deck.view.live is not None
        assert deck.view.live.status == "paused"
        await armed(deck)
        assert "armed: your next key decides" in deck.screen_text()


async def test_raising_goes_on(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await armed(deck)
        await deck.pilot.press("r")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "complete"
        assert deck.view.run.limits["max_turns"] == 2
        assert "All seen." in deck.screen_text()
        assert not card(deck).display
        assert deck.composer.has_focus


async def test_a_value_is_written_and_a_wrong_one_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await armed(deck)
        await deck.pilot.press("e")
        await deck.until(lambda: card(deck).answering == "limit_value")
        await deck.pilot.press(*"many", "enter")
        await deck.until(lambda: 'no value for turns: write a whole number such as 80, or "off"' in deck.screen_text())
        await deck.pilot.press("ctrl+u", "1", "enter")
        await deck.until(lambda: "1 is used already: write more than that" in deck.screen_text())
        await deck.pilot.press("7", "enter")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.limits["max_turns"] == 17


async def test_escape_leaves_the_value_and_then_the_card(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await armed(deck)
        await deck.pilot.press("e")
        await deck.until(lambda: card(deck).answering == "limit_value")
        await deck.pilot.press("escape")
        await deck.until(lambda: card(deck).has_focus)
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.composer.has_focus)
        assert deck.view.limit_asked is not None


async def test_taking_the_limit_off_goes_on(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await armed(deck)
        await deck.pilot.press("o")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "complete"
        assert "max_turns" not in deck.view.run.limits


async def test_wrapping_up_gives_one_last_answer(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await armed(deck)
        await deck.pilot.press("w")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "max_turns_exceeded"
        assert len(deck.model.requests) == 2
        assert "All seen." in deck.screen_text()


@pytest.mark.parametrize("key", ["x", "enter"])
async def test_stopping_is_what_enter_does(tmp_path: Path, key: str) -> None:
    async with at_limit(tmp_path) as deck:
        await armed(deck)
        await deck.pilot.press(key)
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "stopped"
        assert len(deck.model.requests) == 1


async def test_a_cost_limit_says_what_the_next_request_would_cost_and_a_cheaper_model_goes_on(tmp_path: Path) -> None:
    other = ScriptedModel(["Cheap and done."], name="test/cheap", price=Price(input=Decimal(0), output=Decimal(0)))
    expensive = Price(input=Decimal(30_000), output=Decimal(0))
    limits = {"max_cost_usd": Decimal("0.01")}
    steps: list[Any] = []
    async with cockpit(tmp_path, steps, limits=limits, price=expensive, others={"test/cheap": other}) as deck:
        await deck.send("look")
        await deck.until(lambda: deck.view.limit_asked is not None and card(deck).display)
        await armed(deck)
        shown = deck.screen_text()
        assert "The next request could pass the cost limit" in shown
        assert deck.view.limit_asked is not None
        assert deck.view.limit_asked.needed is not None
        assert next_value(deck.view.limit_asked) >= deck.view.limit_asked.needed
        await deck.pilot.press("m")
        await deck.until(lambda: "Demo, built in" in deck.screen_text())
        await deck.pilot.press(*"test/cheap")
        await deck.until(lambda: "Demo, built in" not in deck.screen_text() and "test/cheap" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.ended()
        assert "Cheap and done." in deck.screen_text()
        assert deck.model.requests == []


async def test_an_unknown_price_offers_no_higher_limit(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Done."], limits={"max_cost_usd": Decimal(1)}, price=None) as deck:
        await deck.send("look")
        await deck.until(lambda: deck.view.limit_asked is not None and card(deck).display)
        await armed(deck)
        shown = deck.screen_text()
        assert "the price of test/scripted is not known" in shown
        assert "raise to" not in shown
        await deck.pilot.press("r")
        await deck.until(lambda: deck.composer.text == "r", "a letter that means nothing here, in the message")
        await deck.pilot.press("backspace", "ctrl+g")
        await armed(deck)
        await deck.pilot.press("o")
        await deck.ended()
        assert "Done." in deck.screen_text()


async def test_letters_in_the_message_never_answer(tmp_path: Path) -> None:
    async with at_limit(tmp_path, draft="my draft ") as deck:
        await deck.pilot.press(*"rowexm")
        await deck.settle()
        assert deck.composer.text == "my draft rowexm"
        assert deck.view.limit_asked is not None
        assert "ctrl+g to answer; letters go to your message" in deck.screen_text()


async def test_keys_before_the_quiet_moment_do_nothing(tmp_path: Path) -> None:
    async with at_limit(tmp_path, draft="x") as deck:
        await deck.pilot.press("ctrl+g", "x")
        await deck.settle()
        assert card(deck).has_focus
        assert deck.view.limit_asked is not None


async def test_abort_at_a_limit_ends_at_once(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await deck.pilot.press("f9")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "aborted"


async def test_continuing_a_pause_at_a_limit_is_refused_with_the_ways_on(tmp_path: Path) -> None:
    async with at_limit(tmp_path) as deck:
        await deck.pilot.press("f5")
        await deck.settle()
        assert "it waits at a limit: raise it" in deck.screen_text()


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_small_screens_show_all_choices_and_the_error(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_limit(tmp_path, size=size) as deck:
        await armed(deck)
        shown = deck.screen_text()
        for key in ("r ", "e ", "o ", "m ", "w ", "x "):
            assert f" {key}" in shown
        await deck.pilot.press("e")
        await deck.until(lambda: card(deck).answering == "limit_value")
        await deck.pilot.press(*"?", "enter")
        await deck.until(lambda: "no value for turns" in deck.screen_text())


async def test_a_limit_is_set_by_a_command_in_the_middle_of_a_run(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, LOOK), "Done."], limits={"max_turns": 1}) as deck:
        await deck.send("look")
        await deck.until(lambda: "half" in deck.screen_text())
        await deck.send("/limit turns lots")
        await deck.until(lambda: "no value for turns" in deck.screen_text())
        assert deck.composer.text == "/limit turns lots"
        await deck.send("/limit turns 5")
        await deck.until(lambda: deck.view.live is not None and deck.view.live.limits["max_turns"] == 5)
        gate.release()
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "complete"


async def test_a_limit_that_is_set_while_nothing_runs_holds_for_the_next_run(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(LOOK), "Done."]) as deck:
        await deck.send("/limit turns 1")
        await deck.until(lambda: "turn limit 1 from the next message on" in deck.screen_text())
        await deck.send("look")
        await deck.until(lambda: deck.view.limit_asked is not None)


async def test_names_and_values_of_limits_are_completed(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate)], limits={"max_turns": 30}) as deck:
        await deck.send("look")
        await deck.until(lambda: "half" in deck.screen_text())
        await deck.pilot.press(*"/limit tu")
        await deck.until(lambda: "turns of the run, now 30" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "/limit turns ")
        await deck.until(lambda: "twice as much" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "/limit turns +50%")
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.view.live is not None and deck.view.live.limits["max_turns"] == 45)


async def test_the_palette_begins_the_command_and_keeps_the_draft(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press(*"my draft", "ctrl+p")
        await deck.until(lambda: "what can be done now" in deck.screen_text())
        await deck.pilot.press(*"change a limit", "enter")
        await deck.until(lambda: deck.composer.text == "/limit ")
        await deck.pilot.press(*"cost 2", "enter")
        await deck.until(lambda: "cost limit $2.00 from the next message on" in deck.screen_text())
        assert deck.composer.text == "my draft"


@pytest.mark.parametrize(("later", "first", "second"), [(1.0, "approval", "limit"), (-1.0, "limit", "approval")])
async def test_a_limit_and_an_approval_are_both_reachable_the_oldest_first(
    tmp_path: Path, later: float, first: str, second: str
) -> None:
    write = calls(("write_file", {"path": "new.txt", "content": "hello"}))
    async with cockpit(tmp_path, [reply(write), "Done."]) as deck:
        await deck.send("do it")
        await deck.waiting()
        run = deck.view.live
        assert run is not None
        approval = run.waiting_calls[0].approval
        assert approval is not None
        asked = LimitReached(
            run_id=run.run_id, seq=999, limit="max_turns", used=Decimal(1), value=Decimal(1), mono=approval.mono + later
        )
        deck.conductor.deck.changed({run.run_id: replace(run, limit_asked=asked)})
        await deck.settle()
        cards = {"approval": (deck.card, "write_file wants"), "limit": (card(deck), "The turn limit is reached")}
        for name, number in ((first, 1), (second, 2), (first, 1)):
            shown, words = cards[name]
            await deck.pilot.press("ctrl+g")
            if number == 1 and not shown.display:
                await deck.pilot.press("ctrl+g")
            await deck.until(lambda shown=shown: shown.has_focus)
            await deck.settle()
            assert f"{number} of 2: {words}" in deck.screen_text()
        await deck.pilot.press("f9")
        await deck.ended()


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("turns", "80", "80"),
        ("max_turns", "0", "0"),
        ("cost", "$2.50", "2.50"),
        ("cost", ".5", "0.5"),
        ("time", "90", "90"),
        ("time", "10m", "600"),
        ("wall-time", "1h30m", "5400"),
        ("wall_time", "90 s", "90"),
        ("tokens", "200k", "200000"),
        ("tokens", "1.5M", "1500000"),
        ("tokens", "200,000", "200000"),
        ("turns", "+50%", "15"),
    ],
)
def test_values_as_people_write_them(name: str, written: str, value: str) -> None:
    assert read_value(find_limit(name), written, Decimal(10)) == Decimal(value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        *(("turns", written) for written in ("8.5", "-1", "ten", "9" * 40)),
        *(("cost", written) for written in ("nan", "inf", "2k")),
        *(("time", written) for written in ("0", "", "m")),
        ("tokens", "+x%"),
    ],
)
def test_what_is_no_value_is_said_with_an_example(name: str, written: str) -> None:
    with pytest.raises(ValueError, match=r"write .* such as .*, or \"off\""):
        read_value(find_limit(name), written, Decimal(10))


def test_an_unknown_limit_gets_a_hint() -> None:
    with pytest.raises(ValueError, match='did you mean "turns"'):
        find_limit("turn")


def test_every_limit_has_a_short_name_and_off() -> None:
    assert len({limit.word for limit in LIMITS}) == len(LIMITS)
    assert all(read_value(limit, "off") is None for limit in LIMITS)
    assert for_config({"max_turns": Decimal(5), "max_time": Decimal(90), "max_cost_usd": Decimal("0.5")}) == {
        "max_turns": 5,
        "max_time": 90.0,
        "max_cost_usd": Decimal("0.5"),
    }


@pytest.mark.parametrize(
    ("limit", "used", "value", "needed", "higher"),
    [
        ("max_turns", "50", "50", None, "100"),
        ("max_turns", "0", "0", None, "20"),
        ("max_cost_usd", "2.50", "2.50", None, "5.00"),
        ("max_cost_usd", "2.31", "2.50", "7", "10.00"),
        ("max_cost_usd", "0.004", "0.004", None, "0.008"),
        ("max_time", "310", "300", None, "600"),
        ("max_total_tokens", "250", "100", None, "400"),
    ],
)
def test_the_next_value_is_the_double_as_often_as_it_takes(
    limit: str, used: str, value: str, needed: str | None, higher: str
) -> None:
    asked = LimitReached(
        limit=limit, used=Decimal(used), value=Decimal(value), needed=None if needed is None else Decimal(needed)
    )
    assert next_value(asked) == Decimal(higher)
    assert BY_NAME[limit].name == limit
