"""Model servers on this machine: where they usually listen, and asking them what they serve, only when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from runner.models.providers import self_hosted_base

PROBE_TIMEOUT: Final = 1.0
"""Seconds: a server on this machine answers in milliseconds, and a person is waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A kind of server. provider: the prefix of its models' names. url: its OpenAI endpoint, ending in /v1."""

    title: str
    provider: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a server said. models: names as they can be used here. problem: why it is not usable, "" where it is."""

    server: LocalServer
    models: tuple[str, ...] = ()
    problem: str = ""

    @property
    def answers(self) -> bool:
        return not self.problem


_KINDS: Final = (
    ("Ollama", "ollama"),
    ("LM Studio", "lm_studio"),
    ("llama.cpp", "llamafile"),
    ("vLLM", "hosted_vllm"),
)


def local_servers(environ: Mapping[str, str] | None = None) -> list[LocalServer]:
    """The well-known servers at their usual addresses, or where the environment says they are."""
    return [
        LocalServer(title=title, provider=provider, url=self_hosted_base(provider, environ or {}))
        for title, provider in _KINDS
    ]


async def probe(servers: Sequence[LocalServer] | None = None, *, timeout: float = PROBE_TIMEOUT) -> list[ProbeResult]:
    """Ask each server for its models, all at once, each within `timeout` seconds."""
    return await asyncio.gather(*(_probe(server, timeout) for server in servers or local_servers()))


async def _probe(server: LocalServer, timeout: float) -> ProbeResult:
    import httpx

    try:
        # No proxy from the environment: the question is what runs here.
        async with asyncio.timeout(timeout), httpx.AsyncClient(trust_env=False, timeout=timeout) as client:
            answer = await client.get(f"{server.url}/models")
        if answer.status_code != 200:
            return ProbeResult(server=server, problem=f"answers with status {answer.status_code}")
        listed = _listed(answer.json())
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return ProbeResult(server=server, problem="nothing answers there")
    except (TimeoutError, httpx.TimeoutException):
        return ProbeResult(server=server, problem=f"no answer within {timeout:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return ProbeResult(server=server, problem=f"does not speak this protocol ({type(error).__name__})")
    if listed is None:
        return ProbeResult(server=server, problem="answers, but not with a list of models")
    return ProbeResult(server=server, models=tuple(f"{server.provider}/{name}" for name in listed))


def _listed(answer: object) -> list[str] | None:
    """The ids in an OpenAI list of models; None where it is something else."""
    if not isinstance(answer, dict):
        return None
    data: object = cast("dict[str, Any]", answer).get("data")
    if data is None:
        # Ollama without a model answers with null.
        return [] if "data" in answer else None
    if not isinstance(data, list):
        return None
    ids = (cast("dict[str, Any]", item).get("id") for item in cast("list[Any]", data) if isinstance(item, dict))
    return [name for name in ids if isinstance(name, str)]
