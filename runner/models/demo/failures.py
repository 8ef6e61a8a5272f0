"""Saying honestly what did not happen, in the words of the result."""

from __future__ import annotations

from runner.models.demo.outcome import Outcome
from runner.models.demo.stage import block, shorten


def failure(outcome: Outcome, what: str) -> str:
    """what: the wish as an infinitive, such as "read a.txt"."""
    match outcome.status:
        case "denied":
            why = f" The reason I was given: “{outcome.reason}”." if outcome.reason else " No reason was given."
            return f"I was not allowed to {what}, so it did not happen.{why}"
        case "timeout":
            return f"I tried to {what}, and it took too long.\n\n{block(outcome.body)}"
        case "cancelled" | "interrupted":
            return f"I tried to {what}, and it was ended from outside. The result says: “{shorten(outcome.body, 300)}”"
        case "skipped":
            return f"I wanted to {what}, and it was not executed. The result says: “{shorten(outcome.body, 300)}”"
        case "invalid":
            return f"I wanted to {what}, and the call was refused before it ran: “{shorten(outcome.body, 300)}”"
        case "error" | "ok":
            return f"I tried to {what}, and it failed:\n\n{block(outcome.body)}"
