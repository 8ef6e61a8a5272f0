"""The ledger on its screen: every decision of real runs, found by words and filters, read page by page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from runner.control.commands import Decide
from runner.testing import calls, reply
from runner.testing.scripted import Response
from tests.tui.cockpit import Deck, cockpit
from tui.screens.decisions import PAGE, DecisionsScreen
from tui.screens.trial import TrialScreen
from tui.screens.viewer import Viewer
from tui.widgets.rows import Rows


def shell(command: str) -> Response:
    return reply(calls(("shell", {"command": command})))


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path / "conf"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "project"
    here.mkdir()
    return here


async def decide(deck: Deck, command: str, answer: Callable[[str], Decide]) -> None:
    def waits() -> bool:
        return any(call.arguments == {"command": command} for call in deck.view.waiting)

    await deck.until(waits, f"a question about {command}")
    approval = deck.view.waiting[0].approval
    assert approval is not None
    deck.conductor.deck.decide(answer(approval.request_id))


async def ledger(deck: Deck, text: str = "") -> DecisionsScreen:
    deck.conductor.open_screen("decisions", text)
    await deck.until(lambda: isinstance(deck.app.screen, DecisionsScreen) and bool(deck.app.screen.query(Input)), "it")
    screen = deck.app.screen
    assert isinstance(screen, DecisionsScreen)
    return screen


async def seen(deck: Deck, words: str) -> str:
    await deck.until(lambda: words in " ".join(deck.screen_text().split()), words)
    return " ".join(deck.screen_text().split())


def rows(deck: Deck) -> str:
    """The list alone, without what lies behind it."""
    place = deck.app.screen.query_one("#picker-rows").region
    lines = deck.screen_text().splitlines()[place.y : place.bottom]
    return "\n".join(" ".join(line[place.x : place.right].split()) for line in lines)


async def shown(deck: Deck, present: str, absent: str) -> None:
    def only() -> bool:
        return present in rows(deck) and absent not in rows(deck)

    await deck.until(only, f"{present} without {absent}")


async def test_every_decision_is_there_with_who_decided_and_what_was_changed(folder: Path) -> None:
    steps = [shell("echo one"), shell("echo two"), shell("printf x"), "done"]
    async with cockpit(folder, steps, size=(140, 36)) as deck:
        await deck.send("go")
        await decide(
            deck, "echo one", lambda asked: Decide(request_id=asked, decision="edit", arguments={"command": "echo ONE"})
        )
        await decide(deck, "echo two", lambda asked: Decide(request_id=asked, decision="allow", scope="session"))
        await deck.ended()
        await ledger(deck)
        await seen(deck, "✎ edited")
        text = rows(deck)
        assert "echo one → echo ONE" in text
        assert text.index("printf x") < text.index("echo two") < text.index("echo one")
        assert "✓ allowed grant shell printf x" in text
        assert "✓ allowed you shell echo two" in text
        await deck.pilot.press("down", "down", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, Viewer), "all of it")
        text = await seen(deck, "Allowed instead")
        for words in ("decided", "by you, after", "because:", "Asked for", '"command": "echo ONE"', str(folder)[-12:]):
            assert words in text
        await deck.pilot.press("escape", "up", "up", "down", "enter")
        await seen(deck, "for this session: every call of shell")


async def test_filters_narrow_it_and_a_wrong_one_says_so(folder: Path) -> None:
    write = reply(calls(("write_file", {"path": "a.txt", "content": "text of a file"})))
    async with cockpit(folder, [shell("echo one"), write, "done"], size=(140, 36)) as deck:
        await deck.send("go")
        await decide(deck, "echo one", lambda asked: Decide(request_id=asked, decision="allow"))
        await deck.until(lambda: bool(deck.view.waiting) and deck.view.waiting[0].tool == "write_file", "the write")
        approval = deck.view.waiting[0].approval
        assert approval is not None
        deck.conductor.deck.decide(Decide(request_id=approval.request_id, decision="deny", reason="not now"))
        await deck.ended()
        screen = await ledger(deck, "tool:shell")
        field = screen.query_one(Input)
        for query, present, absent in (
            ("tool:shell", "echo one", "a.txt"),
            ("decision:denied", "a.txt", "echo one"),
            ("by:you echo", "echo one", "a.txt"),
            ("not now", "a.txt", "echo one"),
            ("since:today", "a.txt", "nothing"),
            ("tool:", "a.txt", "nothing"),
        ):
            field.value = query
            await shown(deck, present, absent)
        field.value = "by:rule"
        await seen(deck, "nothing matches")
        field.value = "since:yesterday"
        await seen(deck, "'yesterday' is no day")
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)


async def test_a_denial_becomes_a_rule_that_denies(folder: Path) -> None:
    async with cockpit(folder, [shell("git push origin"), "done"], size=(120, 30)) as deck:
        await deck.send("go")
        await decide(deck, "git push origin", lambda asked: Decide(request_id=asked, decision="deny"))
        await deck.ended()
        await ledger(deck)
        await deck.until(lambda: deck.app.screen.query_one(Rows).row is not None, "the decision")
        await deck.pilot.press("ctrl+r")
        await deck.until(lambda: isinstance(deck.app.screen, TrialScreen), "the trial")
        await seen(deck, "would have denied 1 of the 1 past request")
        assert deck.app.screen.query_one(Input).value == "deny shell prefix git push origin"
        await deck.pilot.press("tab")
        await deck.until(lambda: deck.app.screen.query_one(Input).value == "deny shell prefix git push")


async def test_thousands_of_rows_are_read_as_they_are_looked_at(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.toml").write_text(
        '[[rules]]\neffect = "deny"\ntool = "list_files"\n', encoding="utf-8"
    )
    number = PAGE * 2 + 37
    batch = reply(calls(*(("list_files", {"path": f"folder{index}"}) for index in range(number))))
    async with cockpit(folder, [batch, "done"], size=(100, 30)) as deck:
        await deck.send("go")
        await deck.ended()
        screen = await ledger(deck)
        await seen(deck, f"1 of {PAGE}+")
        await deck.pilot.press("ctrl+end")
        await seen(deck, f"{PAGE} of {PAGE * 2}+")
        await deck.pilot.press("ctrl+end")
        await seen(deck, f"{PAGE * 2} of {number}")
        await deck.pilot.press("ctrl+end")
        await seen(deck, f"{number} of {number}")
        paths = [row.arguments["path"] for row in screen.found]
        assert sorted(paths) == sorted(f"folder{index}" for index in range(number))
        # The screen is not held up by what is read: a key is answered while a page is on its way.
        await deck.pilot.press(*"folder7")
        expected = sum("folder7" in f"folder{index}" for index in range(number))
        await seen(deck, f"1 of {expected}")


async def test_hostile_calls_stay_text(folder: Path) -> None:
    hostile = "echo \u202e\x1b]52;c;YQ==\x07[@click=app.quit()]x[/] \u200bend"
    async with cockpit(folder, [shell(hostile), "done"], size=(80, 24)) as deck:
        await deck.send("go")
        await decide(deck, hostile, lambda asked: Decide(request_id=asked, decision="deny", reason="\x1b[31mred\u202e"))
        await deck.ended()
        await ledger(deck)
        await seen(deck, "✗ denied")
        for keys in ((), ("enter",)):
            await deck.pilot.press(*keys)
            text = await seen(deck, "echo ⟦U+202E⟧")
            assert not {"\u202e", "\x1b", "\x07", "\u200b"} & set(text)
