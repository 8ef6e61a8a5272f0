"""Errors in words for people, by their type."""

from __future__ import annotations

from typing import Final

from runner.events import ErrorInfo
from tui import words
from tui.render.clean import Clean, clean

_SENTENCES: Final = {
    "authentication": "the provider does not accept the key",
    "permission": "the provider does not permit this",
    "billing": "no credit or quota is left",
    "model_not_found": "the provider does not know the model",
    "rate_limit": "the provider's rate limit is reached",
    "server_error": "the provider has a fault",
    "overloaded": "the provider is overloaded",
    "network": "the provider cannot be reached",
    "timeout": "the provider did not answer in time",
    "stream_broken": "the answer broke off",
    "stream_idle": "the answer went silent",
    "context_overflow": "the conversation is too long for the model",
    "invalid_request": "the provider rejects the request",
    "content_filter": "a content filter refused",
    "dependency": "a package is missing or broken",
    "internal": "a fault in Quarterdeck",
}

_SHORT: Final = {
    "authentication": "key not accepted",
    "permission": "not permitted",
    "billing": "no credit left",
    "model_not_found": "model not known",
    "rate_limit": "rate limit",
    "server_error": "provider's fault",
    "overloaded": "provider overloaded",
    "network": "provider not reached",
    "timeout": "no answer in time",
    "stream_broken": "answer broke off",
    "stream_idle": "answer went silent",
    "context_overflow": "history too long",
    "invalid_request": "request rejected",
    "content_filter": "content filter",
    "dependency": "package broken",
    "internal": "fault in Quarterdeck",
    "model_switched": "another model was chosen",
    "settings_changed": "other settings were chosen",
}


def error_short(kind: str) -> Clean:
    """The kind of an error in a few words."""
    return clean(_SHORT.get(kind) or words.one_line(kind.replace("_", " ")) or "error")


def error_words(error: ErrorInfo) -> Clean:
    """What went wrong: the kind in words, the status, and what the provider or tool said."""
    known = _SENTENCES.get(error.type)
    said = words.one_line(error.message)
    kind = known or (error.type.replace("_", " ") if error.type else "error")
    status = f" ({error.status_code})" if error.status_code is not None else ""
    return clean(f"{kind}{status}: {said}" if said else f"{kind}{status}")
