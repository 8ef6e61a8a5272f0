"""The one place that imports litellm: in a thread, quietly, without network, with the collector kept out of the way.

The import takes 2 to 3 s and makes so many objects that each later full collection would stop the program for a fifth
of a second. So the collector rests during the import and the warm-up, and what they made is then frozen out of its
sight.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from runner.errors import DependencyError

_FORCED = {
    # Else the price table is downloaded during the import, which blocks for as long as the network does.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Else azure sends each failing request three times, whatever the call says.
    "DEFAULT_MAX_RETRIES": "0",
}
_DEFAULTS = {
    "LITELLM_OFFLINE_MODE": "true",
    # Else a .env file found somewhere above site-packages is read into the environment.
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    # Else a hundred equal chunks in a row, an ordinary thing in tables and rulers, count as a failure.
    "REPEATED_STREAMING_CHUNK_LIMIT": "100000",
}
"""Set where the person has not said otherwise; all of this is read while the module is imported."""

_KEPT = frozenset({"LITELLM_OFFLINE_MODE"})
"""Asked for again at each call, so it stays."""

_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")


@dataclass(frozen=True, slots=True)
class Litellm:
    """What of litellm is used: nothing but the call, so that the rest can change as it likes.

    unsupported: what the call raises, before anything is sent, for a setting that the model does not know.
    """

    acompletion: Callable[..., Awaitable[Any]]
    unsupported: type[Exception]
    version: str


_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_future: Future[Litellm] | None = None


def start_loading() -> Future[Litellm]:
    """Begin the import in the background; returns at once, from any thread, however often it is called."""
    global _future
    with _lock:
        if _future is not None and not (_future.done() and _future.exception() is not None):
            return _future
        # Running from the start, so that no reader who is cancelled can cancel it for the others.
        future: Future[Litellm] = Future()
        future.set_running_or_notify_cancel()
        _future = future
    threading.Thread(target=_run, args=(future,), name="load-litellm", daemon=True).start()
    return future


def loaded() -> bool:
    """Whether the import is over and went well."""
    future = _future
    return future is not None and future.done() and future.exception() is None


async def load() -> Litellm:
    """litellm, imported and configured. Raises DependencyError where it is missing or broken.

    A failed import is tried again by the next call, because the person may have installed what was missing.
    """
    return await asyncio.wrap_future(start_loading())


def _run(future: Future[Litellm]) -> None:
    try:
        module = _import()
    except Exception as error:
        # Versions of its dependencies that do not fit show as any kind of error; whoever waits gets it in words.
        _logger.debug("litellm cannot be imported", exc_info=True)
        future.set_exception(_dependency_error(error))
    else:
        future.set_result(module)


def _dependency_error(error: Exception) -> DependencyError:
    missing = error.name if isinstance(error, ImportError) and error.name else "litellm"
    found = DependencyError(
        f"the package litellm cannot be imported here: {type(error).__name__}: {error}",
        fix=f"install {missing.partition('.')[0]} into this Python environment, or install quarterdeck again",
    )
    found.__cause__ = error
    return found


def _import() -> Litellm:
    wanted = {name: os.environ.get(name, value) for name, value in _DEFAULTS.items()} | _FORCED
    before = {name: os.environ.get(name) for name in wanted if name not in _KEPT}
    os.environ.update(wanted)
    # Some of its code paths warn on stderr, which here is a person's screen.
    warnings.filterwarnings("ignore", module=r".*litellm.*")
    warnings.filterwarnings("ignore", message=r"Pydantic serializer warnings", category=UserWarning)
    collecting = gc.isenabled()
    gc.disable()
    try:
        import litellm
        from litellm.exceptions import UnsupportedParamsError

        _silence()
        _send_once()
        litellm.suppress_debug_info = True
        # Else names such as "llama-3" fetch a tokenizer, and offline that stalls for 23 s.
        litellm.disable_hf_tokenizer_download = True
        try:
            asyncio.run(_warm_up(litellm))
        except Exception:
            # A warm-up only saves time; a real call will show what is wrong, with words for the person.
            _logger.debug("the warm-up of litellm failed", exc_info=True)
        _silence()
        gc.freeze()
    finally:
        if collecting:
            gc.enable()
        _restore(before)
    return Litellm(acompletion=litellm.acompletion, unsupported=UnsupportedParamsError, version=version("litellm"))


def _send_once() -> None:
    """Some versions send a request again by themselves when the server closes without an answer; it may be billed
    twice, and whether to try again is the runner's decision."""
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    async def give_up(*_: object, **__: object) -> object:
        # Called where the first try failed, whose error is the one to tell.
        raise sys.exc_info()[1] or ConnectionError("the connection broke before an answer came")

    name = "single_connection_post_request"
    if hasattr(AsyncHTTPHandler, name):
        setattr(AsyncHTTPHandler, name, give_up)


def _restore(before: dict[str, str | None]) -> None:
    """Put the environment back: tools inherit it, and may start a program of the person's that uses litellm."""
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _silence() -> None:
    """Take the handlers that write to the terminal off its loggers.

    A NullHandler in their place keeps Python's handler of last resort from writing there instead.
    """
    to_streams: Any = logging.StreamHandler
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if isinstance(handler, to_streams) and not isinstance(handler, logging.FileHandler):
                logger.removeHandler(handler)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.ERROR)
        logger.propagate = False


async def _warm_up(litellm: Any) -> None:
    """One call answered inside litellm, and one of each dialect refused on loopback.

    They load what litellm only imports when it is called (for tools alone 250 modules, a second on the first question),
    the whole path of a request, and that of an error.
    """
    messages = [{"role": "user", "content": "warm up"}]
    stream = await litellm.acompletion(
        model="openai/gpt-4o", messages=messages, api_key="none", stream=True, mock_response="warm"
    )
    async for _ in stream:
        pass
    # Bound but not listening, so nothing can answer there.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for model in ("openai/gpt-4o", "anthropic/claude-sonnet-4-5"):
            await _refused(litellm, model, f"http://127.0.0.1:{closed.getsockname()[1]}")
    await litellm.close_litellm_async_clients()
    litellm.in_memory_llm_clients_cache.flush_cache()


async def _refused(litellm: Any, model: str, base: str) -> None:
    import openai

    tool: dict[str, Any] = {"name": "warm_up", "description": "", "parameters": {"type": "object", "properties": {}}}
    try:
        await litellm.acompletion(
            model=model,
            messages=[{"role": "user", "content": "warm up"}],
            tools=[{"type": "function", "function": tool}],
            api_key="none",
            api_base=base,
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=1,
            max_retries=0,
            num_retries=0,
            timeout=2,
        )
    except openai.OpenAIError as error:
        _logger.debug("warm-up: %s", type(error).__name__)
