"""Steering a run on a real terminal: waiting messages, limits that ask, countdowns, single tools, stop in any state."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest

from tests.e2e.records import Records, calls_of
from tests.e2e.terminal import ARMED, OpenTerminal, Terminal, alive_with, composer, status
from tests.provider.replies import Call, Reply
from tests.provider.server import FakeProvider, Received, run_in_thread

KEY = "loopback-key-of-this-test"
LOOK = Reply(calls=[Call(name="list_files")])
HELD = Reply(text=["word-0 ", "word-1 ", "word-2 "], stall_at=4)
"""The beginning of an answer, and then nothing."""


def open_with(
    terminal: OpenTerminal,
    config: Path,
    provider: FakeProvider,
    *more: str,
    approve: str = "default",
    columns: int = 120,
) -> Terminal:
    """The program with the provider's model; more: lines of its configuration."""
    model = ['[models."lab/x"]', 'model = "openai/x"', f'api_base = "{provider.openai_url}"', 'api_key_env = "LAB_KEY"']
    lines = [f'approve = "{approve}"', *more, *model, "context_window = 8000"]
    config.write_text("\n".join(lines) + "\n")
    deck = terminal(columns, 36, LAB_KEY=KEY)
    deck.start("--model", "lab/x")
    deck.wait_for("ready", "lab/x")
    return deck


def leave(deck: Terminal) -> None:
    deck.press("C-q")
    assert deck.left() == 0
    assert deck.left_on() == set()


def asked(received: Received) -> list[str]:
    """The person's messages in a request."""
    return [message["content"] for message in received.body["messages"] if message["role"] == "user"]


def in_order(*texts: str) -> re.Pattern[str]:
    """Lines of the list of waiting messages, one right below the other."""
    return re.compile(r"\n".join(rf" *· {text}\b.*" for text in texts))


def test_waiting_messages_are_edited_moved_deleted_and_delivered_now(
    terminal: OpenTerminal, config: Path, records: Records
) -> None:
    with run_in_thread(HELD, Reply(text=["All of it."])) as provider:
        deck = open_with(terminal, config, provider)
        deck.send("begin")
        deck.wait_for("word-2")
        for message in ("one", "two", "three"):
            deck.send(message)
        deck.wait_for("3 messages wait for the next turn", in_order("one", "two", "three"))
        deck.type("my draft")
        deck.wait_for(lambda screen: "my draft" in composer(screen), hint="the draft")
        deck.press("M-q")
        deck.wait_for("enter edits · K/J moves · d deletes")
        deck.press("S-Up")
        deck.wait_for(in_order("one", "three", "two"))
        deck.press("Up", "DC")
        deck.wait_for(in_order("three", "two"), "deleted: one, u brings it back")
        deck.press("Down")
        deck.press("Enter")
        deck.wait_for(lambda screen: "my draft" not in composer(screen), "esc leaves it as it was")
        chosen = composer(deck.screen()).strip()
        deck.type(", changed")
        deck.press("Enter")
        deck.wait_for(f"{chosen}, changed", lambda screen: "my draft" in composer(screen), hint="the change saved")
        deck.press("M-q")
        deck.wait_for("n sends all now")
        deck.press("n")
        deck.wait_for("All of it.", "done in", lambda screen: "my draft" in composer(screen))
        leave(deck)
    expected = [f"{text}, changed" if text == chosen else text for text in ("three", "two")]
    assert asked(provider.requests[1]) == ["begin", *expected]
    assert provider.requests[0].client_closed is not None
    assert records.runs()[0].reason == "complete"


def test_a_message_is_sent_now_in_the_middle_of_an_answer(terminal: OpenTerminal, config: Path) -> None:
    with run_in_thread(HELD, Reply(text=["Something else."])) as provider:
        deck = open_with(terminal, config, provider)
        deck.send("begin")
        deck.wait_for("word-2")
        deck.type("no, this instead")
        deck.press("C-s")
        deck.wait_for("Something else.", "done in", "interrupted here")
        leave(deck)
    assert asked(provider.requests[1]) == ["begin", "no, this instead"]


@pytest.mark.parametrize(
    ("key", "answer", "reason"), [("r", "Seen it all.", "complete"), ("w", "Seen it all.", "max_turns_exceeded")]
)
def test_a_limit_asks_and_the_run_goes_on(
    terminal: OpenTerminal, config: Path, records: Records, key: str, answer: str, reason: str
) -> None:
    with run_in_thread(LOOK, Reply(text=[answer])) as provider:
        deck = open_with(terminal, config, provider, "[limits]", "max_turns = 1", columns=80)
        deck.send("look around")
        deck.wait_for("The turn limit is reached: 1 of 1 turns", "r raise to 2", "w wrap up", "x stop", ARMED)
        assert len(provider.requests) == 1
        deck.press(key)
        ended = "done in" if reason == "complete" else "● ended: the limit"
        deck.wait_for(answer, ended, lambda screen: "raise to" not in screen, hint="the end")
        leave(deck)
    assert len(provider.requests) == 2
    assert records.runs()[0].reason == reason


