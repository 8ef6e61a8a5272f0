"""What was asked to be told: costs, the state, sessions, a call, a conversation. Pure, and clean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from runner.state import CallItem, CommandItem, TextItem, UserItem
from tui.line_mode.cards import bar
from tui.render.clean import clean, visible
from tui.render.command_words import end_words
from tui.status import sentence
from tui.view import View, totals
from tui.words import ago, arguments, cost, count, cut, duration, one_line, tokens, window

if TYPE_CHECKING:
    from runner.state import Item, RunState
    from runner.store.base import SessionSummary

LAST_ITEMS = 12
"""Of an opened session."""

ID_SHOWN = 13


def cost_words(view: View) -> str:
    if view.run is None:
        return "nothing was used in this session yet"
    found = totals(view)
    usage = found.usage
    parts = [
        f"this run {cost(found.run_cost, estimated=found.run_estimated)}",
        f"session {cost(found.session_cost, estimated=found.session_estimated)}",
        *([f"plus {cost(found.inherited)} inherited"] if found.inherited.known or found.inherited.unknown else []),
        f"{tokens(usage.input)} tokens in ({tokens(usage.cached_input)} cached)",
        f"{tokens(usage.output)} out ({tokens(usage.reasoning)} reasoning)",
        f"context {tokens(found.context_used)} of {window(found.context_window)}",
        f"{duration(found.elapsed)} in all",
    ]
    return ", ".join(parts)


def status_words(view: View) -> str:
    found = sentence(view, lambda _action: "")
    messages = f"; {count(len(view.messages), 'message')} queued" if view.messages else ""
    return visible(one_line(f"{found.state}{messages}; model {view.model or 'not chosen yet'}"))


def queue_words(view: View) -> str:
    if not view.messages:
        return "no message waits for delivery"
    return "\n".join(f"{number}. {cut(one_line(clean(m.text)), 200)}" for number, m in enumerate(view.messages, 1))


def session_lines(found: Sequence[SessionSummary], current: str | None, now: datetime) -> list[str]:
    return [session_line(number, each, each.session_id == current, now) for number, each in enumerate(found, 1)]


def session_line(number: int, each: SessionSummary, here: bool, now: datetime) -> str:
    state = "running" if each.live else each.status
    title = cut(one_line(clean(each.title)), 60)
    facts = [title or "without a title", ago(each.updated, now), state, each.session_id[:ID_SHOWN]]
    return f"{number}. {', '.join(facts)}{' (open)' if here else ''}"


def conversation(runs: Sequence[RunState]) -> list[str]:
    """The end of a stored session."""
    items = [item for run in runs for item in (*run.settled, *run.live) if _is_told(item)]
    left = len(items) - LAST_ITEMS
    head = [f"({left} earlier parts: quarterdeck sessions show tells all)"] if left > 0 else []
    return [*head, *(line for item in items[-LAST_ITEMS:] for line in _item(item))]


def _is_told(item: Item) -> bool:
    return isinstance(item, UserItem | CallItem | CommandItem) or (
        isinstance(item, TextItem) and item.what != "reasoning"
    )


def _item(item: Item) -> Iterator[str]:
    match item:
        case UserItem(text=text):
            yield "> " + clean(text).replace("\n", "\n> ")
        case TextItem():
            yield clean(item.text) + (" [interrupted]" if item.interrupted else "")
        case CallItem():
            head = cut(f"{clean(item.tool)} {clean(arguments(item.arguments))}", 160)
            yield f"[{item.status or 'open'}] {one_line(head)}"
        case CommandItem():
            yield f"[{end_words(item)}] $ {cut(one_line(clean(item.command)), 160)}"
        case _:
            return


def call_text(call: CallItem) -> str:
    """All of a call, as it was asked for and as it ended."""
    from tui.screens.viewer import call_body, call_title

    return "\n".join([call_title(call).plain, *bar(clean(call_body(call).plain), whole=True)])
