"""No known secret leaves the store unasked, wherever it stands; and what is masked is shown before."""

from __future__ import annotations

import base64
import json
import random
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import (
    Event,
    MessageDelivered,
    ModelResponded,
    PersonCommandFinished,
    PersonCommandStarted,
    ReasoningDelta,
    TextDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolProposed,
    ToolStarted,
)
from runner.messages import ToolCall
from runner.store import Store
from runner.store.masking import preview
from runner.store.redact import Redactor
from tests.store.making import Maker, write
from tests.store.test_export import JWT, PEM, SECRETS
from tui.cli import main_with
from tui.handing.masking_words import lines

VALUE = 'odd "value" of <the> environment\nß & %/+'
ENVIRON = {"ODD_TOKEN": VALUE}
FORMATS: tuple[Literal["jsonl", "markdown", "html"], ...] = ("jsonl", "markdown", "html")

AROUND = st.sampled_from(
    [
        "{}",
        "a {} b",
        "key={}",
        '"{}"',
        "-{}",
        "+{}",
        "@@ -1 +1 @@\n-{}\n",
        "\\n{}\\n",
        "`{}`",
        "Bearer {}",
        "({})",
        "x\n{}\ny",
    ]
)
WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": lambda text: json.dumps({"key": text}),
    "in JSON in JSON": lambda text: json.dumps(json.dumps([text])),
}
"""How a secret may be written where it stands."""


def pieces(secret: str, draw: random.Random) -> list[str]:
    """Cut at any places, as a stream arrives."""
    cuts = sorted(draw.randrange(len(secret) + 1) for _ in range(draw.randrange(1, 6)))
    return [secret[start:end] for start, end in zip([0, *cuts], [*cuts, len(secret)], strict=True)]


def told(text: str, draw: random.Random, *, ended: bool) -> list[list[Event]]:
    """A run with the text in every place where one may stand; without an end also in pieces. In the parts in which it
    is stored."""
    maker = Maker()
    maker.begin(text, workspace=f"/home/{text}")
    maker.add(MessageDelivered(message_id="m", text=text))
    maker.begin_turn()
    maker.request()
    call = ToolCall(call_id="c", tool="shell", arguments={text: [text], "path": f"/x/{text}"}, arguments_json=text)
    maker.add(ModelResponded(model="demo/pilot", text=text, reasoning=text, tool_calls=(call,)))
    maker.add(ToolProposed(call_id="c", tool="shell", arguments=call.arguments or {}))
    maker.add(ToolStarted(call_id="c", tool="shell", name=text))
    diff = {"type": "diff", "path": text, "diff": f"@@ -1 +1 @@\n-{text}\n+{text}\n"}
    maker.add(ToolFinished(call_id="c", tool="shell", output=text, display=diff))
    maker.add(PersonCommandStarted(command_id="p", command=text, cwd=text))
    maker.add(PersonCommandFinished(command_id="p", command=text, status="ended", exit_code=0, output=text))
    if ended:
        maker.end()
        return [maker.events]
    maker.begin_turn()
    maker.request()
    for piece in pieces(text, draw):
        maker.add(ReasoningDelta(text=piece))
    for piece in pieces(text, draw):
        maker.add(TextDelta(text=piece))
    other = ToolCall(call_id="d", tool="shell", arguments={"command": "x"})
    maker.propose(other)
    maker.add(ToolStarted(call_id="d", tool="shell"))
    for piece in pieces(text, draw):
        maker.add(ToolOutputDelta(call_id="d", stream="stdout", text=piece))
    first = next(place for place, event in enumerate(maker.events) if event.is_delta)
    return [maker.events[:first], *([event] for event in maker.events[first:])]


def shown(exported: str) -> Iterator[str]:
    """What a reader of the file may get out of it."""
    yield exported
    yield unescape(exported)
    for line in exported.splitlines():
        try:
            yield json.dumps(json.loads(line), ensure_ascii=False)
        except ValueError:
            continue


def tells(secret: str) -> list[str]:
    """Parts of a secret that must not be there: the lines of it, as they are and as JSON writes them."""
    parts = [line for line in secret.splitlines() if len(line) > 7 and "-----" not in line]
    return [form for part in parts for form in (part, json.dumps(part)[1:-1])]


