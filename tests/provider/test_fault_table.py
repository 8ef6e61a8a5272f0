"""The table of faults through the real Runner, over real HTTP, with each client."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path

import pytest

from runner.models.litellm_loader import Litellm
from runner.models.providers import Dialect
from tests.provider.faults import DONE, FAULTS, FINE, Fault, in_a_minute
from tests.provider.helpers import ANTHROPIC, DIRECT, GEMINI, LOCAL, MISTRAL, OPENAI, environ_at, registry_of
from tests.provider.replies import Reply
from tests.provider.server import FakeProvider
from tests.provider.story import config_of, start, story, told

DIALECTS: dict[str, Dialect] = {
    OPENAI: "openai",
    DIRECT: "openai",
    ANTHROPIC: "anthropic",
    GEMINI: "gemini",
    MISTRAL: "mistral",
}
CASES = [
    pytest.param(name, fault, id=f"{fault.name}-{name.partition('/')[0]}")
    for fault in FAULTS
    for name, dialect in DIALECTS.items()
    if dialect in fault.dialects
]


@contextmanager
def address_of(fault: Fault, provider: FakeProvider) -> Generator[str]:
    match fault.address:
        case "server":
            yield provider.base_url
        case "nowhere":
            yield "http://no-such-host.invalid"
        case "refused":
            # Bound but not listening, so nothing answers there.
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                yield f"http://127.0.0.1:{closed.getsockname()[1]}"


def said_by(reply: Reply, dialect: Dialect) -> Reply:
    """The reply with its faults at the same word: Gemini's answers have no opening event."""
    if dialect != "gemini":
        return reply
    places = ("stall_at", "cut_at", "end_at", "malformed_at", "misframed_at")
    return replace(reply, **{name: at - 1 for name in places if (at := getattr(reply, name)) is not None})


async def check(name: str, fault: Fault, provider: FakeProvider, workspace: Path) -> None:
    dialect = DIALECTS[name]
    provider.script(*(said_by(reply, dialect) for reply in fault.replies), FINE)
    with address_of(fault, provider) as base:
        models = registry_of(environ_at(base), base)
        names = (name, LOCAL) if fault.fallback else (name,)
        lines = story((await told(start(models, names, config_of(workspace, **fault.config)))).facts)
    expected = ["ask 1", *fault.events]
    if dialect in fault.skipped:
        expected = ["ask 1", "answer stop, reported: 'some words'", DONE[-1]]
    assert _fitted(lines, expected) == expected
    if fault.address == "server":
        assert len(provider.requests) == sum(line.startswith("ask ") for line in lines)


def _fitted(lines: list[str], expected: list[str]) -> list[str]:
    """The lines, with the expected one in the place of each that fits its stars."""
    fitting = [
        wanted if "*" in wanted and fnmatchcase(line, wanted) else line
        for line, wanted in zip_longest(lines, expected, fillvalue="")
    ]
    return fitting[: len(lines)]


@pytest.mark.parametrize(("name", "fault"), CASES)
async def test_a_fault_becomes_these_events(
    name: str,
    fault: Fault,
    provider: FakeProvider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    loaded_litellm: Litellm,
) -> None:
    # A resolver that does not answer should not hold the test up.
    monkeypatch.setenv("RES_OPTIONS", "attempts:1 timeout:1")
    await check(name, fault, provider, tmp_path)


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_date_to_wait_for_is_waited_for(name: str, provider: FakeProvider, tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "rate-limit-for-seconds")
    dated = replace(fault, replies=(replace(fault.replies[0], headers={"retry-after": in_a_minute()}),))
    await check(name, dated, provider, tmp_path)
