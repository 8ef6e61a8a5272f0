"""Models of any provider, asked through litellm: always streamed, read by our own rules, closed at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from runner.errors import InvalidRequestError, ModelError, StreamBrokenError
from runner.events import LeftOut
from runner.models import litellm_loader
from runner.models.base import Chunk, LeftOutChunk, ModelRequest, ModelSettings
from runner.models.deadlines import CLOSING, DRAIN, Deadlines
from runner.models.endpoint import Endpoint
from runner.models.litellm_request import request_arguments, without_unsupported
from runner.models.openai_chunks import StreamReader, get
from runner.models.provider_model import ProviderModel
from runner.models.rate_limits import read_rate_limits
from runner.models.told_finish import told_finish
from runner.models.transport_errors import map_error
from runner.models.watchdog import Breath, TooSlow, in_time, read

_logger = logging.getLogger(__name__)


class LitellmModel(ProviderModel):
    """A model behind litellm."""

    def prepare(self) -> None:
        litellm_loader.start_loading()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        """See Model.stream. A missing key is told before litellm is loaded and before anything is sent."""
        endpoint = self.endpoint()
        api = await litellm_loader.load()
        arguments, missing = request_arguments(request, self._info, endpoint, self._provider_of)
        if endpoint.key is not None:
            arguments["api_key"] = endpoint.key
        deadlines = Deadlines(request, began=time.monotonic())
        response: Any = None
        begun = False
        try:
            response, fewer = await in_time(_call(api, arguments, request.settings), deadlines.left())
            source = await in_time(_source(response), deadlines.left())
            begun = True
            if missing := (fewer or missing):
                yield LeftOutChunk(missing)
            limits = read_rate_limits(_headers(response))
            if limits is not None:
                yield limits
            async with aclosing(self._read(response, source, deadlines, endpoint)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TooSlow as error:
            raise deadlines.missed(self._info) from error
        except ModelError:
            raise
        except Exception as error:
            raise map_error(error, self._where(endpoint), streaming=begun) from error
        finally:
            if response is not None:
                await _close(response)

    async def _read(
        self, response: Any, source: _Source, deadlines: Deadlines, endpoint: Endpoint
    ) -> AsyncGenerator[Chunk, None]:
        """Everything up to the finish reason and the usage, whichever comes last."""
        reader = StreamReader(provider=endpoint.provider)
        breath = Breath()
        told = told_finish(source.items, endpoint.provider)
        while True:
            try:
                raw = await read(source.items, deadlines.left())
            except StopAsyncIteration:
                break
            except Exception as error:
                if reader.finish is None:
                    raise
                # The answer is whole; only its accounting may be missing, which then counts as not reported.
                _logger.debug("the stream broke after its finish reason: %s", type(error).__name__)
                break
            for chunk in reader.feed(_readable(raw, response)):
                yield chunk
                deadlines.moved = time.monotonic()
            if told.heard:
                reader.finish = told.reason
            if reader.finish is not None:
                deadlines.finished = deadlines.finished or time.monotonic()
                # Gemini counts in every chunk and may name a reason in each: only the end of the body ends its answer.
                if reader.complete and not told.heard:
                    break
            await breath.take()
        if source.through_wrapper:
            _correct_from_wrapper(reader, response)
        elif reader.finish is None:
            reader.finish = getattr(response, "received_finish_reason", None)
        for chunk in reader.end(self._info.name):
            yield chunk
        await _drain(source.items)


async def _call(
    api: litellm_loader.Litellm, arguments: dict[str, Any], settings: ModelSettings
) -> tuple[Any, tuple[LeftOut, ...]]:
    """Make the request; settings that the model does not know are left out (SEMANTICS section 8), and told.

    litellm refuses them before anything is sent. What is left out by us first is told; drop_params is the last resort,
    because with it litellm asks once more behind our back after a 422, and forgets the error when the second answer is
    one too.
    """
    try:
        return await api.acompletion(**arguments), ()
    except api.unsupported:
        pass
    for fewer, missing in without_unsupported(arguments, settings):
        with contextlib.suppress(api.unsupported):
            return await api.acompletion(**fewer), missing
    response = await api.acompletion(**arguments, drop_params=True)
    if response is None:
        raise InvalidRequestError("the provider cannot process this request", status_code=422)
    return response, ()


def _headers(response: Any) -> Mapping[str, str]:
    headers: object = getattr(response, "_response_headers", None)
    return (
        {str(k): str(v) for k, v in cast("Mapping[Any, Any]", headers).items()} if isinstance(headers, Mapping) else {}
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """What to read. through_wrapper: it is litellm's wrapper, else the provider's own stream inside of it."""

    items: AsyncIterator[Any]
    through_wrapper: bool


async def _source(response: Any) -> _Source:
    """The provider's stream; for some (Gemini) litellm only asks for it here.

    Read directly, a chunk costs a fifth of the CPU, no response is rebuilt at the end, no usage is estimated, and no
    finish reason is invented for a stream that was cut.
    """
    if getattr(response, "completion_stream", None) is None and getattr(response, "make_call", None) is not None:
        await response.fetch_stream()
    candidates: tuple[Any, ...] = (getattr(response, "completion_stream", None), response)
    for candidate in candidates:
        if hasattr(candidate, "__aiter__"):
            return _Source(cast("AsyncIterator[Any]", aiter(candidate)), candidate is response)
    raise StreamBrokenError("the provider's answer is not a stream")


def _readable(raw: Any, response: Any) -> object:
    """The item itself, or, for the few old providers with classes of their own, litellm's translation of it."""
    if raw is None or get(raw, "choices") is not None or isinstance(raw, Mapping):
        return cast("object", raw)
    try:
        return response.chunk_creator(chunk=raw)
    except StopIteration:
        # Its way to say that nothing of interest follows; the stream's own end is what counts here.
        return None


def _correct_from_wrapper(reader: StreamReader, response: Any) -> None:
    """Take back what the wrapper made up: a "stop" that no provider sent, and usage that no provider counted."""
    reader.finish = getattr(response, "received_finish_reason", None) or getattr(
        response, "intermittent_finish_reason", None
    )
    chunks = cast("list[Any]", getattr(response, "chunks", None) or [])
    if not any(getattr(chunk, "usage", None) for chunk in chunks):
        reader.usage = None


async def _drain(source: AsyncIterator[Any]) -> None:
    """Read the end of the body if it is already here; whatever goes wrong now concerns no one."""
    try:
        async with asyncio.timeout(DRAIN):
            async for _ in source:
                continue
    except Exception as error:
        _logger.debug("the end of the stream was not read: %s", type(error).__name__, exc_info=True)


async def _close(response: Any) -> None:
    """Close the provider's connection now: until then it goes on writing, and billing."""
    try:
        async with asyncio.timeout(CLOSING):
            await response.aclose()
    except Exception as error:
        _logger.debug("closing the stream failed: %s", type(error).__name__, exc_info=True)
