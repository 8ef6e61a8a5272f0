"""A session as one page of HTML: it runs nothing, loads nothing, and is read in light or dark, wide or narrow."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Final

from runner.events import CompactionFinished
from runner.importing.steps import NAMES
from runner.messages import JsonObject
from runner.state import CallItem, CommandItem, EventItem, Item, RunState, TextItem, UserItem
from runner.store.base import SessionSummary
from runner.store.export import event_words, plain, title_of_runs
from runner.store.export_picture import picture

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fdfcf9; --ink: #22252a; --quiet: #5d636c; --line: #d9d6cd; --tint: #f3f1ea;
  --you: #1b5e92; --ok: #2c6e3f; --bad: #a8322a; --wait: #8a5a00; --model: #4b62b5; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e2e4e8; --quiet: #9aa1ab; --line: #353a42;
  --tint: #1f2329; --you: #7ab8e8; --ok: #7cc58f; --bad: #ef8b82; --wait: #e0b050; --model: #93a7f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 54rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .75rem; }
.who { font-size: .85rem; font-weight: 600; color: var(--quiet); margin: 0 0 .3rem; }
section h1, section h2, section h3, section h4 { font-size: 1.05rem; margin: 1rem 0 .4rem; }
section p { margin: .5rem 0; } section > :last-child { margin-bottom: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 1rem; font-size: .9rem; }
dt { color: var(--quiet); } dd { margin: 0; min-width: 0; }
section { border-top: 1px solid var(--line); padding: .8rem 0; }
section.you { border-left: 3px solid var(--you); padding-left: .8rem; }
.you .who { color: var(--you); }
.said { white-space: pre-wrap; }
pre, code { font: .85rem/1.45 ui-monospace, monospace; }
code { background: var(--tint); padding: .1em .25em; border-radius: 3px; }
pre { background: var(--tint); padding: .6rem .8rem; border-radius: 4px; overflow-x: auto; margin: .4rem 0; }
pre.wrap { white-space: pre-wrap; } pre code { background: none; padding: 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .2rem .5rem; text-align: left; }
blockquote { margin: .5rem 0; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--quiet); }
a { color: var(--you); } .target { color: var(--quiet); font-size: .85em; }
details > summary { cursor: pointer; } summary code { background: none; }
.note, footer { color: var(--quiet); font-size: .9rem; }
.ok { color: var(--ok); } .bad { color: var(--bad); } .waited { color: var(--wait); }
svg { width: 100%; height: auto; display: block; margin: .5rem 0 1rem; }
svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; } svg .track { fill: var(--tint); }
svg .model { fill: var(--model); } svg .tool { fill: var(--ok); } svg .failed { fill: var(--bad); }
svg .person { fill: var(--wait); } svg .run { stroke: var(--line); }
@media (max-width: 40rem) { body { padding: 1rem .7rem 3rem; font-size: 15px; } dl { grid-template-columns: 1fr; }
  dt { margin-top: .3rem; } svg { min-width: 34rem; } .scroll { overflow-x: auto; } }
@media print { details { display: block; } body { max-width: none; } }
"""

_POLICY: Final = "default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'"
_SCHEMES: Final = ("https://", "http://", "mailto:")


def html(summary: SessionSummary, runs: Iterable[RunState], *, masked: bool) -> Iterator[str]:
    """The page in pieces. masked: whether secrets were taken out of the runs before."""
    listed = list(runs)
    title = escape(plain(summary.name or title_of_runs(listed) or "Untitled session"))
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest=digest)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    yield _facts(summary, listed)
    yield picture(listed)
    page = _Page()
    for state in listed:
        for item in (*state.settled, *state.live):
            yield from page.item(item)
        yield _ending(state)
    yield _footer(summary, masked=masked)


