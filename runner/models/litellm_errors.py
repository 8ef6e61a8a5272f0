"""Every error that a request can end with, mapped to ours in one place.

litellm wraps what happened in classes that change from version to version (a refused connection, a missing key and
a real 500 can all be its InternalServerError), so the innermost cause decides: the HTTP response where there was one,
else the transport's error, else the type of what was raised.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

from runner.errors import (
    AuthenticationError,
    BillingError,
    ContentFilterError,
    ContextOverflowError,
    DependencyError,
    InternalError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    NetworkError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StreamBrokenError,
)
from runner.models.error_text import clean, error_fields

# Codes and types that providers put into the body of an error. They are data of the protocol, not wording.
_QUOTA: Final = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached", "insufficient_balance"})
_OVERFLOW: Final = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "request_too_large", "model_max_prompt_tokens_exceeded"}
)
_FILTERED: Final = frozenset(
    {"content_filter", "content_policy_violation", "moderation_blocked", "data_inspection_failed"}
)
_UNKNOWN_MODEL: Final = frozenset({"model_not_found", "model_decommissioned", "invalid_model", "model_not_available"})
_BAD_KEY: Final = frozenset({"invalid_api_key", "authentication_error", "api_key_invalid"})
_OVERLOADED: Final = frozenset({"overloaded_error", "overloaded"})

# These providers say it in words only, under a plain 400; nothing but such a 400 is ever compared with them.
_OVERFLOW_WORDS: Final = (
    "maximum context length",
    "context window",
    "context length exceeded",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "exceeds the available context size",
    "input is too long",
    "too many tokens",
)
_QUOTA_WORDS: Final = ("credit balance is too low",)
_MODEL_WORDS: Final = ("is not a valid model id", "model does not exist", "no such model")
_KEY_WORDS: Final = ("api key not valid",)

_OUR_BUGS: Final = (TypeError, AttributeError, NameError, LookupError, AssertionError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the mapping needs to know of the request. secrets: values that must not appear in a message."""

    model: str
    provider: str = ""
    key_fix: str = ""
    endpoint: str = ""
    secrets: tuple[str, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the chain of causes says. codes: the body's code, type and status, in lower case."""

    chain: tuple[BaseException, ...]
    status: int | None
    codes: frozenset[str]
    message: str
    retry_after: float | None


def map_error(error: BaseException, where: Where, *, streaming: bool = False) -> ModelError:
    """The error of ours for whatever a request raised. streaming: the provider had begun to answer."""
    if isinstance(error, ModelError):
        return error
    chain = tuple(_causes(error))
    headers = _headers(chain)
    status = _status(chain)
    codes, text, detail_delay = error_fields(chain)
    facts = _Facts(
        chain=chain,
        status=status,
        codes=codes,
        message=clean(text, where.secrets) or _own_words(chain, where.secrets),
        retry_after=_retry_after(headers, where.now) or detail_delay,
    )
    kind, message = _classify(facts, where, streaming=streaming)
    fix = where.key_fix if kind in (AuthenticationError, PermissionDeniedError, BillingError) else _fix(kind, where)
    return kind(
        message,
        model=where.model,
        provider=where.provider,
        status_code=facts.status if kind is not NetworkError else None,
        retry_after=facts.retry_after,
        fix=fix,
    )


def _fix(kind: type[ModelError], where: Where) -> str:
    if kind is NetworkError and where.endpoint:
        return f"is the server at {where.endpoint} running and reachable?"
    if kind is ModelNotFoundError:
        return "choose another model: `quarterdeck models` lists the known names"
    return ""


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
        pending.append(current.__cause__ or (None if current.__suppress_context__ else current.__context__))


def _names(error: BaseException) -> set[str]:
    """`package.Class` for each class of an error, so that nothing has to be imported to know what it is."""
    return {f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}" for kind in type(error).__mro__}


def _any(chain: tuple[BaseException, ...], *names: str) -> BaseException | None:
    return next((error for error in reversed(chain) if _names(error) & set(names)), None)


def _valid_status(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 300 <= value < 600 else None


def _status(chain: tuple[BaseException, ...]) -> int | None:
    """The status of the real response, else the innermost status that somebody wrote on an error or in its body."""
    real = _any(chain, "httpx.HTTPStatusError")
    if real is not None:
        return _valid_status(getattr(getattr(real, "response", None), "status_code", None))
    if _is_transport(chain):
        return None
    for error in reversed(chain):
        body: object = getattr(error, "body", None)
        inside = cast("Mapping[str, Any]", body).get("code") if isinstance(body, Mapping) else None
        found = _valid_status(getattr(error, "status_code", None)) or _valid_status(inside)
        if found is not None:
            return found
    return None


def _is_transport(chain: tuple[BaseException, ...]) -> bool:
    names = ("httpx.TransportError", "aiohttp.ClientConnectionError", "aiohttp.ClientPayloadError")
    return _any(chain, *names, "openai.APIConnectionError") is not None or any(
        isinstance(error, OSError) for error in chain
    )


def _headers(chain: tuple[BaseException, ...]) -> dict[str, str]:
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


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait as the provider asks, from seconds, milliseconds or an HTTP date (RFC 9110, 10.2.3)."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if not value:
            continue
        try:
            seconds = float(value) * scale
        except ValueError:
            try:
                moment = parsedate_to_datetime(value)
            except ValueError:
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            seconds = (moment - now).total_seconds()
        if seconds == seconds and seconds != float("inf"):
            return max(0.0, seconds)
    return None


def _own_words(chain: tuple[BaseException, ...], secrets: tuple[str, ...]) -> str:
    """The innermost text that is not the HTTP library's sentence about the status; "" where there is none."""
    for error in reversed(chain):
        if "httpx.HTTPStatusError" not in _names(error) and (text := clean(str(error), secrets)):
            return text
    return ""


def _classify(facts: _Facts, where: Where, *, streaming: bool) -> tuple[type[ModelError], str]:
    for error in facts.chain:
        if isinstance(error, ImportError):
            return DependencyError, f"a package is missing or broken here: {clean(str(error), where.secrets)}"
    if facts.status is None:
        return _without_status(facts, where, streaming=streaming)
    name = where.provider or "the provider"
    kind = _by_status(facts)
    return kind, facts.message or f"{name} answered with status {facts.status}"


def _without_status(facts: _Facts, where: Where, *, streaming: bool) -> tuple[type[ModelError], str]:
    chain = facts.chain
    place = where.endpoint or where.provider or "the provider"
    if any(isinstance(error, socket.gaierror) for error in chain) or _any(chain, "aiohttp.ClientConnectorDNSError"):
        return NetworkError, f"the host name of {place} is not found"
    if any(isinstance(error, ssl.SSLError) for error in chain) or _any(chain, "aiohttp.ClientSSLError"):
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
    if streaming and isinstance(chain[0], ValueError | RuntimeError | LookupError | TypeError):
        return StreamBrokenError, "the provider sent something that is not its protocol"
    if facts.codes:
        return _by_status(facts), facts.message
    if any(type(error).__qualname__ == "OpenAIError" and "openai.OpenAIError" in _names(error) for error in chain):
        # The SDK raises its bare root class for one thing only: no credentials.
        return AuthenticationError, f"there is no key for {where.provider or 'this provider'}"
    culprit = next((error for error in reversed(chain) if isinstance(error, _OUR_BUGS)), chain[-1])
    return (
        InternalError,
        f"the request could not be made: {type(culprit).__name__}: {clean(str(culprit), where.secrets)}",
    )


def _ssl_reason(chain: tuple[BaseException, ...]) -> str:
    for error in reversed(chain):
        reason = getattr(error, "verify_message", "") or getattr(error, "reason", "")
        if reason:
            return str(reason).replace("_", " ").lower()
    return "TLS failed"


def _says(facts: _Facts, words: tuple[str, ...]) -> bool:
    text = facts.message.lower()
    return any(word in text for word in words)


def _by_status(facts: _Facts) -> type[ModelError]:
    """By the codes in the body first, because several statuses mean several things, then by the status."""
    special: tuple[tuple[frozenset[str], type[ModelError]], ...] = (
        (_OVERFLOW, ContextOverflowError),
        (_FILTERED, ContentFilterError),
        (_UNKNOWN_MODEL, ModelNotFoundError),
        (_QUOTA, BillingError),
        (_BAD_KEY, AuthenticationError),
        (_OVERLOADED, OverloadedError),
    )
    for codes, kind in special:
        if facts.codes & codes:
            return kind
    status = facts.status or 500
    if status in (400, 422):
        return _bad_request(facts)
    if status == 429:
        # Google's daily quota is a 429 too, but no wait within a run brings it back.
        return BillingError if any("perday" in code for code in facts.codes) else RateLimitError
    fixed: dict[int, type[ModelError]] = {
        401: AuthenticationError,
        402: BillingError,
        403: PermissionDeniedError,
        404: ModelNotFoundError,
        408: ModelTimeoutError,
        409: ServerError,
        413: ContextOverflowError,
        503: OverloadedError,
        529: OverloadedError,
    }
    if status in fixed:
        return fixed[status]
    return ServerError if status >= 500 else InvalidRequestError


def _bad_request(facts: _Facts) -> type[ModelError]:
    if _any(facts.chain, "litellm.ContextWindowExceededError") or _says(facts, _OVERFLOW_WORDS):
        return ContextOverflowError
    if _any(facts.chain, "litellm.ContentPolicyViolationError"):
        return ContentFilterError
    if _says(facts, _QUOTA_WORDS):
        return BillingError
    if _says(facts, _MODEL_WORDS):
        return ModelNotFoundError
    if _says(facts, _KEY_WORDS):
        return AuthenticationError
    return InvalidRequestError
