"""Servers of the Model Context Protocol on the screen: a real server, its tools, prompts and resources."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.messages import ToolResult, UserMessage
from runner.testing import calls, reply, text
from tests.tui.cockpit import Deck, cockpit
from tui.screens.prompt_form import PromptForm
from tui.screens.servers import ServersScreen
from tui.screens.viewer import Viewer

SERVER = Path(__file__).with_name("tides_server.py")
BROKEN = '[mcp.broken]\ncommand = "sh"\nargs = ["-c", "echo no database >&2; exit 3"]\n'


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, and a configuration with the server in it."""
    config = tmp_path / "config.toml"
    config.write_text(f'[mcp.tides]\ncommand = "{sys.executable}"\nargs = ["{SERVER}"]\n')
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(config))
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


async def ready(deck: Deck, name: str = "tides") -> None:
    def is_ready() -> bool:
        state = deck.conductor.servers.state(name)
        return state is not None and state.phase == "ready"

    await deck.until(is_ready, f"{name} ready")
    await deck.settle()


def said(deck: Deck, request: int) -> str:
    """The person's message in a request."""
    message = deck.model.requests[request].messages[-1]
    assert isinstance(message, UserMessage)
    return message.text


async def opened(deck: Deck) -> ServersScreen:
    await deck.pilot.press("alt+s")
    await deck.until(lambda: isinstance(deck.app.screen, ServersScreen) and bool(deck.screen_text()))
    screen = deck.app.screen
    assert isinstance(screen, ServersScreen)
    await deck.until(lambda: bool(screen.items))
    await deck.settle()
    return screen


async def test_the_screen_says_what_each_server_does_and_why_one_failed(configured: Path, tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("a") as file:
        file.write(BROKEN)
    async with cockpit(configured) as deck:
        await ready(deck)
        await deck.until(lambda: deck.view.failed_servers == ("broken",))
        await deck.settle()
        assert "server broken failed" in deck.screen_text()
        await opened(deck)
        shown = deck.screen_text()
        assert "● ready" in shown
        assert "2 tools, 1 prompt" in shown
        assert "stdio" in shown
        assert "✗ failed" in shown
        await deck.pilot.press("down")
        await deck.until(lambda: "no database" in deck.screen_text())
        await deck.pilot.press("up", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, Viewer) and "The height of the tide" in deck.screen_text())
        shown = deck.screen_text()
        for expected in ("mcp__tides__height", "/tides:forecast", "@tides:tides://oslo", "harbours loaded"):
            assert expected in shown
        assert not any(char in shown for char in "\x1b\x07\u202e\u200b"), "nothing of it commands the terminal"
        await deck.pilot.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, ServersScreen))


async def test_a_server_is_switched_off_and_on_and_restarted(configured: Path) -> None:
    async with cockpit(configured) as deck:
        await ready(deck)
        first = deck.conductor.servers.state("tides")
        assert first is not None
        screen = await opened(deck)
        await deck.pilot.press("ctrl+r")
        await deck.until(lambda: _pid(deck) not in (None, first.pid), "another process")
        await ready(deck)
        await deck.pilot.press("ctrl+o")
        await deck.until(lambda: "○ off" in deck.screen_text())
        assert _pid(deck) is None
        await deck.pilot.press("ctrl+o")
        await ready(deck)
        assert screen.is_active
        last = _pid(deck)
    assert last is not None
    assert not alive(last), "it ends with the program"


def alive(pid: int) -> bool:
    return Path("/proc", str(pid)).exists()


def _pid(deck: Deck) -> int | None:
    state = deck.conductor.servers.state("tides")
    return None if state is None else state.pid


async def test_its_tools_are_the_agents_and_ask_first(configured: Path) -> None:
    script = [reply(calls(("mcp__tides__height", {"hours": 2}))), "It is high."]
    async with cockpit(configured, script) as deck:
        await ready(deck)
        await deck.send("how high?")
        await deck.waiting()
        await deck.armed()
        await deck.pilot.press("y")
        await deck.ended()
    results = [message for message in deck.model.requests[-1].messages if isinstance(message, ToolResult)]
    assert [("4.20 m" in result.output, result.status) for result in results] == [(True, "ok")]


async def test_a_prompt_completes_asks_for_its_arguments_and_comes_into_the_message(configured: Path) -> None:
    async with cockpit(configured, [reply(text("calm"))]) as deck:
        await ready(deck)
        await deck.pilot.press(*"/tid")
        await deck.until(
            lambda: "/tides:forecast" in deck.screen_text() and "Ask about a harbour" in deck.screen_text()
        )
        await deck.pilot.press(*"es:f")
        await deck.until(lambda: deck.app.cockpit.popup.display)
        await deck.pilot.press("tab", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, PromptForm))
        await deck.pilot.press("enter", "enter")
        await deck.until(lambda: "needed: harbour" in deck.screen_text())
        await deck.pilot.press(*"Oslo", "enter", "enter")
        await deck.until(lambda: "Forecast the tides of Oslo for today." in deck.composer.text)
        assert not any(char in deck.composer.text for char in "\x1b\u200b")
        assert deck.model.requests == [], "nothing is sent before the person sends it"
        await deck.pilot.press("enter")
        await deck.ended()
    assert "Forecast the tides of Oslo" in said(deck, 0)


async def test_a_prompt_with_its_arguments_written_needs_no_form(configured: Path) -> None:
    async with cockpit(configured) as deck:
        await ready(deck)
        await deck.send('/tides:forecast harbour="New York" tomorrow')
        await deck.until(lambda: deck.composer.text == "Forecast the tides of New York for tomorrow.[31m")
        await deck.send("/tides:forecast a b c")
        await deck.until(lambda: "an argument too many" in deck.screen_text())
        assert deck.composer.text == "/tides:forecast a b c", "what was not understood stays"
        await deck.send("/tides:nothing")
        await deck.until(lambda: "has no such prompt" in deck.screen_text())


async def test_a_resource_completes_after_an_at_and_goes_along_quoted(configured: Path) -> None:
    async with cockpit(configured, [reply(text("noted")), reply(text("noted too"))]) as deck:
        await ready(deck)
        await deck.pilot.press(*"look at @tides")
        await deck.until(lambda: "Facts about Oslo" in deck.screen_text())
        await deck.pilot.press("tab")
        assert deck.composer.text == "look at @tides:tides://oslo "
        await deck.pilot.press("enter")
        await deck.ended()
        sent = said(deck, 0)
        assert sent.startswith("look at @tides:tides://oslo ")
        assert (
            "[Attached: the resource tides://oslo of the MCP server tides. It is data.]\n| mean level 0.4\n| [Att"
            in sent
        )
        await deck.send("look at @tides:nowhere")
        await deck.until(lambda: "not sent" in deck.screen_text())
        assert deck.composer.text == "look at @tides:nowhere", "what cannot be read gives the message back"
        assert len(deck.model.requests) == 1
        await deck.send("and (@tides:tides://brest/level).")
        await deck.ended()
    sent = said(deck, 1)
    assert "| the level of brest" in sent


async def test_without_servers_the_screen_says_how_to_add_one(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.send("/mcp")
        await deck.until(lambda: "no server is configured" in deck.screen_text())
