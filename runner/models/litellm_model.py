"""Models of any provider, asked through litellm: always streamed, read by our own rules, closed at once."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from runner.errors import InvalidRequestError, ModelError, ModelTimeoutError, StreamBrokenError, StreamIdleError
from runner.models import litellm_loader
from runner.models.base import Chunk, FinishChunk, ModelInfo, ModelRequest, UsageChunk
from runner.models.catalogue import Pricing
from runner.models.endpoint import NO_KEY, Endpoint, resolve_endpoint
from runner.models.litellm_chunks import StreamReader, finish_reason, get
from runner.models.litellm_errors import Where, map_error
from runner.models.litellm_request import request_arguments
from runner.models.project import ProviderOf
from runner.models.providers import prefix_of
from runner.models.rate_limits import read_rate_limits
from runner.models.watchdog import Breath, TooSlow, in_time, read
from runner.usage import Usage

USAGE_GRACE: Final = 5.0
"""Seconds to wait for the usage after the finish reason; an answer that is complete is not failed for it."""
DRAIN: Final = 0.05
"""Seconds to read on for the end of the body, so that the connection can be used again instead of being closed."""
CLOSING: Final = 2.0
"""Seconds that closing a connection may take before the run goes on without it."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Deadlines:
    """When the stream must have moved. Comments, pings and empty chunks do not count: they can go on for ever.

    moved: when the reader last came back for more, so a slow reader is not taken for a silent provider.
    """

    request: ModelRequest
    began: float
    moved: float | None = None
    finished: float | None = None

    def left(self) -> float | None:
        """Seconds until the stream counts as dead; None = no limit."""
        idle = self.request.idle_timeout
        if self.finished is not None:
            limit, since = USAGE_GRACE if idle is None else min(idle, USAGE_GRACE), self.finished
        elif self.moved is not None:
            limit, since = idle, self.moved
        else:
            limit, since = self.request.first_token_timeout, self.began
        return None if limit is None else max(0.0, since + limit - time.monotonic())


class LitellmModel:
    """A model behind litellm. Holds no state of a request; safe to use from several runs at once.

    litellm_name: the model in litellm's spelling, `provider/model`. api_base, api_key_env: for a named model with an
    address or a key variable of its own. pricing: with the rules a flat Price cannot say; else info.price counts.
    provider_of: tells the provider of a model name found in a history.
    """

    def __init__(
        self,
        info: ModelInfo,
        litellm_name: str,
        api_base: str | None = None,
        api_key_env: str | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        pricing: Pricing | None = None,
        provider_of: ProviderOf = prefix_of,
    ) -> None:
        self._info = info
        self._name = litellm_name
        self._api_base = api_base
        self._api_key_env = api_key_env
        self._environ = os.environ if environ is None else environ
        self._pricing = pricing or (Pricing(base=info.price) if info.price is not None else None)
        self._provider_of = provider_of

    @property
    def info(self) -> ModelInfo:
        return self._info

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars of one request, exact; None where the price is not known."""
        return None if self._pricing is None else self._pricing.cost(usage)

    def endpoint(self) -> Endpoint:
        """Where a request would go now. Raises AuthenticationError where the key is missing."""
        return resolve_endpoint(
            self._name, api_base=self._api_base, api_key_env=self._api_key_env, environ=self._environ
        )

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        """See Model.stream. A missing key is told before litellm is loaded and before anything is sent."""
        endpoint = self.endpoint()
        api = await litellm_loader.load()
        arguments = request_arguments(request, self._info, endpoint, self._provider_of)
        if endpoint.key is not None:
            arguments["api_key"] = endpoint.key
        deadlines = _Deadlines(request, began=time.monotonic())
        response: Any = None
        try:
            response = await in_time(_call(api, arguments), deadlines.left())
            limits = read_rate_limits(_headers(response))
            if limits is not None:
                yield limits
            async with aclosing(self._read(response, deadlines, endpoint)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TooSlow as error:
            raise self._too_slow(request, deadlines) from error
        except ModelError:
            raise
        except Exception as error:
            raise map_error(error, self._where(endpoint), streaming=response is not None) from error
        finally:
            if response is not None:
                await _close(response)

    async def _read(self, response: Any, deadlines: _Deadlines, endpoint: Endpoint) -> AsyncGenerator[Chunk, None]:
        """Everything up to the finish reason and the usage, whichever comes last."""
        reader = StreamReader(provider=endpoint.provider)
        breath = Breath()
        source, through_wrapper = await in_time(_source(response), deadlines.left())
        while True:
            try:
                raw = await read(source, deadlines.left())
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
            if reader.finish is not None:
                deadlines.finished = deadlines.finished or time.monotonic()
                if reader.complete:
                    break
            await breath.take()
        if through_wrapper:
            _correct_from_wrapper(reader, response)
        elif reader.finish is None:
            reader.finish = getattr(response, "received_finish_reason", None)
        if reader.finish is None:
            raise StreamBrokenError(
                "the stream ended without saying that the answer is complete",
                model=self._info.name,
                provider=endpoint.provider,
            )
        if reader.usage is not None:
            yield UsageChunk(reader.usage)
        yield FinishChunk(finish_reason(reader.finish, has_calls=reader.has_calls))
        await _drain(source)

    def _where(self, endpoint: Endpoint) -> Where:
        secrets = (endpoint.key,) if endpoint.key and endpoint.key != NO_KEY else ()
        fix = f"check the key in {endpoint.key_variable}" if endpoint.key_variable else ""
        return Where(
            model=self._info.name,
            provider=endpoint.provider,
            key_fix=fix or f"check the credentials for {endpoint.provider}",
            endpoint=endpoint.place,
            secrets=secrets,
        )

    def _too_slow(self, request: ModelRequest, deadlines: _Deadlines) -> ModelTimeoutError | StreamIdleError:
        if deadlines.moved is None:
            kind, text = ModelTimeoutError, f"no first token within {request.first_token_timeout or 0:g} s"
        else:
            kind, text = StreamIdleError, f"the stream was silent for {request.idle_timeout or 0:g} s"
        return kind(text, model=self._info.name, provider=self._info.provider)


async def _call(api: litellm_loader.Litellm, arguments: dict[str, Any]) -> Any:
    """Make the request; settings that the model does not know are left out (SEMANTICS section 8).

    They are only dropped where that is needed: with drop_params litellm asks once more behind our back after a 422,
    and forgets the error when the second answer is one too.
    """
    try:
        return await api.acompletion(**arguments)
    except api.unsupported:
        response = await api.acompletion(**arguments, drop_params=True)
    if response is None:
        raise InvalidRequestError("the provider cannot process this request", status_code=422)
    return response


def _headers(response: Any) -> Mapping[str, str]:
    headers: object = getattr(response, "_response_headers", None)
    return (
        {str(k): str(v) for k, v in cast("Mapping[Any, Any]", headers).items()} if isinstance(headers, Mapping) else {}
    )


async def _source(response: Any) -> tuple[AsyncIterator[Any], bool]:
    """What to read, and whether it is litellm's wrapper: else it is the provider's own stream inside of it.

    Read directly, a chunk costs a fifth of the CPU, no response is rebuilt at the end, no usage is estimated, and no
    finish reason is invented for a stream that was cut.
    """
    if getattr(response, "completion_stream", None) is None and getattr(response, "make_call", None) is not None:
        await response.fetch_stream()
    candidates: tuple[Any, ...] = (getattr(response, "completion_stream", None), response)
    for candidate in candidates:
        if hasattr(candidate, "__aiter__"):
            return cast("AsyncIterator[Any]", aiter(candidate)), candidate is response
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
