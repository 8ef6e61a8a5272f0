"""A session as one page of HTML: it runs nothing, loads nothing, and is read in light or dark, wide or narrow."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final, cast

from runner.events import CompactionFinished
from runner.importing.steps import NAMES
from runner.messages import JsonObject
from runner.state import CallItem, CommandItem, EventItem, Item, RunState, TextItem, UserItem
from runner.store.base import SessionSummary
from runner.store.export import event_words, plain, title_of_runs
from runner.store.export_picture import picture
from runner.store.export_style import STYLE

if TYPE_CHECKING:
    from datetime import datetime

    from markdown_it import MarkdownIt

    from runner.store.redact import Redactor

_POLICY: Final = "default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'"
_SCHEMES: Final = ("https://", "http://", "mailto:")

LISTED_FROM: Final = 4
"""Messages of the person from which they are listed at the top, with links to where they stand."""

_SIGNS: Final = {"+": "add", "-": "del", "@": "hunk"}


def html(summary: SessionSummary, runs: Iterable[RunState], redactor: Redactor | None) -> Iterator[str]:
    """The page in pieces. redactor: took the secrets out of every event; None where nothing was masked."""
    listed = list(runs)
    mask = _same if redactor is None else redactor.text
    title = _text(mask(summary.name or title_of_runs(listed) or "Untitled session"))
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest=digest)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    yield _marks(summary)
    yield _facts(summary, listed)
    yield picture([state for state in listed if not state.inherited])
    yield _asked(listed, mask)
    page = _Page(mask)
    for inherited, group in groupby(listed, key=lambda state: state.inherited):
        if inherited:
            yield f'<details class="inherited"><summary class="note">{_from(summary)}</summary>\n'
        for state in group:
            yield from page.run(state)
        if inherited:
            yield "</details>\n"
    yield _footer(summary, masked=redactor is not None)


def _same(text: str) -> str:
    return text


def _marks(summary: SessionSummary) -> str:
    """What a person wrote about the session."""
    tags = "".join(f'<span class="tag">{_text(tag)}</span>' for tag in summary.tags)
    note = f'<blockquote class="said">{_text(summary.note)}</blockquote>\n' if summary.note else ""
    return (f"<p>{tags}</p>\n" if tags else "") + note


def _from(summary: SessionSummary) -> str:
    origin = f" {_text(summary.forked_from)}" if summary.forked_from else ""
    return f"What came before, from the session{origin} that this one was forked from"


def _facts(summary: SessionSummary, runs: Sequence[RunState]) -> str:
    cost = "unknown" if summary.cost_usd is None else f"{summary.cost_usd:f} US dollars"
    usage = summary.usage
    forked = f"session {summary.forked_from}, after turn {summary.forked_turn}" if summary.forked_from else ""
    cached = f" ({usage.cached_input:,} of them from the cache)" if usage.cached_input else ""
    facts = {
        "Session": summary.session_id,
        "Imported from": NAMES.get(summary.imported, summary.imported),
        "Forked from": forked,
        "Begun": summary.created.isoformat(sep=" ", timespec="seconds"),
        "Agent": summary.agent,
        "Models": ", ".join(summary.models),
        "Folder": summary.workspace,
        "Turns": f"{summary.turns} (runs: {len(runs)}, tool calls: {summary.tool_calls})",
        "Tokens": f"{usage.input:,} in{cached}, {usage.output:,} out",
        "Cost": cost,
    }
    rows = (f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts.items() if value)
    return f"<dl>{''.join(rows)}</dl>\n"


def _asked(runs: Sequence[RunState], mask: Callable[[str], str]) -> str:
    """The person's messages as a list of links; "" where there are few."""
    said = [item for state in runs for item in (*state.settled, *state.live) if isinstance(item, UserItem)]
    if len(said) < LISTED_FROM:
        return ""
    lines = (
        f'<li><a href="#m{number}">{_text(_short(mask(item.text))) or "…"}</a></li>'
        for number, item in enumerate(said, 1)
    )
    return (
        f'<nav><details><summary class="note">{len(said)} messages</summary><ol>{"".join(lines)}</ol></details></nav>\n'
    )


def _ending(state: RunState) -> str:
    if not state.finished:
        return '<p class="note bad">This run has no end yet.</p>\n'
    if state.reason == "complete":
        return ""
    reason = escape(str(state.reason).replace("_", " "))
    return f'<p class="note bad">This run ended: {escape(state.status)} ({reason}).</p>\n'


def _footer(summary: SessionSummary, *, masked: bool) -> str:
    secrets = "What looked like a secret is masked." if masked else "Nothing was masked: secrets may be in this page."
    hidden = "Characters that could not be seen are shown as marks."
    return f"<footer><p>{secrets} {hidden} Session {_text(summary.session_id)}.</p></footer>\n</body>\n</html>\n"


