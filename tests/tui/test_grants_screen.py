"""The screen of grants: real runs are granted things, a person sees what is left of them and takes them back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.control.commands import Decide
from runner.events import Pattern, Scope, ToolPattern
from runner.policy import GrantFile
from runner.store.paths import data_dir
from runner.testing import calls, reply
from runner.testing.scripted import Response
from tests.tui.cockpit import Deck, cockpit
from tui.screens.decisions import DecisionsScreen
from tui.screens.grants import GrantsScreen
from tui.view import calls_of

ECHO = (ToolPattern(tool="shell", pattern=Pattern(prefix=("echo",))),)


def shell(command: str) -> Response:
    return reply(calls(("shell", {"command": command})))


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path / "conf"))
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "project"
    here.mkdir()
    return here


async def asked(deck: Deck, command: str) -> str:
    """The id of the request about a command."""

    def waits() -> bool:
        return any(call.arguments == {"command": command} for call in deck.view.waiting)

    await deck.until(waits, f"a question about {command}")
    approval = deck.view.waiting[0].approval
    assert approval is not None
    return approval.request_id


async def grants(deck: Deck, text: str = "") -> GrantsScreen:
    deck.conductor.open_screen("grants", text)
    await deck.until(lambda: isinstance(deck.app.screen, GrantsScreen), "the grants")
    screen = deck.app.screen
    assert isinstance(screen, GrantsScreen)
    await deck.until(lambda: bool(screen.query("#picker-rows")) and "loading" not in deck.screen_text(), "rows")
    return screen


async def seen(deck: Deck, words: str) -> str:
    await deck.until(lambda: words in " ".join(deck.screen_text().split()), words)
    return " ".join(deck.screen_text().split())


async def test_taking_a_grant_back_in_a_live_run_makes_the_next_call_ask_again(folder: Path) -> None:
    steps = [shell("echo one"), shell("echo two"), shell("printf pause"), shell("echo three"), "done"]
    async with cockpit(folder, steps, size=(120, 36)) as deck:
        await deck.send("go")
        first = await asked(deck, "echo one")
        deck.conductor.deck.decide(
            Decide(request_id=first, decision="allow", scope="session", match="pattern", patterns=ECHO, calls=5)
        )
        pause = await asked(deck, "printf pause")
        await grants(deck)
        text = await seen(deck, "Granted for this session")
        assert "✓ allow shell, commands that begin with: echo" in text
        # The call that was asked about is the first of the five, the second needed nobody.
        assert "3 of 5 calls left" in text
        assert "2 calls, just now" in text
        await deck.pilot.press("ctrl+d")
        await seen(deck, "taken back: shell, commands that begin with: echo")
        assert "calls left" not in deck.screen_text()
        await deck.pilot.press("escape")
        deck.conductor.deck.decide(Decide(request_id=pause, decision="allow"))
        again = await asked(deck, "echo three")
        deck.conductor.deck.decide(Decide(request_id=again, decision="deny"))
        await deck.ended()
        statuses = [call.status for call in calls_of(deck.view.runs)]
        assert statuses == ["ok", "ok", "ok", "denied"]


async def test_what_a_grant_decided_is_a_key_away(folder: Path) -> None:
    steps = [shell("echo one"), shell("echo two"), shell("echo three"), "done"]
    async with cockpit(folder, steps, size=(120, 36)) as deck:
        await deck.send("go")
        first = await asked(deck, "echo one")
        deck.conductor.deck.decide(
            Decide(
                request_id=first, decision="allow", scope="session", match="pattern", patterns=ECHO, until_failure=True
            )
        )
        await deck.ended()
        await grants(deck)
        await seen(deck, "until the first failure")
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, DecisionsScreen), "its decisions")
        text = await seen(deck, "echo three")
        assert "echo two" in text
        assert text.count("grant shell") == 2
        await deck.pilot.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, GrantsScreen), "back")


async def test_all_of_them_go_after_asking_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.toml").write_text(
        '[[rules]]\neffect = "deny"\ntool = "shell"\nprefix = "git push"\nnote = "by hand"\n', encoding="utf-8"
    )
    steps = [shell("echo one"), shell("printf two"), "done", shell("echo one"), "done"]
    async with cockpit(folder, steps, size=(80, 24)) as deck:
        await deck.send("go")
        wanted: tuple[tuple[str, Scope], ...] = (("echo one", "session"), ("printf two", "project"))
        for command, scope in wanted:
            request_id = await asked(deck, command)
            decision = Decide(request_id=request_id, decision="allow", scope=scope, match="exact")
            deck.conductor.deck.decide(decision)
        await deck.ended()
        await grants(deck)
        text = await seen(deck, "Rules · your rules")
        assert "Granted for this session" in text
        assert "Granted for this project" in text
        assert "✗ deny shell, commands that begin with: git push" in text
        # A rule is not taken back here, but its place is said.
        await deck.pilot.press("ctrl+end", "ctrl+d")
        await seen(deck, "a rule is changed in its file")
        await deck.pilot.press("ctrl+x")
        await seen(deck, "take back 2 grants (this session 1, this project 1)?")
        await deck.pilot.press("up")
        await deck.pilot.press("ctrl+x")
        await seen(deck, "take back 2 grants")
        assert GrantFile(data_dir() / "grants.json").load(folder)
        await deck.pilot.press("ctrl+x")
        text = await seen(deck, "taken back: 2 grants")
        assert "Granted for" not in text
        assert not GrantFile(data_dir() / "grants.json").load(folder)
        await deck.pilot.press("escape")
        await deck.send("again")
        await asked(deck, "echo one")
        await deck.pilot.press("f9")
        await deck.ended()


async def test_a_lasting_grant_is_forgotten_by_the_run_that_goes_on(folder: Path) -> None:
    steps = [shell("echo one"), "done", shell("echo two"), shell("printf pause"), shell("echo three"), "done"]
    async with cockpit(folder, steps, size=(120, 36)) as deck:
        await deck.send("go")
        request_id = await asked(deck, "echo one")
        deck.conductor.deck.decide(
            Decide(request_id=request_id, decision="allow", scope="user", match="pattern", patterns=ECHO)
        )
        await deck.ended()
        await deck.pilot.press("ctrl+n")
        await deck.send("another session")
        pause = await asked(deck, "printf pause")
        await grants(deck)
        text = await seen(deck, "Granted for every project")
        assert "1 call, just now" in text
        await deck.pilot.press("ctrl+d")
        await seen(deck, "taken back")
        assert not GrantFile(data_dir() / "grants.json").load(folder)
        await deck.pilot.press("escape")
        deck.conductor.deck.decide(Decide(request_id=pause, decision="allow"))
        await asked(deck, "echo three")
        await deck.pilot.press("f9")
        await deck.ended()


async def test_filter_hostile_text_and_a_bound_in_time(folder: Path) -> None:
    hostile = "echo \u202e\x1b]8;;http://a\x07[@click=app.quit()]x"
    async with cockpit(folder, [shell(hostile), shell("printf b"), "done"], size=(160, 30)) as deck:
        await deck.send("go")
        request_id = await asked(deck, hostile)
        before = datetime.now(UTC)
        deck.conductor.deck.decide(
            Decide(request_id=request_id, decision="allow", scope="session", match="exact", minutes=30)
        )
        request_id = await asked(deck, "printf b")
        deck.conductor.deck.decide(Decide(request_id=request_id, decision="deny", scope="session", match="exact"))
        await deck.ended()
        await grants(deck, "deny")
        text = await seen(deck, "✗ deny")
        assert "✓ allow" not in text
        await deck.pilot.press("escape")
        await grants(deck)
        text = await seen(deck, "✓ allow")
        assert "\u202e" not in text
        assert "\x1b" not in text
        found = re.search(r"until (\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d) \((\d+) min\)", text)
        assert found is not None
        assert int(found[2]) in (29, 30)
        assert before.tzinfo is UTC


async def test_an_empty_list_and_a_broken_file_say_so(folder: Path, tmp_path: Path) -> None:
    async with cockpit(folder, [], size=(80, 24)) as deck:
        await deck.send("/grants")
        await seen(deck, "nothing is granted, and there are no rules")
        await deck.pilot.press("ctrl+x")
        await seen(deck, "nothing is granted; rules are changed in their files")
        await deck.pilot.press("escape")
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / "config.toml").write_text("[[rules]]\n", encoding="utf-8")
        await grants(deck)
        await seen(deck, "has no effect")
