"""One page over HTTP: from checked addresses only, within limits of time and size, never beyond the host it was for."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import os
import re
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin

from runner.errors import ToolError, ToolInputError, ToolTimeoutError
from runner.messages import SideEffects
from runner.tools.media import PROBE, media_of
from runner.tools.threads import in_thread
from runner.tools.web.address import IPAddress, PrivateHosts, Target, read_url
from runner.tools.web.inflate import ACCEPTED, Broken, Inflater

if TYPE_CHECKING:
    import httpx

_TELL_EVERY = 0.2
_TRIED = 3
"""Addresses of one name that are tried."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "quarterdeck (web_fetch)",
    "Accept": "text/html, text/markdown, text/plain, application/json, application/xml;q=0.9, */*;q=0.5",
    "Accept-Encoding": ACCEPTED,
}
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "http_proxy")


class FetchError(ToolError):
    """The page did not come; asking for one changes nothing here."""

    side_effects: SideEffects = "none"


class FetchTimeout(ToolTimeoutError):
    side_effects: SideEffects = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Seconds for all of it, for a connection, and for a silence; body: bytes after decompression."""

    total: float = 30.0
    connect: float = 10.0
    idle: float = 10.0
    body: int = 3 * 1024 * 1024
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """url: where it came from after redirects on the same host. length: bytes of the whole body, None where not known.

    more: the body went on, and was not read. broken: why the body ended early, "" where it did not. moved: where a
    redirect leads that was not followed, because it is for a person to allow.
    """

    url: str
    status: int
    reason: str
    content_type: str
    body: bytes = b""
    length: int | None = None
    more: bool = False
    broken: str = ""
    moved: str = ""


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, for a port. Raises OSError where there are none."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    found = await in_thread(
        lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP), name="tool-resolve"
    )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def system_trust() -> ssl.SSLContext:
    """The system's certificates; those of certifi as well where it shows none."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


