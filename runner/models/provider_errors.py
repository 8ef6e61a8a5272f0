"""What a provider's refusal means: one error of ours for each answer with an error in it, whichever client got it.

The code in the body decides where there is one, because several statuses mean several things; then the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from runner.errors import (
    AuthenticationError,
    BillingError,
    ContentFilterError,
    ContextOverflowError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    NetworkError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from runner.models.error_text import clean, fields_of, json_inside

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
_RATE: Final = frozenset({"rate_limit_exceeded", "rate_limit_error"})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the mapping needs to know of the request. secrets: values that must not appear in a message."""

    model: str
    provider: str = ""
    key_fix: str = ""
    endpoint: str = ""
    secrets: tuple[str, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a refusal. codes: the body's code, type and status, in lower case; message: clean, or "".

    overflow, filtered: a library that stands between has recognised it already.
    """

    status: int | None = None
    codes: frozenset[str] = frozenset()
    message: str = ""
    retry_after: float | None = None
    overflow: bool = False
    filtered: bool = False


def answer_error(status: int, headers: Mapping[str, str], body: str, where: Where) -> ModelError:
    """The error for an answer whose status is not 200. headers: with names in lower case."""
    found = json_inside(body)
    codes, text, delay = fields_of([found] if found is not None else [])
    if 300 <= status < 400:
        return _redirected(status, headers, where)
    waits = retry_after(headers, where.now)
    facts = Facts(
        status=status,
        codes=codes,
        message=clean(text, where.secrets) or clean(body, where.secrets),
        retry_after=delay if waits is None else waits,
    )
    return refusal(facts, where)


def _redirected(status: int, headers: Mapping[str, str], where: Where) -> ModelError:
    """Never followed: the key would go to an address that nobody configured."""
    target = clean(headers.get("location", ""), where.secrets)
    return InvalidRequestError(
        f"{where.endpoint or where.provider} sends us elsewhere" + (f", to {target}" if target else ""),
        model=where.model,
        provider=where.provider,
        status_code=status,
        fix="set the address to where the server really is",
    )


def stream_error(body: Mapping[str, Any], where: Where) -> ModelError:
    """The error for an object in the stream that tells of one; a provider that failed midway is asked again."""
    codes, text, delay = fields_of([body])
    inner: object = body.get("error")
    status = valid_status(body.get("code"))
    if isinstance(inner, Mapping):
        status = valid_status(inner.get("code")) or status  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    elif isinstance(inner, str):
        text = text or inner
    facts = Facts(status=status, codes=codes, message=clean(text, where.secrets), retry_after=delay)
    return refusal(facts, where)


def refusal(facts: Facts, where: Where) -> ModelError:
    """The error for an answer that says no, in the provider's own words where it had some."""
    name = where.provider or "the provider"
    plain = f"{name} answered with status {facts.status}" if facts.status else f"{name} broke off its answer"
    return make_error(by_status(facts), facts.message or plain, facts, where)


def make_error(kind: type[ModelError], message: str, facts: Facts, where: Where) -> ModelError:
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


def valid_status(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 300 <= value < 600 else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
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


def by_status(facts: Facts) -> type[ModelError]:
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
    if facts.status is None:
        return RateLimitError if facts.codes & _RATE else ServerError
    status = facts.status
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


def _bad_request(facts: Facts) -> type[ModelError]:
    if facts.overflow or _says(facts, _OVERFLOW_WORDS):
        return ContextOverflowError
    if facts.filtered:
        return ContentFilterError
    if _says(facts, _QUOTA_WORDS):
        return BillingError
    if _says(facts, _MODEL_WORDS):
        return ModelNotFoundError
    if _says(facts, _KEY_WORDS):
        return AuthenticationError
    return InvalidRequestError


def _says(facts: Facts, words: tuple[str, ...]) -> bool:
    text = facts.message.lower()
    return any(word in text for word in words)