def test_a_wait_is_skipped(terminal: OpenTerminal, config: Path, records: Records) -> None:
    busy = Reply(status=429, headers={"retry-after": "100"})
    with run_in_thread(busy, Reply(text=["Here it is."])) as provider:
        deck = open_with(terminal, config, provider)
        deck.send("say something")
        deck.wait_for(lambda screen: "rate limit; again in" in status(screen), "f10 retry now")
        deck.press("F12")
        deck.wait_for("there is no other model to go to")
        deck.press("F10")
        deck.wait_for("Here it is.", "done in")
        leave(deck)
    first, second = provider.requests
    assert second.began - first.began < 100
    assert records.runs()[0].reason == "complete"


def test_one_of_two_tools_is_cancelled(terminal: OpenTerminal, config: Path, records: Records) -> None:
    markers = [f"86{uuid.uuid4().int % 10**9:09d}" for _ in range(2)]
    both = Reply(
        calls=[
            Call(name="shell", pieces=[json.dumps({"command": f"sleep {marker}"})], id=f"call_{index}", index=index)
            for index, marker in enumerate(markers)
        ]
    )
    with run_in_thread(both, Reply(text=["Neither ended by itself."])) as provider:
        deck = open_with(terminal, config, provider, approve="bypass")
        deck.send("sleep twice")
        deck.until(lambda: all(alive_with(marker) for marker in markers), "both commands")
        deck.press("F7")
        deck.wait_for(
            "cancel which one?", *(re.compile(rf"● shell: sleep {marker} +process \d+") for marker in markers)
        )
        deck.press("Down", "Enter")
        deck.until(lambda: not alive_with(markers[1]), "the end of the second command")
        assert alive_with(markers[0])
        deck.wait_for("cancelled", lambda screen: "cancel which one?" not in screen, hint="the list closed")
        deck.press("F7")
        deck.wait_for("Neither ended by itself.", "done in")
        assert not alive_with(markers[0])
        leave(deck)
    (run,) = records.runs()
    assert [call.status for call in calls_of(run)] == ["cancelled", "cancelled"]


def _answer(received: Received) -> Reply:
    """What each state needs, by the last message of the person."""
    match asked(received)[-1].split()[0]:
        case "stream":
            return HELD
        case "retry":
            return Reply(status=429, headers={"retry-after": "100"})
        case "tool":
            return Reply(calls=[Call(name="shell", pieces=['{"command": "while :; do sleep 0.05; done"}'])])
        case "ask":
            return Reply(calls=[Call(name="write_file", pieces=['{"path": "new.txt", "content": "x"}'])])
        case _:
            return LOOK


STATES = {
    "stream": ("word-2", "stopping: the answer is being finished"),
    "retry": ("rate limit; again in", ""),
    "tool": ("running shell", "stopping: waiting for"),
    "ask": ("write_file wants to make the file", ""),
    "limit": ("The turn limit is reached", ""),
}
"""What shows the state, and what a stop waits for in it; "" where it ends at once."""


def test_stop_and_abort_in_every_state(terminal: OpenTerminal, config: Path, folder: Path, records: Records) -> None:
    rule = ["[[rules]]", 'effect = "allow"', 'tool = "shell"']
    reasons: list[str] = []
    with run_in_thread(handler=_answer) as provider:
        deck = open_with(terminal, config, provider, *rule)
        for state, (shown, waits_for) in STATES.items():
            if state == "limit":
                deck.send("/limit turns 1")
                deck.wait_for("turn limit 1 from the next message on")
            for key in ("C-c", "F9"):
                deck.press("C-n")
                deck.wait_for("a new session")
                deck.send(f"{state} it")
                deck.wait_for(shown)
                deck.press(key)
                if key == "C-c" and waits_for:
                    deck.wait_for(lambda screen, words=waits_for: words in status(screen), "ctrl+c again aborts")
                    deck.press("C-c")
                end = "■ Aborted" if key == "F9" or waits_for else "■ Stopped"
                deck.wait_for(end, "a message continues this session")
                reasons.append(records.runs()[0].reason or "")
        leave(deck)
    assert reasons == [
        *("aborted", "aborted"),
        *("stopped", "aborted"),
        *("aborted", "aborted"),
        *("stopped", "aborted"),
        *("stopped", "aborted"),
    ]
    assert not (folder / "new.txt").exists()


def test_a_key_without_a_use_is_answered(terminal: OpenTerminal) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    for key, why in (("F7", "no tool runs now"), ("F10", "no attempt waits"), ("C-c", "nothing runs now")):
        deck.press(key)
        deck.wait_for(lambda screen, words=why: words in status(screen), hint=why)
    leave(deck)
