"""Compaction: a model summarises the older history; always announced, and nothing stored is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

from runner.config import Compaction
from runner.errors import ModelError
from runner.events import CompactionFinished, CompactionStarted, Notification
from runner.loop.attempt import Attempt, note_closed, update_usage, usage_of
from runner.loop.core import EndRun, RunCore
from runner.loop.estimate import estimate_messages, estimate_text
from runner.loop.gate import end_if_stopping, pass_gate
from runner.loop.scope import run_scope
from runner.loop.spending import request_hit
from runner.loop.stream import consume
from runner.loop.summary import SUMMARY_INSTRUCTIONS, SUMMARY_TOKENS, outline, transcript
from runner.messages import AssistantMessage, Message, UserMessage
from runner.models.assemble import Assembly
from runner.models.base import Model, ModelRequest, ModelSettings
from runner.state.compacted import summary_message
from runner.usage import Usage

Cause: TypeAlias = Literal["threshold", "overflow", "user"]
LEAST_MESSAGES = 2
"""Fewer are not worth a summary."""


def can_compact(core: RunCore) -> bool:
    """Whether there is an older part at all, before the turns that stay."""
    return _split(core.history, _settings(core).keep_turns) >= LEAST_MESSAGES


def wanted_compaction(core: RunCore, model: Model, estimate: int, *, done: bool) -> Cause | None:
    """Why the history is to be summarised before the next request, or None. done: this turn has had its compaction."""
    requests = core.inbox.requests
    if requests.compact:
        requests.compact = False
        if can_compact(core):
            return "user"
        core.emitter.fact(Notification(text="there is nothing to summarise yet"))
    settings, window = core.config.compaction, model.info.context_window
    if settings is None or done or window is None or estimate <= settings.at * window:
        return None
    return "threshold" if can_compact(core) else None


async def compact(core: RunCore, model: Model, cause: Cause) -> bool:
    """Put a summary in the place of the older history. False where a command of the person came in between.

    Where the model cannot be asked, an outline made without it takes its place. Raises EndRun where the run ends.
    """
    history = core.history
    cut = _cut(core, model, history)
    request = _request(core, model, transcript(history[:cut], model.info.context_window))
    estimate = estimate_text(request.instructions) + estimate_messages(list(request.messages))
    await pass_gate(core, lambda: request_hit(core, model, estimate))
    before = estimate_messages(history)
    core.emitter.fact(
        CompactionStarted(
            tokens_before=before,
            cause=cause,
            model=model.info.name,
            provider=model.info.provider,
            price=model.price(Usage(input=estimate)),
            input_tokens_estimate=estimate,
        )
    )
    core.requests += 1
    started = core.clock.mono()
    attempt = Attempt(
        model=model, request=request, input_estimate=estimate, started=started, assembly=Assembly(), asked=True
    )
    try:
        outcome = await run_scope(core.inbox, consume(core, attempt, silent=True), what="request")
    except asyncio.CancelledError:
        _finish(core, attempt, before, "none", "")
        raise
    if isinstance(outcome, str):
        note_closed(core, attempt)
        _finish(core, attempt, before, "none", "")
        end_if_stopping(core)
        if outcome == "limit":
            await pass_gate(core, lambda: core.limit_hit)
            raise EndRun("aborted")
        return False
    summary = "".join(attempt.assembly.text).strip() if outcome is None else ""
    error = "" if outcome is None else _words(outcome)
    if summary:
        _finish(core, attempt, before, "model", summary, cut=cut)
    else:
        attempt.asked = outcome is None or attempt.assembly.characters > 0
        _finish(
            core, attempt, before, "outline", outline(history[:cut]), cut=cut, error=error or "the summary was empty"
        )
    return True


def _words(error: Exception) -> str:
    return (
        f"{error.type_name}: {error.message}" if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
    )


def _settings(core: RunCore) -> Compaction:
    return core.config.compaction or Compaction()


def _cut(core: RunCore, model: Model, history: Sequence[Message]) -> int:
    """How many messages the summary stands for: all but the last turns, and of those as many as leave room."""
    room = (model.info.context_window or 0) // 2
    keep = _settings(core).keep_turns
    cut = _split(history, keep)
    while room and keep > 1 and estimate_messages(list(history[cut:])) > room:
        keep -= 1
        cut = max(cut, _split(history, keep))
    return cut


def _split(history: Sequence[Message], keep: int) -> int:
    """The start of the last `keep` turns, with what the user said before them; of fewer where there are not so many."""
    answers = [index for index, message in enumerate(history) if isinstance(message, AssistantMessage)]
    for kept in range(min(keep, len(answers)), 0, -1):
        index = answers[-kept]
        while index > 0 and isinstance(history[index - 1], UserMessage):
            index -= 1
        if index >= LEAST_MESSAGES:
            return index
    return 0


def _request(core: RunCore, model: Model, text: str) -> ModelRequest:
    return ModelRequest(
        model=model.info.name,
        instructions=SUMMARY_INSTRUCTIONS,
        messages=[UserMessage(text=text)],
        settings=ModelSettings(max_tokens=min(SUMMARY_TOKENS, model.info.max_output or SUMMARY_TOKENS)),
        first_token_timeout=core.config.first_token_timeout,
        idle_timeout=core.config.stream_idle_timeout,
    )


def _finish(
    core: RunCore,
    attempt: Attempt,
    before: int,
    how: Literal["model", "outline", "none"],
    summary: str,
    *,
    cut: int = 0,
    error: str = "",
) -> None:
    """Record the one end of a compaction, and what it cost."""
    usage, source = usage_of(attempt) if attempt.asked else (Usage(), "reported")
    prior_dropped, dropped = _dropped(core, cut)
    after = before
    if cut:
        after = estimate_messages([summary_message(summary), *core.history[cut:]])
    core.emitter.fact(
        CompactionFinished(
            tokens_before=before,
            tokens_after=after,
            summary=summary,
            how=how,
            prior_dropped=prior_dropped,
            dropped=dropped,
            error=error,
            model=attempt.model.info.name,
            provider=attempt.model.info.provider,
            price=attempt.model.price(usage),
            usage=usage,
            cost_usd=attempt.model.cost(usage) if usage.total else Decimal(0),
            usage_source=source,
            seconds=core.clock.mono() - attempt.started,
        )
    )
    update_usage(core, attempt, after)


def _dropped(core: RunCore, cut: int) -> tuple[int, int]:
    """The first `cut` messages of the effective history, counted in what this run recalled and in its own."""
    if not cut:
        return 0, 0
    done = core.emitter.state.compacted
    prior_before, own_before = (0, 0) if done is None else (done.prior_dropped, done.dropped)
    if done is not None:
        # The summary so far is the first message, and is summarised with the rest.
        cut -= 1
    of_prior = min(cut, len(core.prior) - prior_before)
    return prior_before + of_prior, own_before + cut - of_prior
