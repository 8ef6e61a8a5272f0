"""Connections to OpenAI-like endpoints: one pool of them for an event loop, made when it is first needed.

Importing httpx and reading the certificates take some 100 ms together, so both happen once, in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ssl
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final

from runner.models.providers import is_loopback

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT: Final = 15.0
"""Seconds for a connection and its TLS, so that a host that is down is told from a model that thinks long."""
KEPT_FOR: Final = 60.0
"""Seconds that an idle connection waits for the next turn: as long as most tools take, shorter than most servers."""
MOST_KEPT: Final = 20

_LATE: Final = ("httpcore", "anyio.streams.memory", "anyio.streams.tls", "anyio._backends._asyncio")
"""What httpx loads on the way to its first answer, on whatever loop that happens to be."""


@dataclass(slots=True)
class _Pool:
    """One client and what closes it. keeper: an async generator, which its loop closes when it shuts down."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    keeper: AsyncGenerator[None, None]


_pools_lock = threading.Lock()
_certificates_lock = threading.Lock()
_pools: dict[tuple[int, bool, bool], _Pool] = {}
_certificates: ssl.SSLContext | None = None


async def client_for(url: str) -> httpx.AsyncClient:
    """The client for an address, in the running event loop; the same one for all addresses of its kind."""
    secure, here = url.startswith("https:"), is_loopback(url)
    loop = asyncio.get_running_loop()
    key = (id(loop), secure, here)
    pool = _pools.get(key)
    if pool is not None and pool.loop is loop and not pool.client.is_closed:
        return pool.client
    context = await asyncio.to_thread(_prepare, secure=secure)
    pool = _pools.get(key)
    if pool is None or pool.loop is not loop or pool.client.is_closed:
        pool = await _open(loop, context, here=here)
        with _pools_lock:
            for old in [name for name, other in _pools.items() if other.loop.is_closed()]:
                del _pools[old]
            _pools[key] = pool
    return pool.client


def start_loading() -> None:
    """Do what the first request would wait for, in the background; returns at once."""
    threading.Thread(target=_prepare, kwargs={"secure": True}, name="load-httpx", daemon=True).start()


def _prepare(*, secure: bool) -> ssl.SSLContext:
    """Import httpx with all that it would import at the first request, and read the certificates, which a plain
    connection does without."""
    global _certificates
    import httpx

    for name in _LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if not secure:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with _certificates_lock:
        if _certificates is None:
            _certificates = httpx.create_ssl_context()
        return _certificates


async def _open(loop: asyncio.AbstractEventLoop, context: ssl.SSLContext, *, here: bool) -> _Pool:
    import httpx

    client = httpx.AsyncClient(
        verify=context,
        # A proxy is for the world outside; what runs on this machine is asked without one.
        trust_env=not here,
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=MOST_KEPT, keepalive_expiry=KEPT_FOR),
        # One jar would carry what a server says to one key over to the requests with another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
    )
    keeper = _keep(client)
    await anext(keeper)
    return _Pool(loop=loop, client=client, keeper=keeper)


async def _keep(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()
