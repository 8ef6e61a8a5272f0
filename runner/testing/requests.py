"""Every request that a double of this package gets is one that each provider would take, or the test fails."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from runner.messages import Message, ToolResult, UserMessage
from runner.models.base import ModelRequest
from runner.models.project import check_request, project
from runner.models.providers import Dialect
from runner.testing.invariants import check_history

_TARGETS: Final[tuple[tuple[Dialect, str], ...]] = (
    ("openai", "openai/gpt-4o"),
    ("anthropic", "anthropic/claude-sonnet-4-5"),
    ("gemini", "gemini/gemini-2.5-pro"),
    ("mistral", "mistral/mistral-large-latest"),
)
_WHOLE: Final = 60
"""Messages up to which a history is checked whole each time."""
_GROWTH: Final = 1.5
"""A longer one is checked whole again when it has grown by this factor; in between only its end is."""

_OPENING: Final = UserMessage(text="(the start is left out)")

_found: list[str] = []


class InvalidRequestAssertion(AssertionError):
    """A request that some provider would refuse."""


def invalid_requests() -> list[str]:
    """What was wrong with the requests of this program so far; an error that a run has swallowed is found here too."""
    return list(_found)


@contextmanager
def expecting_invalid() -> Generator[list[str]]:
    """For a test that sends invalid requests on purpose: what was wrong with them, kept out of `invalid_requests`."""
    before = len(_found)
    seen: list[str] = []
    try:
        yield seen
    finally:
        seen.extend(_found[before:])
        del _found[before:]


class RequestCheck:
    """One conversation's requests. checked: messages looked at so far, which grow with the conversation, not with its
    square.
    """

    def __init__(self) -> None:
        self.checked = 0
        self._whole_at = 0

    def assert_valid(self, request: ModelRequest) -> None:
        """Raises InvalidRequestAssertion with all that is wrong, and remembers it."""
        broken = self.check(request)
        if broken:
            _found.extend(broken)
            raise InvalidRequestAssertion("\n".join(broken))

    def check(self, request: ModelRequest) -> list[str]:
        """What is wrong with the history of this request, and what each dialect's provider would refuse in it."""
        messages = self._part(request.messages)
        self.checked += len(messages)
        found = check_history(messages)
        for dialect, model in _TARGETS:
            found += [f"{dialect}: {what}" for what in _check(messages, request, dialect, model)]
        return found

    def _part(self, messages: Sequence[Message]) -> Sequence[Message]:
        if len(messages) <= _WHOLE or not self._whole_at < len(messages) < self._whole_at * _GROWTH:
            self._whole_at = len(messages)
            return messages
        # Never from a result on, which would stand there without its call.
        start = len(messages) - _WHOLE
        while start < len(messages) and isinstance(messages[start], ToolResult):
            start += 1
        return [_OPENING, *messages[start:]]


def _check(messages: Sequence[Message], request: ModelRequest, dialect: Dialect, model: str) -> list[str]:
    if not messages:
        return ["there is no message"]
    sent = project(messages, dialect, model, instructions=request.instructions, bare=request.repair)
    return check_request(sent, dialect)