class Progress:
    """told: called with what is going on, in a few words, not too often. came: bytes of the body as they were sent."""

    def __init__(self, told: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._told = told
        self._clock = clock
        self._last = clock()
        self.came = 0

    def say(self, text: str) -> None:
        self._told(text)

    def more(self, size: int) -> None:
        self.came += size
        now = self._clock()
        if now - self._last >= _TELL_EVERY:
            self._last = now
            self._told(f"{self.came:,} bytes")


class Fetcher:
    def __init__(
        self,
        private: PrivateHosts,
        *,
        limits: FetchLimits | None = None,
        resolve: Resolve = system_resolve,
        trust: Callable[[], ssl.SSLContext] = system_trust,
    ) -> None:
        self._private = private
        self._limits = limits or FetchLimits()
        self._resolve = resolve
        self._trust = trust

    async def get(self, target: Target, progress: Progress) -> Fetched:
        """Raises ToolError in words for the model. A cancellation closes the connection at once and propagates."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.total):
                return await self._follow(target, progress)
        except TimeoutError:
            came = f"{progress.came:,} bytes of it had come"
            raise FetchTimeout(f"{target.url} did not arrive within {limits.total:g} s; {came}.") from None

    async def _follow(self, target: Target, progress: Progress) -> Fetched:
        context = await in_thread(self._prepare, name="tool-web")
        for _ in range(self._limits.redirects + 1):
            found = await self._one(target, context, progress)
            if not found.moved:
                return found
            try:
                following = read_url(urljoin(target.url, found.moved))
            except (ToolInputError, ValueError) as error:
                raise FetchError(f"{target.url} redirects to an address that is not opened ({error}).") from error
            if not target.may_lead_to(following):
                return replace(found, moved=following.url)
            target = following
        raise FetchError(f"{target.url} is where {self._limits.redirects} redirects led, and it redirects again.")

    def _prepare(self) -> ssl.SSLContext:
        """In a thread, because the first import of httpx and reading the certificates take a while."""
        importlib.import_module("httpx")
        return self._trust()

    async def _one(self, target: Target, context: ssl.SSLContext, progress: Progress) -> Fetched:
        """One request, to the first of the checked addresses that answers."""
        import httpx

        progress.say(f"looking for {target.host}")
        addresses = await self._addresses(target)
        progress.say(f"asking {target.netloc}")
        problem: Exception | None = None
        for address in addresses[:_TRIED]:
            try:
                return await self._ask(target, address, context, progress)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = error
            except httpx.TimeoutException as error:
                raise FetchTimeout(f"{target.netloc} sent nothing for {self._limits.idle:g} s.") from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise FetchError(f"{target.url} could not be read: {_words(error)}.") from error
        raise FetchError(f"{target.netloc} could not be reached: {_words(problem)}.{_proxy_hint()}") from problem

    async def _addresses(self, target: Target) -> list[IPAddress]:
        """Asked for once, and connected to as they are: a name that answers otherwise later leads nowhere else."""
        if target.literal is not None:
            found: list[IPAddress] = [target.literal]
        else:
            try:
                texts = await self._resolve(target.host, target.port)
                found = [ipaddress.ip_address(text) for text in texts]
            except (OSError, ValueError) as error:
                raise FetchError(f"{target.host} could not be found: {_words(error)}.{_proxy_hint()}") from error
        problem = self._private.problem(target, found)
        if problem is not None:
            raise FetchError(f"{problem} Nothing was opened.")
        if not found:
            raise FetchError(f"{target.host} has no address.")
        return found

    async def _ask(self, target: Target, address: IPAddress, context: ssl.SSLContext, progress: Progress) -> Fetched:
        import httpx

        limits = self._limits
        timeout = httpx.Timeout(limits.idle, connect=limits.connect)
        # The certificate is checked for the name, though the connection goes to the address. trust_env: no proxy.
        extensions = {} if target.literal is not None else {"sni_hostname": target.host}
        url = httpx.URL(target.url).copy_with(host=str(address))
        headers = _HEADERS | {"Host": target.netloc}
        async with (
            httpx.AsyncClient(verify=context, timeout=timeout, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", url, headers=headers, extensions=extensions) as response,
        ):
            return await self._read(target, response, progress)

    async def _read(self, target: Target, response: httpx.Response, progress: Progress) -> Fetched:
        headers = response.headers
        found = Fetched(
            url=target.url,
            status=response.status_code,
            reason=response.reason_phrase,
            content_type=headers.get("content-type", ""),
        )
        location = headers.get("location", "")
        if response.status_code in _REDIRECTS and location:
            return replace(found, moved=location)
        encoding = headers.get("content-encoding", "")
        try:
            body = _Body(Inflater(encoding), self._limits.body, wide=has_wide_characters(found.content_type))
        except ValueError:
            return replace(found, broken=f"it is encoded as {encoding[:40]!r}, which was not asked for")
        length = headers.get("content-length", "")
        plain = length.isascii() and length.isdigit() and len(length) < 19 and encoding in ("", "identity")
        broken = await _through(response, body, progress)
        size = int(length) if plain else None
        return replace(found, body=bytes(body.data), length=size, more=body.more, broken=broken)


async def _through(response: httpx.Response, body: _Body, progress: Progress) -> str:
    """Read until the end, the limit, or what is certainly no text; why it ended early, or ""."""
    import httpx

    try:
        async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_raw())) as pieces:
            async for piece in pieces:
                body.add(piece)
                progress.more(len(piece))
                if body.more:
                    break
    except Broken as error:
        return f"its compression is damaged ({error})"
    except httpx.TimeoutException:
        return "nothing more came for too long"
    except httpx.HTTPError as error:
        return f"the connection ended before it was whole ({_words(error)})"
    return ""


def has_wide_characters(content_type: str) -> bool:
    """Whether NULs are a part of the text, by its charset."""
    return re.search(r"charset\s*=\s*[\"']?(?:utf-?(?:16|32)|ucs-?[24])", content_type, re.IGNORECASE) is not None


class _Body:
    """What came of a body. Of a picture or another binary file only the beginning is read."""

    def __init__(self, inflater: Inflater, limit: int, *, wide: bool) -> None:
        self._inflater = inflater
        self._limit = limit
        self._looked = wide
        self.data = bytearray()
        self.more = False

    def add(self, piece: bytes) -> None:
        found, self.more = self._inflater.feed(piece, self._limit - len(self.data))
        self.data += found
        if not self._looked and len(self.data) >= PROBE:
            self._looked = True
            self.more = self.more or media_of(bytes(self.data[:PROBE])) is not None


def _words(error: BaseException | None) -> str:
    text = " ".join(str(error).split()) if error is not None else ""
    return text.rstrip(".") or type(error).__name__


def _proxy_hint() -> str:
    named = next((name for name in _PROXIES if os.environ.get(name)), None)
    if named is None:
        return ""
    return f" {named} names a proxy; this tool connects directly, so that the address it checked is the one it reaches."
