"""The history that a request sends: what was said, with a summary in the place of what was compacted."""

from __future__ import annotations

from collections.abc import Sequence

from runner.messages import Message, UserMessage
from runner.state.run import RunState

SUMMARY_ID = "summary"
_SUMMARY = "(The earlier part of this conversation was summarised to save space. The summary:)\n\n{summary}"


def summary_message(summary: str) -> UserMessage:
    return UserMessage(text=_SUMMARY.format(summary=summary), message_id=SUMMARY_ID)


def effective_history(prior: Sequence[Message], state: RunState) -> list[Message]:
    """The session's earlier messages and this run's, as its next request sees them; nothing stored is changed.

    prior: what came before this run, itself already effective.
    """
    done = state.compacted
    if done is None:
        return [*prior, *state.history]
    own = list(state.history)[done.dropped :]
    if not done.prior_dropped:
        # A run that did not recall the session compacted only its own messages.
        return [*prior, summary_message(done.summary), *own]
    return [summary_message(done.summary), *prior[done.prior_dropped :], *own]