def _facts(summary: SessionSummary, runs: list[RunState]) -> str:
    cost = "unknown" if summary.cost_usd is None else f"{summary.cost_usd:f} US dollars"
    usage = summary.usage
    facts = {
        "Session": summary.session_id,
        "Imported from": NAMES.get(summary.imported, summary.imported),
        "Begun": summary.created.isoformat(sep=" ", timespec="seconds"),
        "Agent": summary.agent,
        "Models": ", ".join(summary.models),
        "Folder": summary.workspace,
        "Turns": f"{summary.turns} (runs: {len(runs)}, tool calls: {summary.tool_calls})",
        "Tokens": f"{usage.input} in ({usage.cached_input} of them from the cache), {usage.output} out",
        "Cost": cost,
    }
    rows = (f"<dt>{name}</dt><dd>{escape(plain(value))}</dd>" for name, value in facts.items() if value)
    return f"<dl>{''.join(rows)}</dl>\n"


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
    return f"<footer><p>{secrets} {hidden} Session {escape(summary.session_id)}.</p></footer>\n</body>\n</html>\n"


class _Page:
    """One section for each item."""

    def __init__(self) -> None:
        self._markdown: MarkdownIt | None = None

    def item(self, item: Item) -> Iterator[str]:
        match item:
            case UserItem(text=text, queued=queued, by=by):
                who = "The runner" if by == "runner" else "You"
                late = ", not delivered" if queued else ""
                yield f'<section class="you"><p class="who">{who}{late}</p>'
                yield f'<div class="said">{_text(text)}</div></section>\n'
            case TextItem(what="reasoning"):
                yield f"<section>{_folded('Reasoning', item.text)}</section>\n"
            case TextItem():
                cut = ", interrupted" if item.interrupted or item.live else ""
                head = f'<p class="who">{_text(item.model or "Answer")}{cut}</p>'
                yield f"<section>{head}{self._rendered(item.text)}</section>\n"
            case CallItem():
                yield _call(item)
            case CommandItem():
                yield _command(item)
            case EventItem(event=CompactionFinished(summary=summary)) if summary:
                yield f"<section>{_folded('What came before, summed up for the model', summary)}</section>\n"
            case EventItem(event=event):
                words = event_words(event)
                if words:
                    yield f'<p class="note">{_text(words)}</p>\n'

    def _rendered(self, text: str) -> str:
        """Markdown without HTML in it and without pictures; links show where they lead."""
        if self._markdown is None:
            from markdown_it import MarkdownIt

            self._markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
            self._markdown.disable(["image", "html_block", "html_inline"])
        tokens = self._markdown.parse(plain(text))
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


def _call(call: CallItem) -> str:
    status = call.status or call.phase
    mark = "ok" if status == "ok" else "bad"
    arguments = call.arguments if isinstance(call.arguments, str) else _pretty(call.arguments)
    head = f'<code>{_text(call.tool)}</code> <span class="{mark}">{status}</span>, {call.seconds:.1f} s'
    head += f" <code>{_text(_short(call.arguments))}</code>"
    parts = [f'<pre class="wrap">{_text(arguments or "".join(call.written))}</pre>']
    approval = call.approval
    if approval is not None and approval.decision:
        reason = f": {approval.reason}" if approval.reason else ""
        words = f"{approval.decision} by {approval.by} after {approval.seconds:.1f} s{reason}"
        parts.append(f'<p class="note waited">{_text(words)}</p>')
    output = call.output or "".join(call.live_output)
    if output:
        parts.append(f'<pre class="wrap">{_text(output.rstrip())}</pre>')
    if call.artifact:
        parts.append('<p class="note">This is not all of the output; the rest stayed where the session is.</p>')
    return f"<section><details><summary>{head}</summary>{''.join(parts)}</details></section>\n"


def _command(item: CommandItem) -> str:
    end = item.status or "running" if item.exit_code is None else f"exit code {item.exit_code}"
    head = f"You ran <code>{_text(item.command)}</code>, {end}, {item.seconds:.1f} s"
    output = item.output or "".join(item.live_output)
    return f"<section><details><summary>{head}</summary><pre>{_text(output.rstrip())}</pre></details></section>\n"


def _folded(title: str, text: str) -> str:
    return f'<details><summary class="note">{title}</summary><div class="said">{_text(text)}</div></details>'


def _short(arguments: JsonObject | str) -> str:
    """What a call is about, in a few words: its first argument."""
    value = arguments if isinstance(arguments, str) else next(iter(arguments.values()), "")
    line = " ".join(str(value).split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def _text(text: str) -> str:
    return escape(plain(text))


def _pretty(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
