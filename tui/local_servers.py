"""Which local model servers answer: asked only on request, on this machine only, past any proxy, and briefly."""

from __future__ import annotations

import http.client
import ipaddress
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast
from urllib.parse import urlsplit

from runner.models.providers import SELF_HOSTED, self_hosted_base

TIMEOUT: Final = 0.7
"""Seconds to connect, and again for each read."""

LONGEST_REPLY: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A place to ask. base: its OpenAI address, with /v1. prefix: goes before the names it lists, "" = none does."""

    title: str
    base: str
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said. models: names as it lists them. problem: why it is no model server, "" where it is one."""

    server: Server
    models: tuple[str, ...] = ()
    problem: str = ""


def local_servers(environ: Mapping[str, str], configured: Mapping[str, str]) -> list[Server]:
    """The servers people run themselves, and the configured addresses (by model name), as far as on this machine."""
    servers = [Server(title=name, base=self_hosted_base(name, environ), prefix=f"{name}/") for name in SELF_HOSTED]
    known = {server.base.rstrip("/") for server in servers}
    servers += [
        Server(title=f"model {name}", base=base) for name, base in configured.items() if base.rstrip("/") not in known
    ]
    return [server for server in servers if is_loopback(server.base)]


def is_loopback(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def probe(servers: Iterable[Server], timeout: float = TIMEOUT) -> list[Answer]:
    """Ask all of them at once; those where nothing listens are left out."""
    asked = list(servers)
    if not asked:
        return []
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = threads.map(partial(_ask, timeout=timeout), asked)
        return [answer for answer in answers if answer is not None]


def _ask(server: Server, timeout: float) -> Answer | None:
    parts = urlsplit(server.base)
    path = f"{parts.path.rstrip('/')}/models"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", _port(server.base), timeout=timeout)
    try:
        try:
            connection.connect()
        except OSError:
            return None
        connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "quarterdeck"})
        reply = connection.getresponse()
        data = reply.read(LONGEST_REPLY)
        if reply.status != 200:
            return Answer(server=server, problem=f"answers {reply.status} to {path}")
        return Answer(server=server, models=_names(json.loads(data)))
    except (OSError, http.client.HTTPException, ValueError) as error:
        detail = str(error) or type(error).__name__
        return Answer(server=server, problem=f"does not answer like a model server: {detail}")
    finally:
        connection.close()


def _port(base: str) -> int:
    parts = urlsplit(base)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _names(data: object) -> tuple[str, ...]:
    """The names in an OpenAI list: {"data": [{"id": name}]}."""
    entries = cast("dict[str, Any]", data).get("data") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the reply lists no models")
    ids = (cast("dict[str, Any]", entry).get("id") for entry in cast("list[Any]", entries) if isinstance(entry, dict))
    return tuple(name for name in ids if isinstance(name, str))
