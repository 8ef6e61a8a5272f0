"""Models behind OpenAI's chat completions, asked over HTTP without anything between: some 15 us of CPU a token."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, cast

from runner.errors import AuthenticationError, ModelError, StreamBrokenError
from runner.models import direct_http
from runner.models.base import Chunk, LeftOutChunk, ModelRequest, TextChunk
from runner.models.deadlines import CLOSING, DRAIN, Deadlines
from runner.models.direct_request import encoded, not_sent, request_body
from runner.models.endpoint import NO_KEY, Endpoint
from runner.models.openai_chunks import StreamReader
from runner.models.provider_errors import Where, answer_error, stream_error
from runner.models.provider_model import ProviderModel
from runner.models.rate_limits import read_rate_limits
from runner.models.read_ahead import ReadAhead
from runner.models.sse import EventData
from runner.models.transport_errors import map_error
from runner.models.watchdog import Breath, TooSlow, Watch, in_time

if TYPE_CHECKING:
    import httpx

LONGEST_REFUSAL: Final = 64 * 1024
"""Bytes that are read of an answer which is no stream."""
REFUSAL_TIME: Final = 5.0
"""Seconds to wait for them: the status has said most of it already."""
NO_STREAM: Final = ("application/json", "text/html")
_DONE: Final = b"[DONE]"

_logger = logging.getLogger(__name__)
_parse = json.JSONDecoder().decode
_scan = json.JSONDecoder().raw_decode


class DirectModel(ProviderModel):
    """A model behind an endpoint that speaks OpenAI's chat completions."""

    def prepare(self) -> None:
        direct_http.start_loading()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        """See Model.stream. A missing key is told before anything is sent."""
        endpoint = self.endpoint()
        where = self._where(endpoint)
        headers = _headers(endpoint, where)
        made = request_body(request, self._info, endpoint, self._provider_of)
        body = encoded(made)
        if missing := not_sent(request, made, self._info):
            yield LeftOutChunk(missing)
        deadlines = Deadlines(request, began=time.monotonic())
        response: httpx.Response | None = None
        try:
            client = await direct_http.client_for(endpoint.url)
            sent = client.build_request("POST", f"{endpoint.url}/chat/completions", content=body, headers=headers)
            response = await in_time(client.send(sent, stream=True), deadlines.left())
            if not response.is_success or response.headers.get("content-type", "").lower().startswith(NO_STREAM):
                raise await _refused(response, deadlines, where)
            limits = read_rate_limits(response.headers)
            if limits is not None:
                yield limits
            async with aclosing(self._read(response, deadlines, where)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TooSlow as error:
            raise deadlines.missed(self._info) from error
        except ModelError:
            raise
        except Exception as error:
            raise map_error(error, where, streaming=response is not None) from error
        finally:
            if response is not None:
                await _close(response)

    async def _read(self, response: httpx.Response, deadlines: Deadlines, where: Where) -> AsyncGenerator[Chunk, None]:
        """Everything up to the finish reason and the usage, whichever comes last."""
        reader, body, breath = StreamReader(provider=where.provider), _Body(response), Breath()
        try:
            while not body.over:
                events = await body.next(deadlines, whole=reader.finish is not None)
                for chunk in self._chunks(events, reader, body, where):
                    yield chunk
                    deadlines.moved = time.monotonic()
                    await breath.take()
                if reader.finish is not None:
                    deadlines.finished = deadlines.finished or time.monotonic()
            for chunk in reader.end(where.model):
                yield chunk
            await body.drain()
        finally:
            await body.close()

    def _chunks(self, events: list[bytes], reader: StreamReader, body: _Body, where: Where) -> Iterator[Chunk]:
        """What some events say; pieces of text that came together are one."""
        texts: list[str] = []
        try:
            for data in events:
                item = read_event(data, where, whole=reader.finish is not None)
                if item is None:
                    body.over = True
                    break
                if text := reader.plain_text(item):
                    texts.append(text)
                    continue
                if texts:
                    yield TextChunk("".join(texts))
                    texts = []
                yield from reader.feed(item)
                if reader.finish is not None and reader.complete:
                    body.over = True
                    break
        except ModelError:
            # What came before it has been said.
            if texts:
                yield TextChunk("".join(texts))
            raise
        if texts:
            yield TextChunk("".join(texts))


def _headers(endpoint: Endpoint, where: Where) -> dict[str, str]:
    """No compression: it saves little on small pieces, and some servers hold them back to compress them together."""
    headers = {
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "quarterdeck",
    }
    key = endpoint.key
    if key is None or key == NO_KEY:
        return headers
    if not (key.isascii() and key.isprintable()):
        raise AuthenticationError(
            f"the key for {where.provider} has characters that a key cannot have",
            model=where.model,
            provider=where.provider,
            fix=where.key_fix,
        )
    return {**headers, "authorization": f"Bearer {key}"}


class _Body:
    """The events of one answer, as they come. over: no more of them are wanted or expected."""

    def __init__(self, response: httpx.Response) -> None:
        self.over = False
        self._events = EventData()
        self._watch = Watch()
        if response.headers.get("content-encoding", "identity") != "identity":
            source = response.aiter_bytes()
        else:
            # As near to the socket as httpx allows: its iterators over raw bytes cost a fifth more.
            source = aiter(cast("httpx.AsyncByteStream", response.stream))
        self._source = ReadAhead(source)

    async def next(self, deadlines: Deadlines, *, whole: bool) -> list[bytes]:
        """The events that the next bytes complete, often none. whole: the answer is complete already."""
        try:
            return self._events.feed(await self._watch.read(self._source, deadlines.due()))
        except StopAsyncIteration:
            self.over = True
            return self._events.end()
        except Exception as error:
            if not whole:
                raise
            # Only the accounting may be missing, which then counts as not reported.
            _logger.debug("the stream broke after its finish reason: %s", type(error).__name__)
            self.over = True
            return []

    async def drain(self) -> None:
        """Read the end of the body if it is already here; whatever goes wrong now concerns no one."""
        try:
            async with asyncio.timeout(DRAIN):
                async for _ in self._source:
                    continue
        except Exception as error:
            _logger.debug("the end of the stream was not read: %s", type(error).__name__, exc_info=True)

    async def close(self) -> None:
        self._watch.close()
        await self._source.close()


def read_event(data: bytes, where: Where, *, whole: bool) -> dict[str, Any] | None:
    """The object in an event; None at the end of the stream. whole: the answer is complete already.

    A byte that is not UTF-8 breaks the stream, as through litellm: what was damaged is neither shown nor acted upon.
    """
    if data.strip() == _DONE:
        return None
    try:
        item = _json(data.decode())
    except (ValueError, RecursionError):
        item = None
    failure: ModelError | None = None
    found = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    if not isinstance(item, dict):
        failure = _broken(where)
    elif found.get("error") or ("choices" not in found and isinstance(found.get("message"), str)):
        failure = stream_error(found, where)
    if failure is None:
        return found
    if whole:
        return None
    raise failure


def _json(text: str) -> object:
    """The one JSON value in a text; cheaper than the library's `decode` where nothing stands around it."""
    if not text.startswith("{"):
        return _parse(text)
    item, end = _scan(text)
    return item if end == len(text) else _parse(text)


def _broken(where: Where) -> StreamBrokenError:
    text = "the provider sent something that is not its protocol"
    return StreamBrokenError(text, model=where.model, provider=where.provider)


async def _refused(response: httpx.Response, deadlines: Deadlines, where: Where) -> ModelError:
    """The error in an answer that is no stream."""
    received = bytearray()

    async def read() -> None:
        async for part in response.aiter_bytes():
            received.extend(part)
            if len(received) > LONGEST_REFUSAL:
                return

    left = deadlines.left()
    try:
        await in_time(read(), REFUSAL_TIME if left is None else min(left, REFUSAL_TIME))
    except Exception as error:
        _logger.debug("the words of a refusal were not read: %s", type(error).__name__, exc_info=True)
    text = bytes(received[:LONGEST_REFUSAL]).decode(errors="replace")
    if not response.is_success:
        return answer_error(response.status_code, dict(response.headers), text, where)
    try:
        body: object = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and "choices" not in body:
        return stream_error(cast("dict[str, Any]", body), where)
    return StreamBrokenError("the provider's answer is not a stream", model=where.model, provider=where.provider)


async def _close(response: httpx.Response) -> None:
    """Close the provider's connection now, unless its answer was read to the end: it goes on writing, and billing."""
    try:
        async with asyncio.timeout(CLOSING):
            await response.aclose()
    except Exception as error:
        _logger.debug("closing the stream failed: %s", type(error).__name__, exc_info=True)
