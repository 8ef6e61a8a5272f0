"""Servers in line mode: a real one, its prompts and resources as lines, and one that fails."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from runner.messages import UserMessage
from tests.line_mode.talk import talk

SERVER = Path(__file__).parents[1] / "tui" / "tides_server.py"
CONFIG = f"""
[mcp.tides]
command = "{sys.executable}"
args = ["{SERVER}"]
[mcp.broken]
command = "sh"
args = ["-c", "echo no database >&2; exit 3"]
"""


async def test_servers_their_prompts_and_their_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(config))
    async with talk(tmp_path / "work", ["It is rising."]) as deck:

        def phase(name: str) -> str:
            state = deck.mode.servers.state(name)
            return "" if state is None else state.phase

        await deck.until(lambda: (phase("tides"), phase("broken")) == ("ready", "failed"), "ready and failed")
        shown = await deck.say("/mcp", "/mcp NAME tells all")
        assert "tides: ready, 2 tools, 1 prompt, 2 resources" in shown
        assert "broken: failed" in shown
        await deck.say("/mcp broken stderr", "| no database")
        shown = await deck.say("/mcp tides", "harbours loaded")
        for expected in ("mcp__tides__height", "/tides:forecast", "@tides:tides://oslo"):
            assert expected in shown
        assert all(line.startswith("| ") for line in shown.splitlines()[1:] if line)
        await deck.say("/mcp rivers", "there is no server rivers; there are tides, broken")
        await deck.say("/mcp tides burn", "what about it?")

        shown = await deck.say("/tides:forecast", "day, may be left out")
        assert "needs its arguments behind it, as name=value" in shown
        await deck.say("/tides:forecast harbour=Oslo", "read it before you send it")
        assert "Forecast the tides of Oslo for today." in deck.console.draft
        await deck.say("@tides:tides://oslo what now?", "completed")
        message = deck.model.requests[-1].messages[-1]
        assert isinstance(message, UserMessage)
        assert "| mean level 0.4" in message.text

        await deck.say("/mcp tides off", "switching tides off, until the program ends")
        await deck.until(lambda: phase("tides") == "off", "off")
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u202e]", deck.console.text) is None
