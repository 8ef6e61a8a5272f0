"""A session as text: its event lines, or a page to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from runner.events import CompactionFinished, ErrorInfo, Event, MessageDelivered, RunStarted
from runner.messages import JsonObject
from runner.state import CallItem, CommandItem, EventItem, Item, RunState, TextItem, UserItem
from runner.store.base import SessionSummary
from runner.store.redact import Redactor
from runner.store.tally import title_of

# C1 controls are written as escapes: json leaves them as they are, and some terminals obey them.
_ESCAPED = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}

_DIRECTIONS = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_VISIBLE = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    **{code: f"<U+{code:04X}>" for code in _DIRECTIONS},
    0x7F: "\u2421",
}


def jsonl(lines: Iterable[bytes], redactor: Redactor | None) -> Iterator[str]:
    """One stored fact a line. Lines that are no JSON must be left out by the caller."""
    for line in lines:
        text = (line if redactor is None else redactor.json(line)).decode("utf-8", "replace")
        yield text.translate(_ESCAPED) + "\n"


def markdown(summary: SessionSummary, runs: Iterable[RunState], redactor: Redactor | None) -> Iterator[str]:
    """A page to read. Control and direction-changing characters are shown as what they are."""
    for block in _blocks(summary, runs):
        text = block if redactor is None else redactor.text(block)
        yield plain(text) + "\n\n"


def plain(text: str) -> str:
    """Text of which everything is seen: what is not, is shown as a mark."""
    return text.encode("utf-8", "replace").decode().translate(_VISIBLE)


def _blocks(summary: SessionSummary, runs: Iterable[RunState]) -> Iterator[str]:
    listed = list(runs)
    yield f"# {summary.name or title_of_runs(listed) or 'Untitled session'}"
    cost = "unknown" if summary.cost_usd is None else f"{summary.cost_usd:f} US dollars"
    facts = {
        "Session": summary.session_id,
        "Begun": summary.created.isoformat(timespec="seconds"),
        "Agent": summary.agent,
        "Models": ", ".join(summary.models),
        "Workspace": summary.workspace,
        "Tokens": f"{summary.usage.input} in, {summary.usage.output} out",
        "Cost": cost,
        "Tags": ", ".join(summary.tags),
        "Forked from": f"session {summary.forked_from}, after turn {summary.forked_turn}"
        if summary.forked_from
        else "",
    }
    yield "\n".join(f"- {name}: {value}" for name, value in facts.items() if value)
    if summary.note:
        yield "\n".join(f"> {line}" for line in summary.note.split("\n"))
    inherited = False
    for state in listed:
        if state.inherited != inherited:
            inherited = state.inherited
            yield "*From the session that this one was forked from:*" if inherited else "*From here on its own:*"
        for item in (*state.settled, *state.live):
            yield from _item(item)
        if state.finished:
            yield f"*Run {state.run_id} ended: {state.status} ({state.reason}).*"
        else:
            yield f"*Run {state.run_id} has no end yet.*"


def title_of_runs(runs: list[RunState]) -> str:
    """Made again from the masked text: the stored title is cut, perhaps in the middle of a secret."""
    items = (item for state in runs for item in state.settled)
    return next((title for item in items if isinstance(item, UserItem) and (title := title_of(item.text))), "")


def _item(item: Item) -> Iterator[str]:
    match item:
        case UserItem(text=text, queued=queued, by=by):
            who = "The runner" if by == "runner" else "You"
            yield f"## {who} (not delivered)" if queued else f"## {who}"
            yield text
        case TextItem(what="reasoning"):
            yield f"<details><summary>Reasoning</summary>\n\n{_fence(item.text)}\n\n</details>"
        case TextItem():
            yield f"## {item.model or 'Answer'}{' (interrupted)' if item.interrupted or item.live else ''}"
            yield item.text
        case CallItem():
            yield from _call(item)
        case CommandItem():
            yield from _command(item)
        case EventItem(event=CompactionFinished(summary=summary)) if summary:
            title = "What came before, summed up for the model"
            yield f"<details><summary>{title}</summary>\n\n{_fence(summary)}\n\n</details>"
        case EventItem(event=event):
            text = event_words(event)
            if text:
                yield f"*{text}*"


def _call(call: CallItem) -> Iterator[str]:
    status = call.status or call.phase
    yield f"### {call.tool}: {status}, {call.seconds:.1f} s"
    arguments = call.arguments if isinstance(call.arguments, str) else _pretty(call.arguments)
    yield _fence(arguments or "".join(call.written), "json")
    approval = call.approval
    if approval is not None and approval.decision:
        reason = f": {approval.reason}" if approval.reason else ""
        yield f"*Decision: {approval.decision} by {approval.by}{reason}.*"
    output = call.output or "".join(call.live_output)
    if output:
        yield _fence(output)
    if call.artifact:
        yield f"*The whole output is artifact {call.artifact}.*"


def _command(item: CommandItem) -> Iterator[str]:
    end = item.status or "running"
    if item.exit_code is not None:
        end = f"exit code {item.exit_code}"
    yield f"### You ran a shell command: {end}, {item.seconds:.1f} s"
    yield _fence(item.command, "sh")
    output = item.output or "".join(item.live_output)
    if output:
        yield _fence(output)
    if item.artifact:
        yield f"*The whole output is artifact {item.artifact}.*"
    if item.share:
        yield "*The model was given this.*"


def event_words(event: Event) -> str:
    """An event in a few words; what a run's items already say is left out."""
    if event.kind in ("run_finished", "status_changed") or isinstance(event, RunStarted | MessageDelivered):
        return ""
    words = event.kind.replace("_", " ")
    details = [
        f"{name} {value}"
        for name in ("by", "old", "new", "cause", "reason", "limit", "used", "value", "delay", "level", "text")
        if (value := getattr(event, name, None)) not in (None, "")
    ]
    error = getattr(event, "error", None)
    if isinstance(error, ErrorInfo):
        details.append(f"{error.type}: {error.message}")
    return f"{words} ({', '.join(details)})" if details else words


def _pretty(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _fence(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