class _Page:
    """One section for each item. mask: for what is joined from pieces, in which a secret may have been cut in two."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        self._mask = mask
        self._live = mask
        self._messages = 0
        self._markdown: MarkdownIt | None = None

    def run(self, state: RunState) -> Iterator[str]:
        self._mask = _same if state.finished else self._live
        for item in (*state.settled, *state.live):
            yield from self._item(item)
        yield _ending(state)

    def _text(self, text: str) -> str:
        return _text(self._mask(text))

    def _item(self, item: Item) -> Iterator[str]:
        match item:
            case UserItem(text=text, queued=queued, by=by):
                who = "The runner" if by == "runner" else "You"
                late = ", not delivered" if queued else ""
                self._messages += 1
                yield f'<section class="you" id="m{self._messages}">{_who(who + late, item.time)}'
                yield f'<div class="said">{self._text(text)}</div></section>\n'
            case TextItem(what="reasoning"):
                yield f'<section class="step">{self._folded("Reasoning", item.text)}</section>\n'
            case TextItem():
                cut = ", interrupted" if item.interrupted or item.live else ""
                head = _who(f"{_text(item.model or 'Answer')}{cut}", item.time)
                yield f"<section>{head}{self._rendered(item.text)}</section>\n"
            case CallItem():
                yield self._call(item)
            case CommandItem():
                yield self._command(item)
            case EventItem(event=CompactionFinished(summary=summary)) if summary:
                title = "What came before, summed up for the model"
                yield f'<section class="step">{self._folded(title, summary)}</section>\n'
            case EventItem(event=event):
                words = event_words(event)
                if words:
                    yield f'<p class="note">{self._text(words)}</p>\n'

    def _rendered(self, text: str) -> str:
        """Markdown without HTML in it and without pictures; links show where they lead."""
        if self._markdown is None:
            from markdown_it import MarkdownIt

            self._markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
            self._markdown.disable(["image", "html_block", "html_inline"])
        tokens = self._markdown.parse(plain(self._mask(text)))
        targets: list[str] = []
        for token in tokens:
            for child in token.children or ():
                if child.type == "link_open":
                    target = str(child.attrGet("href") or "")
                    targets.append(target)
                    child.attrs = {"rel": "noopener noreferrer nofollow"}
                    if target.startswith(_SCHEMES):
                        child.attrs = {"href": target, **child.attrs}
                elif child.type == "link_close":
                    child.type, child.nesting = "html_inline", 0
                    child.content = f'</a> <span class="target">({escape(targets.pop() if targets else "")})</span>'
        return str(self._markdown.renderer.render(tokens, self._markdown.options, {}))

    def _call(self, call: CallItem) -> str:
        status = call.status or call.phase
        mark = "ok" if status == "ok" else "bad"
        arguments = call.arguments if isinstance(call.arguments, str) else _pretty(call.arguments)
        about = _short(self._mask(_first(call.arguments)))
        head = f'<code class="tool">{self._text(call.tool)}</code> <code>{_text(about)}</code>'
        head += f' <span class="{mark}">{status}</span> <span class="note">{call.seconds:.1f} s</span>'
        parts = [f'<pre class="wrap">{self._text(arguments or "".join(call.written))}</pre>']
        approval = call.approval
        if approval is not None and approval.decision:
            reason = f": {approval.reason}" if approval.reason else ""
            words = f"{approval.decision} by {approval.by} after {approval.seconds:.1f} s{reason}"
            parts.append(f'<p class="note waited">{self._text(words)}</p>')
        parts += [self._diff(path, diff) for path, diff in _diffs(call.display)]
        output = call.output or "".join(call.live_output)
        if output:
            parts.append(f'<pre class="wrap">{self._text(output.rstrip())}</pre>')
        if call.artifact:
            parts.append('<p class="note">This is not all of the output; the rest stayed where the session is.</p>')
        return f'<section class="step"><details><summary>{head}</summary>{"".join(parts)}</details></section>\n'

    def _diff(self, path: str, diff: str) -> str:
        """Each line with the colour of what it is; the sign stays."""
        lines = self._mask(diff).rstrip("\n").split("\n")
        marked = (f'<span class="{_SIGNS.get(line[:1], "same")}">{_text(line)}</span>' for line in lines)
        return f'<p class="note">{self._text(path)}</p><pre class="diff">{"".join(marked)}</pre>'

    def _command(self, item: CommandItem) -> str:
        end = item.status or "running" if item.exit_code is None else f"exit code {item.exit_code}"
        head = f'You ran <code>{self._text(item.command)}</code> <span class="note">{end}, {item.seconds:.1f} s</span>'
        output = self._text((item.output or "".join(item.live_output)).rstrip())
        inside = f'<details><summary>{head}</summary><pre class="wrap">{output}</pre></details>'
        return f'<section class="step">{inside}</section>\n'

    def _folded(self, title: str, text: str) -> str:
        inside = f'<div class="said">{self._text(text)}</div>'
        return f'<details><summary class="note">{title}</summary>{inside}</details>'


def _who(who: str, time: datetime) -> str:
    """who is HTML already."""
    return f'<p class="who"><span>{who}</span><time>{time:%Y-%m-%d %H:%M} UTC</time></p>'


def _diffs(display: JsonObject | None) -> Iterator[tuple[str, str]]:
    """The files that a call changed, with their diffs."""
    if display is None or display.get("type") not in ("diff", "diffs"):
        return
    files: object = display.get("files") if display["type"] == "diffs" else [display]
    for file in cast("list[object]", files) if isinstance(files, list) else []:
        if isinstance(file, dict):
            named = cast("Mapping[str, object]", file)
            path, diff = named.get("path"), named.get("diff")
            if isinstance(diff, str) and diff:
                yield path if isinstance(path, str) else "", diff


def _first(arguments: JsonObject | str) -> str:
    """What a call is about: its first argument."""
    return arguments if isinstance(arguments, str) else str(next(iter(arguments.values()), ""))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def _text(text: str) -> str:
    return escape(plain(text))


def _pretty(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
