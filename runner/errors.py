"""Every error of the runner, under one root.

A model error carries what the loop needs to choose an action by type (never by a substring of a message):
see SEMANTICS section 7. Wording for people lives in the front ends; `fix` is the one exception, because only
the place that saw the error knows which variable or setting is missing.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Action = Literal["abort", "next_model", "retry", "compact", "repair", "end_refused", "tell_model"]
"""What the loop does first about an error; what follows when that is used up is the loop's table."""


class QuarterdeckError(Exception):
    """Root of all errors that this project raises on purpose."""


class ConfigError(QuarterdeckError):
    """A setting is wrong. `where` names the file and line, or the key, or the argument."""

    def __init__(self, message: str, *, where: str = "", expected: str = "") -> None:
        self.where = where
        self.expected = expected
        parts = [f"{where}: {message}" if where else message]
        if expected:
            parts.append(f"expected {expected}")
        super().__init__("; ".join(parts))


class InputError(QuarterdeckError):
    """The input of a run cannot be used (None, empty, wrong type, an invalid history)."""


class StoreError(QuarterdeckError):
    """The session store cannot be read or written."""


class NotFoundError(StoreError):
    """No session or run has this id."""


class SessionBusyError(StoreError):
    """The session is running in another live program."""


class CommandError(QuarterdeckError):
    """A command cannot be carried out now; nothing was changed."""


class ModelError(QuarterdeckError):
    """A request to a provider failed.

    status_code is the HTTP status, None where there was none. retry_after is in seconds.
    """

    action: ClassVar[Action] = "abort"
    type_name: ClassVar[str] = "model_error"

    def __init__(
        self,
        message: str,
        *,
        model: str = "",
        provider: str = "",
        status_code: int | None = None,
        retry_after: float | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.model = model
        self.provider = provider
        self.status_code = status_code
        self.retry_after = retry_after
        self.fix = fix


class AuthenticationError(ModelError):
    type_name = "authentication"


class PermissionDeniedError(ModelError):
    type_name = "permission"


class BillingError(ModelError):
    """Quota used up or no credit; waiting does not help."""

    action = "next_model"
    type_name = "billing"


class ModelNotFoundError(ModelError):
    action = "next_model"
    type_name = "model_not_found"


class RateLimitError(ModelError):
    action = "retry"
    type_name = "rate_limit"


class ServerError(ModelError):
    action = "retry"
    type_name = "server_error"


class OverloadedError(ModelError):
    action = "retry"
    type_name = "overloaded"


class NetworkError(ModelError):
    """No connection: refused, DNS failure, TLS failure."""

    action = "retry"
    type_name = "network"


class ModelTimeoutError(ModelError):
    """No first token in time, or the turn took too long."""

    action = "retry"
    type_name = "timeout"


class StreamBrokenError(ModelError):
    """The stream ended without a finish reason, or carried what is not the protocol."""

    action = "retry"
    type_name = "stream_broken"


class StreamIdleError(ModelError):
    """The stream went silent for longer than stream_idle_timeout."""

    action = "retry"
    type_name = "stream_idle"


class ContextOverflowError(ModelError):
    action = "compact"
    type_name = "context_overflow"


class InvalidRequestError(ModelError):
    action = "repair"
    type_name = "invalid_request"


class ContentFilterError(ModelError):
    action = "end_refused"
    type_name = "content_filter"


class DependencyError(ModelError):
    """A package is missing or broken here; never retried."""

    type_name = "dependency"


class InternalError(ModelError):
    """A bug of ours, surfaced instead of hidden; never retried."""

    type_name = "internal"


class ToolError(QuarterdeckError):
    """Raised by a tool to tell the model what went wrong, in words for the model."""


class ToolInputError(ToolError):
    """The arguments do not fit: unknown tool, not JSON, wrong types, a path outside the workspace."""


class ToolTimeoutError(ToolError):
    """The tool took longer than its timeout."""


class RunError(QuarterdeckError):
    """Raised for a failed run where on_error="raise"; `result` keeps what was produced."""

    def __init__(self, message: str, result: object = None) -> None:
        super().__init__(message)
        self.result = result


class MaxTurnsExceededError(RunError):
    pass


class BudgetExceededError(RunError):
    pass


class TokenLimitExceededError(RunError):
    pass


class TimeExceededError(RunError):
    pass


class RequestLimitExceededError(RunError):
    pass


class ToolCallLimitExceededError(RunError):
    pass


class ApprovalTerminatedError(RunError):
    pass


class RefusedError(RunError):
    pass


RUN_ERRORS: dict[str, type[RunError]] = {
    "max_turns_exceeded": MaxTurnsExceededError,
    "budget_exceeded": BudgetExceededError,
    "token_limit_exceeded": TokenLimitExceededError,
    "time_exceeded": TimeExceededError,
    "request_limit_exceeded": RequestLimitExceededError,
    "tool_call_limit_exceeded": ToolCallLimitExceededError,
    "approval_terminated": ApprovalTerminatedError,
    "refused": RefusedError,
}
"""The typed exception of each reason; a failed run with another reason raises RunError itself."""
