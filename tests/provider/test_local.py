"""Asking the servers on this machine what they serve, and the fake provider as a program of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from runner.models.local import LocalServer, local_servers, probe
from runner.models.registry import ModelRegistry
from tests.contract.sources import ROOT
from tests.provider.helpers import ANTHROPIC, ask, collect
from tests.provider.server import FakeProvider


def server_at(port: int) -> LocalServer:
    return LocalServer(title="Test", provider="ollama", url=f"http://127.0.0.1:{port}/v1")


async def test_a_server_that_runs_lists_its_models_by_usable_names(provider: FakeProvider) -> None:
    provider.models = ["qwen3:8b", "llama3.1"]
    (found,) = await probe([server_at(provider.port)])
    assert found.answers
    assert found.models == ("ollama/qwen3:8b", "ollama/llama3.1")
    for name in found.models:
        assert ModelRegistry(environ={}).info(name).provider == "ollama"


async def test_what_does_not_answer_says_why_within_the_timeout() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"what?\r\n\r\n")
        writer.close()

    silent = await asyncio.start_server(mute, "127.0.0.1", 0)
    odd = await asyncio.start_server(babble, "127.0.0.1", 0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = [closed.getsockname()[1], silent.sockets[0].getsockname()[1], odd.sockets[0].getsockname()[1]]
        began = time.monotonic()
        found = await probe([server_at(port) for port in ports], timeout=0.5)
    assert time.monotonic() - began < 5
    assert [one.answers for one in found] == [False, False, False]
    assert found[0].problem == "nothing answers there"
    assert "0.5 s" in found[1].problem
    assert "protocol" in found[2].problem
    silent.close()
    odd.close()


def test_the_well_known_servers_are_on_this_machine_unless_told_otherwise() -> None:
    assert [server.url for server in local_servers()] == [
        f"http://127.0.0.1:{port}/v1" for port in (11434, 1234, 8080, 8000)
    ]
    assert local_servers({"OLLAMA_HOST": "gpu:9"})[0].url == "http://gpu:9/v1"


def test_the_fake_provider_as_a_program(tmp_path: Path) -> None:
    script = tmp_path / "replies.json"
    call = {"name": "shell", "pieces": ['{"command": "ls"}'], "id": "c1"}
    script.write_text(json.dumps([{"text": "Hello"}, {"calls": [call]}, {"status": 500}]), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.provider.server", "--script", str(script)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        where = json.loads(process.stdout.readline())
        environ = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": where["anthropic"]}
        model = ModelRegistry(environ=environ).resolve(ANTHROPIC)
        assert asyncio.run(collect(model, ask())).text == "Hello"
        assert asyncio.run(collect(model, ask())).calls == [("c1", "shell", {"command": "ls"})]
        process.stdin.close()
        assert process.wait(10) == 0
