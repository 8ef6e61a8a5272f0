"""What leaves the store: readable, complete, and without secrets."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Literal

import pytest

from runner.errors import NotFoundError
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    ErrorInfo,
    ErrorOccurred,
    ReasoningDelta,
    RetryScheduled,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from runner.events.codec import load_json
from runner.messages import ToolCall
from runner.store import Store
from runner.store.redact import Redactor
from tests.store.making import Maker, a_call, short_run, write
from tests.store.random_runs import random_run

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow" + "IBAAKCAQEA7\n" * 3 + "-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "sk": "sk-" + "proj-abcDEF0123456789_-xyz",
    "anthropic": "sk-" + "ant-api03-abcdefghijklmnop",
    "stripe": "sk_" + "live_abcdefghij0123456789",
    "github": "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "github fine": "github_pat_" + "11ABCDEFG0123456789_abcdefghij",
    "gitlab": "glpat-" + "abcdefghijklmnopqrst",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "slack": "xoxb-" + "123456789012-abcdefghijkl",
    "google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "hugging face": "hf_" + "abcdefghijklmnopqrstuvwxyz",
    "jwt": JWT,
    "pem": PEM,
}


@pytest.mark.parametrize("name", SECRETS)
def test_every_common_shape_is_masked_wherever_it_stands(name: str) -> None:
    secret = SECRETS[name]
    redactor = Redactor({})
    for text in (secret, f'key="{secret}"', f"a {secret}, b", f"X={secret}\n", f"({secret})"):
        masked = redactor.text(text)
        assert secret not in masked
        assert "[masked: " in masked
        assert redactor.text(masked) == masked


def test_a_private_key_is_masked_cut_off_or_escaped() -> None:
    redactor = Redactor({})
    cut = redactor.text(PEM[: PEM.index("-----END")] + "\nand then this sentence")
    assert "MIIE" not in cut
    assert cut.endswith("and then this sentence")
    assert "MIIE" not in redactor.text(PEM.replace("\n", "\\n"))


def test_authorization_headers_and_passwords_in_addresses() -> None:
    redactor = Redactor({})
    assert redactor.text("Authorization: Bearer abcdef0123456789abcdef") == (
        "Authorization: Bearer [masked: authorization]"
    )
    assert "dXNlcjpwYXNz" not in redactor.text("Authorization: Basic dXNlcjpwYXNzd29yZA==")
    assert redactor.text("postgres://me:hunter22@db/x") == "postgres://me:[masked: password]@db/x"


def test_values_of_the_environment_are_masked_by_their_names() -> None:
    environ = {
        "LAB_KEY": "plain-looking-value",
        "LONGER_TOKEN": "plain-looking-value-and-more",
        "MULTI_SECRET": "first line\nsecond line",
        "SSH_AUTH_SOCK": "/tmp/ssh-agent/agent.1",
        "GIT_AUTHOR_NAME": "Jane Example",
        "MY_KEY_FILE": "/home/jane/keys/file",
        "SHORT_KEY": "abc",
        "TOKENIZERS_PARALLELISM": "disabled",
        "HOME": "/home/jane",
    }
    redactor = Redactor(environ)
    text = "plain-looking-value-and-more plain-looking-value first line\nsecond line"
    assert redactor.text(text) == "[masked: LONGER_TOKEN] [masked: LAB_KEY] [masked: MULTI_SECRET]"
    harmless = "abc disabled /home/jane /home/jane/keys/file Jane Example /tmp/ssh-agent/agent.1"
    assert redactor.text(harmless) == harmless


def test_ordinary_text_is_left_alone() -> None:
    text = (
        "The risk-assessment-of-a-long-name, task-list-with-many-words; basic understanding. Bearer of bad news; "
        "https://example.org/a:b@c 2026-01-02T03:04:05 deadbeefdeadbeefdeadbeef skeleton ghp xoxo AKIA"
    )
    assert Redactor({}).text(text) == text


def test_masking_reaches_into_json() -> None:
    secret = SECRETS["github"]
    value = {"a": [1, None, True, {"b": f"x {secret}"}], secret: 2.5}
    masked = Redactor({}).value(value)
    assert secret not in json.dumps(masked)
    assert masked["a"][:3] == [1, None, True]


def leaky_run(secret: str) -> Maker:
    maker = Maker()
    maker.begin(f"My key is {secret}")
    maker.begin_turn()
    maker.request()
    call = ToolCall(call_id="c1", tool="shell", arguments={"command": f'echo "{secret}"'})
    maker.answer(f"You said {secret}.", (call,))
    maker.propose(call)
    maker.add(ToolStarted(call_id="c1", tool="shell"))
    maker.add(ToolFinished(call_id="c1", tool="shell", output=f"{secret}\n"))
    maker.end()
    return maker


@pytest.mark.parametrize("format_", ["jsonl", "markdown"])
@pytest.mark.parametrize("secret", [SECRETS["github"], PEM, 'odd "quoted" value\nof the environment'])
def test_an_export_has_no_secret_unless_asked_for(
    store: Store, format_: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_TOKEN", 'odd "quoted" value\nof the environment')
    write(store, leaky_run(secret).events)
    assert format_ in ("jsonl", "markdown")
    exported = "".join(store.export("session-1", format_))
    pieces = [piece for line in secret.splitlines() for piece in (line, json.dumps(line)[1:-1])]
    assert not [piece for piece in pieces if piece in exported]
    assert "[masked: " in exported
    whole = "".join(store.export("session-1", format_, redact=False))
    assert "[masked: " not in whole
    assert pieces[0] in whole or pieces[1] in whole


def test_jsonl_has_every_fact_on_a_line_of_its_own(store: Store) -> None:
    first, second = short_run(), short_run("run-2", text="tricky \x9b31m \u2028 \x85 é\n")
    write(store, [*first.events, *second.events])
    lines = "".join(store.export("session-1", "jsonl")).split("\n")
    assert lines.pop() == ""
    assert [load_json(line) for line in lines] == [*first.events, *second.events]
    assert "\x9b" not in "".join(lines)
    assert "\x85" not in "".join(lines)
    plain = "".join(store.export("session-1", "jsonl", redact=False)).split("\n")
    assert [load_json(line) for line in plain[:-1]] == [*first.events, *second.events]
    with pytest.raises(NotFoundError):
        store.export("session-9", "jsonl")


def test_markdown_reads_well(store: Store) -> None:
    maker = Maker()
    maker.begin("Please look\nat this")
    maker.begin_turn()
    maker.request()
    maker.add(RetryScheduled(error=ErrorInfo(type="rate_limit", message="slow down"), delay=0.5))
    call = a_call(1)
    maker.answer("Looking.", (call,), Decimal("0.01"))
    maker.propose(call)
    maker.add(ApprovalRequested(request_id="r", call_id=call.call_id, tool="shell"))
    maker.add(ApprovalResolved(request_id="r", call_id=call.call_id, decision="allow", arguments={"command": "ls"}))
    maker.add(ToolStarted(call_id=call.call_id, tool="shell"))
    maker.finish_call(call, "```\nfenced \x1b[31m\u202eevil\n```")
    maker.add(ErrorOccurred(error=ErrorInfo(type="server_error", message="it broke"), fatal=True))
    maker.begin_turn()
    maker.request()
    maker.add(ReasoningDelta(text="thinking"))
    maker.add(TextDelta(text="Half an answ"))
    write(store, maker.events)
    store.rename_session("session-1", "A look")
    text = "".join(store.export("session-1", "markdown"))
    wanted = [
        "# A look",
        "- Cost: 0.01 US dollars",
        "## You",
        "Please look\nat this",
        "rate_limit: slow down",
        "## demo/pilot\n",
        "Looking.",
        "### shell: ok",
        '```json\n{\n  "command": "ls"\n}\n```',
        "Decision: allow by user",
        "````\n```\nfenced \u241b[31m<U+202E>evil\n```\n````",
        "server_error: it broke",
        "thinking",
        "## demo/pilot (interrupted)",
        "Half an answ",
        "has no end yet",
    ]
    places = [text.find(piece) for piece in wanted]
    assert -1 not in places, wanted[places.index(-1)]
    assert places == sorted(places)
    assert "\x1b" not in text


@pytest.mark.parametrize("format_", ["jsonl", "markdown"])
def test_whatever_a_run_was_it_can_be_exported(store: Store, format_: Literal["jsonl", "markdown"]) -> None:
    makers = [random_run(random.Random(seed), f"run-{seed}") for seed in range(60)]
    for maker in makers:
        write(store, maker.events)
    exported = "".join(store.export("session-1", format_))
    for maker in makers:
        assert maker.run_id in exported
    assert {event.kind for maker in makers for event in maker.facts} >= {"compaction_finished", "limit_changed"}