@settings(deadline=None, max_examples=8)
@given(
    secret=st.sampled_from([*SECRETS.values(), VALUE]),
    around=AROUND,
    how=st.sampled_from(sorted(WRITTEN)),
    ended=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_no_secret_survives_in_any_format_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, secret: str, around: str, how: str, ended: bool, seed: int
) -> None:
    text = around.replace("{}", WRITTEN[how](secret))
    with pytest.MonkeyPatch.context() as patch, closing(Store.open(tmp_path_factory.mktemp("store"))) as store:
        patch.setenv("ODD_TOKEN", VALUE)
        for piece in told(text, random.Random(seed), ended=ended):
            # What is stored at once is stored joined.
            write(store, piece)
        if len(text) < 150 and not text.startswith("-----"):
            store.rename_session("session-1", text)
        store.set_note("session-1", text)
        for format in FORMATS:
            exported = "".join(store.export("session-1", format))
            for read in shown(exported):
                assert [part for part in tells(secret) if part in read] == [], format
            assert "[masked: " in exported
        told_before = "\n".join(lines(preview(store, "session-1", ENVIRON)))
        assert [part for part in tells(secret) if part in told_before] == []


ENCODED: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "with a name": lambda text: base64.urlsafe_b64encode(b"user:" + text.encode() + b"!").decode(),
    "in the middle": lambda text: base64.b64encode(b"x" + text.encode() + b"yz").decode(),
    "address": urllib.parse.quote,
    "part of an address": lambda text: urllib.parse.quote(text, safe=""),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
}


@pytest.mark.parametrize("how", ENCODED)
def test_a_value_of_the_environment_is_found_however_it_is_written(how: str) -> None:
    written = ENCODED[how](VALUE)
    masked = Redactor(ENVIRON).text(f"begin {written} end")
    assert "[masked: ODD_TOKEN" in masked
    assert masked.startswith("begin ")
    assert masked.endswith(" end")
    # All but the letters at the ends of base64, which depend on what stands beside it.
    assert len(masked) < 60


def test_two_secrets_that_overlap_are_masked_as_one() -> None:
    token = SECRETS["github"]
    redactor = Redactor({"URL_TOKEN": f"user:{token}@host"})
    for text in (f"https://user:{token}@host/x", f"Authorization: Bearer {token}.{JWT}", f"{token}{token}"):
        masked = redactor.text(text)
        assert token not in masked
        assert JWT not in masked
        assert redactor.text(masked) == masked


def test_the_preview_says_how_much_of_what_kind_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = SECRETS["github"]
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path))
    with Store.open(tmp_path) as store:
        maker = Maker()
        maker.begin(f"my key is {token}, and {PEM}")
        maker.begin_turn()
        maker.request()
        call = ToolCall(call_id="c", tool="shell", arguments={"command": f"curl -H 'X: {token}' x"})
        maker.answer("I use it.", (call,))
        maker.propose(call)
        maker.add(ToolStarted(call_id="c", tool="shell"))
        maker.add(ToolFinished(call_id="c", tool="shell", output=f"{token} {SECRETS['aws']}"))
        maker.end()
        write(store, maker.events)
        store.set_note("session-1", f"{token} is to be revoked")
        found = preview(store, "session-1", {})
    assert [(each.label, each.times) for each in found] == [
        ("GitHub token", 5),
        ("private key", 1),
        ("AWS key id", 1),
    ]
    assert (found[0].first, found[0].last, found[0].length) == (token[:4], token[-4:], len(token))
    assert (found[1].first, found[1].last) == ("", "")
    kinds = [place.kind for place in found[0].places]
    assert kinds == ["session", "run_started", "model_responded", "tool_proposed", "tool_finished"]
    assert main_with(["sessions", "export", "session-1", "--preview"]) == 0
    text = capsys.readouterr().out
    for words in (
        "3 secrets in 7 places",
        f"{token[:4]}…{token[-4:]}, {len(token)} characters",
        "the session's note",
        "run 1: your message:  my key is ▒▒▒, and [masked: private key]",
        "run 1, turn 1: arguments of shell:  curl -H 'X: ▒▒▒' x",
        "run 1, turn 1: output of shell:  ▒▒▒ [masked: AWS key id]",
        "is not found",
    ):
        assert words in text, text
    assert token not in text
    assert "MIIE" not in text
