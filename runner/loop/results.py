"""The result and the receipt: both only read what was recorded."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

from runner.errors import StoreError
from runner.events import ErrorInfo
from runner.loop.core import RunCore
from runner.messages import JsonObject
from runner.result import ModelUsage, RunResult
from runner.state import LedgerEntry
from runner.usage import Cost, Usage


def make_result(core: RunCore, store_problem: StoreError | None) -> RunResult:
    state = core.emitter.state
    error = state.error
    if error is None and store_problem is not None:
        error = ErrorInfo(type="store", message=str(store_problem), action="none")
    return RunResult(
        run_id=state.run_id,
        session_id=state.session_id,
        status=state.status,
        reason=state.reason or "error",
        final_output=state.final_output,
        error=error,
        turn_count=state.turns_accepted,
        elapsed_seconds=state.seconds,
        active_seconds=state.active_seconds,
        tool_calls=state.tool_calls,
        model_responses=state.turns_accepted,
        history=tuple(core.history),
        usage=state.usage,
        cost_usd=state.cost.total,
        usage_by_model=usage_by_model(tuple(state.ledger)),
        ledger=tuple(state.ledger),
        last_agent=state.agent,
        receipt=state.receipt,
        metadata=core.config.metadata,
    )


def usage_by_model(ledger: tuple[LedgerEntry, ...]) -> dict[str, ModelUsage]:
    """Sums over the ledger, discarded attempts included."""
    usage: dict[str, Usage] = {}
    cost: dict[str, Cost] = {}
    count: dict[str, int] = {}
    for entry in ledger:
        usage[entry.model] = usage.get(entry.model, Usage()) + entry.usage
        cost[entry.model] = cost.get(entry.model, Cost()).add(entry.cost_usd)
        count[entry.model] = count.get(entry.model, 0) + 1
    return {model: ModelUsage(usage=usage[model], cost_usd=cost[model].total, requests=count[model]) for model in usage}


def receipt_of(core: RunCore) -> JsonObject:
    """What an abort closed and may have left behind, as JSON."""
    state = core.emitter.state
    total: Decimal | None = state.cost.total
    cut = {tool["call_id"] for tool in core.receipt.tools}
    of_calls = [end for end in core.receipt.processes if end.call_id in cut]
    return {
        "requests": core.receipt.requests,
        "processes": [asdict(end) for end in (*of_calls, *core.receipt.commands, *core.receipt.background)],
        "still_running": core.receipt.still_running,
        "tools": core.receipt.tools,
        "cost_usd": None if total is None else str(total),
        "estimated": any(entry.source == "estimated" for entry in state.ledger),
    }
