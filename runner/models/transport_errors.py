"""Every error that a request can end with, mapped to ours in one place, whichever client made the request.

litellm wraps what happened in classes that change from version to version (a refused connection, a missing key and
a real 500 can all be its InternalServerError), so the innermost cause decides: the HTTP response where there was one,
else the transport's error, else the type of what was raised.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from runner.errors import (
    AuthenticationError,
    DependencyError,
    InternalError,
    ModelError,
    ModelTimeoutError,
    NetworkError,
    StreamBrokenError,
)
from runner.models.error_text import bodies_of, clean, fields_of
from runner.models.provider_errors import Facts, Where, by_status, make_error, refusal, retry_after, valid_status

_OUR_BUGS: Final = (TypeError, AttributeError, NameError, LookupError, AssertionError, RecursionError)

_UNREADABLE: Final = (ValueError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What reading an answer of an unexpected shape can raise."""

Chain = tuple[BaseException, ...]


def map_error(error: BaseException, where: Where, *, streaming: bool = False) -> ModelError:
    """The error of ours for whatever a request raised. streaming: the provider had begun to answer."""
    if isinstance(error, ModelError):
        return error
    chain = tuple(_causes(error))
    codes, text, delay = fields_of(body for one in reversed(chain) for body in bodies_of(one))
    waits = retry_after(_headers(chain), where.now)
    facts = Facts(
        status=_status(chain),
        codes=codes,
        message=clean(text, where.secrets) or _own_words(chain, where.secrets),
        retry_after=delay if waits is None else waits,
        overflow=_any(chain, "litellm.ContextWindowExceededError"),
        filtered=_any(chain, "litellm.ContentPolicyViolationError"),
    )
    for one in chain:
        if isinstance(one, ImportError):
            text = f"a package is missing or broken here: {clean(str(one), where.secrets)}"
            return make_error(DependencyError, text, facts, where)
    if facts.status is not None:
        return refusal(facts, where)
    kind, message = _without_status(chain, facts, where, streaming=streaming)
    return make_error(kind, message, facts, where)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first, each once."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending and len(seen) < 20:
        current = pending.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        original = getattr(current, "original_exception", None)
        pending.append(original if isinstance(original, BaseException) else None)
        # httpcore's pool raises what it got once more "from None", which hides why there is no connection.
        hidden = current.__suppress_context__ and type(current).__module__.partition(".")[0] != "httpcore"
        pending.append(current.__cause__ or (None if hidden else current.__context__))
        if isinstance(current, BaseExceptionGroup):
            # A host with several addresses fails once for each of them.
            pending.extend(cast("BaseExceptionGroup[BaseException]", current).exceptions)


def _names(error: BaseException) -> set[str]:
    """`package.Class` for each class of an error, so that nothing has to be imported to know what it is."""
    return {f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}" for kind in type(error).__mro__}


def _any(chain: Chain, *names: str) -> bool:
    return any(_names(error) & set(names) for error in chain)


def _status(chain: Chain) -> int | None:
    """The status of the real response, else the innermost status that somebody wrote on an error or in its body."""
    real = next((error for error in reversed(chain) if "httpx.HTTPStatusError" in _names(error)), None)
    if real is not None:
        return valid_status(getattr(getattr(real, "response", None), "status_code", None))
    if _is_transport(chain):
        return None
    for error in reversed(chain):
        body: object = getattr(error, "body", None)
        inside = cast("Mapping[str, Any]", body).get("code") if isinstance(body, Mapping) else None
        found = valid_status(getattr(error, "status_code", None)) or valid_status(inside)
        if found is not None:
            return found
    return None


def _is_transport(chain: Chain) -> bool:
    names = ("httpx.RequestError", "aiohttp.ClientConnectionError", "aiohttp.ClientPayloadError")
    return _any(chain, *names, "openai.APIConnectionError") or any(isinstance(error, OSError) for error in chain)


def _headers(chain: Chain) -> dict[str, str]:
    """The response's headers in lower case, from the innermost error that has any."""
    for error in reversed(chain):
        response: object = getattr(error, "response", None)
        for owner in (response, error):
            for name in ("headers", "litellm_response_headers"):
                headers: object = getattr(owner, name, None)
                if isinstance(headers, Mapping) and headers:
                    pairs = cast("Mapping[object, object]", headers).items()
                    return {str(key).lower(): str(value) for key, value in pairs}
    return {}


def _own_words(chain: Chain, secrets: tuple[str, ...]) -> str:
    """The innermost text that is not the HTTP library's sentence about the status; "" where there is none."""
    for error in reversed(chain):
        if "httpx.HTTPStatusError" not in _names(error) and (text := clean(str(error), secrets)):
            return text
    return ""


def _without_status(chain: Chain, facts: Facts, where: Where, *, streaming: bool) -> tuple[type[ModelError], str]:
    place = where.endpoint or where.provider or "the provider"
    if any(isinstance(error, socket.gaierror) for error in chain) or _any(chain, "aiohttp.ClientConnectorDNSError"):
        return NetworkError, f"the host name of {place} is not found"
    failed_tls = any(isinstance(error, ssl.SSLError) for error in chain) or _any(chain, "aiohttp.ClientSSLError")
    if failed_tls and not streaming:
        return NetworkError, f"no secure connection to {place}: {_ssl_reason(chain)}"
    if any(isinstance(error, ConnectionRefusedError) for error in chain):
        return NetworkError, f"{place} refuses the connection"
    if _any(chain, "httpx.ConnectTimeout", "aiohttp.ConnectionTimeoutError"):
        return NetworkError, f"no connection to {place} in time"
    if _any(chain, "httpx.TimeoutException", "openai.APITimeoutError", "litellm.Timeout") or any(
        isinstance(error, TimeoutError) for error in chain
    ):
        return ModelTimeoutError, f"{place} did not answer in time"
    if _is_transport(chain):
        if streaming:
            return StreamBrokenError, f"the connection to {place} broke in the middle of the answer"
        return NetworkError, f"the connection to {place} failed before an answer came"
    if streaming and isinstance(chain[0], _UNREADABLE):
        return StreamBrokenError, "the provider sent something that is not its protocol"
    if facts.codes:
        return by_status(facts), facts.message
    if any(type(error).__qualname__ == "OpenAIError" and "openai.OpenAIError" in _names(error) for error in chain):
        # The SDK raises its bare root class for one thing only: no credentials.
        return AuthenticationError, f"there is no key for {where.provider or 'this provider'}"
    culprit = next((error for error in reversed(chain) if isinstance(error, _OUR_BUGS)), chain[-1])
    return (
        InternalError,
        f"the request could not be made: {type(culprit).__name__}: {clean(str(culprit), where.secrets)}",
    )


def _ssl_reason(chain: Chain) -> str:
    for error in reversed(chain):
        reason = getattr(error, "verify_message", "") or getattr(error, "reason", "")
        if reason:
            return str(reason).replace("_", " ").lower()
    return "TLS failed"
