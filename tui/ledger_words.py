"""Requests of a session as lines of a ledger. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from runner.state import LedgerEntry, RunState
from runner.usage import Cost, Price, Usage
from tui import words
from tui.words import about, duration, money, tokens

LEGEND: Final = "~ is an estimate of ours; every other number was reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """place: its number within its run; run: the number of that run, from 1."""

    run: int
    run_id: str
    place: int
    entry: LedgerEntry

    @property
    def estimated(self) -> bool:
        return self.entry.source == "estimated" and self.entry.usage.total > 0


def ledger_rows(runs: Sequence[RunState]) -> list[LedgerRow]:
    """Every request that was paid for, oldest first; what the copied runs of a fork cost was paid elsewhere."""
    return [
        LedgerRow(run=number, run_id=run.run_id, place=place, entry=entry)
        for number, run in enumerate(runs, 1)
        if not run.inherited
        for place, entry in enumerate(run.ledger)
    ]


def number(row: LedgerRow, count: int) -> str:
    """Tokens, marked where they are an estimate; a blank where there are none."""
    if not count:
        return "0"
    return about(count) if row.estimated else tokens(count)


def new_tokens(usage: Usage) -> int:
    """Of the prompt, what was neither read from the cache nor written to it."""
    return max(0, usage.input - usage.cached_input - usage.cache_write)


def cost_of(row: LedgerRow) -> str:
    if row.entry.cost_usd is None:
        return "unknown"
    return f"{'~' if row.estimated and row.entry.cost_usd else ''}{money(row.entry.cost_usd)}"


def price_words(price: Price | None) -> str:
    """Dollars for a million tokens: in, out."""
    return "unknown" if price is None else f"{words.price(price.input)}/{words.price(price.output)}"


def why(entry: LedgerEntry) -> str:
    """What it was for, and why its answer is not used or not whole; "" for an ordinary answer."""
    purpose = {"turn": "", "compaction": "summary", "sampling": "for a server"}[entry.purpose]
    reason = entry.reason
    if entry.discarded:
        reason = f"discarded: {reason}" if reason else "discarded"
    elif reason == "interrupted":
        reason = "cut off, a part is kept"
    return " · ".join(filter(None, (purpose, reason)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    requests: int
    retries: int
    discarded: int
    discarded_cost: Cost
    estimated: int
    usage: Usage
    cost: Cost


def sums(rows: Sequence[LedgerRow]) -> Sums:
    usage, cost, discarded_cost = Usage(), Cost(), Cost()
    for row in rows:
        usage, cost = usage + row.entry.usage, cost.add(row.entry.cost_usd)
        if row.entry.discarded:
            discarded_cost = discarded_cost.add(row.entry.cost_usd)
    return Sums(
        requests=len(rows),
        retries=sum(row.entry.attempt > 1 and row.entry.purpose == "turn" for row in rows),
        discarded=sum(row.entry.discarded for row in rows),
        discarded_cost=discarded_cost,
        estimated=sum(row.estimated for row in rows),
        usage=usage,
        cost=cost,
    )


def sums_words(found: Sums) -> str:
    """The totals, in one line."""
    guess = found.estimated > 0
    shown = about if guess else tokens
    usage = found.usage
    parts = [
        words.count(found.requests, "request"),
        f"new {shown(new_tokens(usage))}",
        f"cached {shown(usage.cached_input)}",
        f"cache write {shown(usage.cache_write)}" if usage.cache_write else "",
        f"out {shown(usage.output)}",
        f"reasoning {shown(usage.reasoning)}" if usage.reasoning else "",
        f"cost {words.cost(found.cost, estimated=guess)}",
        words.count(found.retries, "retry", "retries") if found.retries else "",
        f"{found.discarded} discarded ({words.cost(found.discarded_cost)})" if found.discarded else "",
        f"{found.estimated} estimated" if found.estimated else "",
        f"{found.cost.unknown} of unknown price" if found.cost.unknown else "",
    ]
    return " · ".join(filter(None, parts))


def facts(row: LedgerRow) -> list[tuple[str, str]]:
    """All of one request: names and values."""
    entry, usage = row.entry, row.entry.usage
    price = entry.price
    source = "an estimate: the provider did not report it" if row.estimated else "reported by the provider"
    end = f"{entry.time.astimezone():%Y-%m-%d %H:%M:%S}"
    first = "unknown" if entry.first_token_seconds is None else duration(entry.first_token_seconds)
    found = [
        ("ended", f"{end}, after {duration(entry.seconds)}" if entry.seconds else end),
        ("place", f"run {row.run}, turn {entry.turn}, attempt {entry.attempt}"),
        ("model", f"{entry.model} of {entry.provider or 'an unknown provider'}, for {entry.agent or 'no agent'}"),
        ("what", why(entry) or "an answer that the turn went on with"),
        ("first", f"first token after {first}"),
        ("tokens", source),
        ("  new", _line(new_tokens(usage), None if price is None else price.input)),
        ("  cached", _line(usage.cached_input, _kind(price, "cached_input"))),
        ("  write", _line(usage.cache_write, _kind(price, "cache_write"))),
        ("  out", _line(usage.output, None if price is None else price.output)),
        ("", f"of which reasoning {usage.reasoning:,}"),
        ("cost", cost_of(row) if entry.cost_usd is None else f"{cost_of(row)} (exactly ${entry.cost_usd:f})"),
    ]
    return found


def _kind(price: Price | None, kind: str) -> Decimal | None:
    """A kind without a price of its own costs as input."""
    if price is None:
        return None
    own: Decimal | None = price.cached_input if kind == "cached_input" else price.cache_write
    return price.input if own is None else own


def _line(count: int, price: Decimal | None) -> str:
    if price is None:
        return f"{count:>11,}  at an unknown price"
    return f"{count:>11,}  at {words.price(price)} for a million: {money(price * count / 1_000_000)}"
