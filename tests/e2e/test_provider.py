"""A provider of one's own, named in the configuration: real HTTP on loopback, seen from both sides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.records import Records
from tests.e2e.terminal import OpenTerminal, Terminal, status
from tests.provider.replies import Reply, Tokens
from tests.provider.server import FakeProvider, run_in_thread

KEY = "loopback-key-of-this-test"
WORDS = [f"word-{number} " for number in range(400)]


def _configure(config: Path, provider: FakeProvider, name: str = "lab/x") -> None:
    config.write_text(
        "\n".join(
            [
                f'[models."{name}"]',
                'model = "openai/x"',
                f'api_base = "{provider.openai_url}"',
                'api_key_env = "LAB_KEY"',
                "context_window = 8000",
                "input_cost_per_million = 3.0",
                "output_cost_per_million = 15.0",
            ]
        )
    )


def _open(terminal: OpenTerminal) -> Terminal:
    deck = terminal(LAB_KEY=KEY)
    deck.start("--model", "lab/x")
    deck.wait_for("ready", "lab/x")
    return deck


def _quit(deck: Terminal) -> None:
    deck.press("C-q")
    assert deck.left() == 0
    assert deck.left_on() == set()
    assert KEY.encode() not in deck.written


def test_an_answer_streams_and_its_cost_is_metered(terminal: OpenTerminal, config: Path, records: Records) -> None:
    reply = Reply(text=WORDS[:60], delay=0.03, usage=Tokens(input=1000, output=500))
    with run_in_thread(reply, Reply(text=["And more."], usage=Tokens(input=2000, output=100))) as provider:
        _configure(config, provider)
        deck = _open(terminal)
        deck.send("say something")
        screen = deck.wait_for("word-5")
        assert "word-59" not in screen
        deck.wait_for("word-59", "done in", "$0.0105")
        deck.send("more")
        deck.wait_for("And more.", re.compile(r"run +\$0\.0075"), re.compile(r"session +\$0\.018"), "of 8k")
        _quit(deck)
    first, second = provider.requests
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.body["model"] == "x"
    assert [message["content"] for message in second.body["messages"] if message["role"] == "user"] == [
        "say something",
        "more",
    ]
    assert [str(run.cost.known) for run in records.runs()] == ["0.0105", "0.0075"]


@pytest.mark.parametrize("keys", [["F9"], ["C-c", "C-c"]])
def test_abort_closes_the_connection(terminal: OpenTerminal, config: Path, records: Records, keys: list[str]) -> None:
    with run_in_thread(Reply(text=WORDS, delay=0.05)) as provider:
        _configure(config, provider)
        deck = _open(terminal)
        deck.send("say something")
        deck.wait_for("word-5")
        deck.press(keys[0])
        if len(keys) > 1:
            deck.wait_for("Stop requested by you")
            assert provider.requests[0].client_closed is None
            deck.press(keys[1])
        deck.until(lambda: provider.requests[0].client_closed, "the connection's end at the provider")
        deck.wait_for("■ Aborted", "interrupted here", "estimated")
        assert provider.requests[0].events_sent < len(WORDS)
        _quit(deck)
    assert len(provider.requests) == 1
    assert records.runs()[0].reason == "aborted"


def test_abort_while_nothing_has_come_yet(terminal: OpenTerminal, config: Path, records: Records) -> None:
    with run_in_thread(Reply(stall_headers=True)) as provider:
        _configure(config, provider)
        deck = _open(terminal)
        deck.send("say something")
        deck.wait_for("first token awaited")
        deck.until(lambda: provider.requests, "the request at the provider")
        deck.press("F9")
        deck.until(lambda: provider.requests[0].client_closed, "the connection's end at the provider")
        deck.wait_for("■ Aborted")
        _quit(deck)
    assert records.runs()[0].reason == "aborted"


def test_a_rate_limit_is_waited_for_as_asked(terminal: OpenTerminal, config: Path, records: Records) -> None:
    busy = Reply(status=429, headers={"retry-after": "3"})
    with run_in_thread(busy, Reply(text=["Here it is."])) as provider:
        _configure(config, provider)
        deck = _open(terminal)
        deck.send("say something")
        counted: set[str] = set()

        def counting(screen: str) -> bool:
            counted.update(re.findall(r"rate limit; again in (\d) s", status(screen)))
            return len(counted) >= 2

        deck.wait_for(counting, hint="a countdown")
        deck.wait_for("Trying again in 3.0 s, as the provi", "Here it is.", "done in")
        _quit(deck)
    first, second = provider.requests
    assert second.began - first.began >= 3.0
    assert records.runs()[0].reason == "complete"


def test_a_missing_key_is_said_with_what_to_do(terminal: OpenTerminal, config: Path) -> None:
    with run_in_thread() as provider:
        _configure(config, provider)
        deck = terminal()
        deck.start("--model", "lab/x")
        deck.wait_for("ready")
        deck.send("say something")
        deck.wait_for("LAB_KEY", "Failed")
        _quit(deck)
    assert provider.requests == []
