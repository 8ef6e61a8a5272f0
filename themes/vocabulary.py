"""Every name a theme must define, what it colours, and on which ground it must stay readable."""

from __future__ import annotations

from typing import Final

GROUNDS: Final = ("background", "surface", "panel")
"""The base colours that any text may stand on."""

BASE: Final[dict[str, str]] = {
    "background": "the screen behind everything",
    "surface": "areas raised above the background: the transcript's cards, inputs",
    "panel": "bars and dialogs",
    "foreground": "ordinary text",
    "muted": "secondary text: times, counts, hints",
    "primary": "titles and the active element",
    "secondary": "the second accent, for example the second of two panes",
    "accent": "what asks for attention without being a warning",
    "success": "good outcomes",
    "warning": "things to look at",
    "error": "failures",
    "border": "frames and rules of inactive areas",
    "border_focus": "the frame of the area that has the focus",
    "selection": "the ground of selected text and of the row under the cursor",
    "selection_text": "text on the selection ground",
}

TOKENS: Final[dict[str, str]] = {
    "state.queued": "a run that has not started",
    "state.running": "a run that works",
    "state.waiting": "a run that waits for a person",
    "state.paused": "a run paused by a person",
    "state.stopping": "a run that finishes its step before it stops",
    "state.ok": "a run that completed",
    "state.failed": "a run that failed",
    "state.cancelled": "a run that was stopped or aborted",
    "tool.read": "tools that only look",
    "tool.write": "tools that change files",
    "tool.shell": "tools that start programs",
    "tool.network": "tools that reach other machines",
    "tool.agent": "sub-agents and handoffs",
    "tool.other": "tools of unknown kind",
    "risk.low": "an approval with little at stake",
    "risk.medium": "an approval to read before deciding",
    "risk.high": "an approval that can do harm",
    "diff.added": "added lines",
    "diff.added_bg": "ground of added lines",
    "diff.removed": "removed lines",
    "diff.removed_bg": "ground of removed lines",
    "diff.hunk": "the line that opens a hunk",
    "diff.hunk_bg": "ground of the line that opens a hunk",
    "diff.context": "unchanged lines",
    "text.user": "what a person wrote",
    "text.assistant": "what the model wrote",
    "text.system": "notices of the program itself",
    "text.reasoning": "the model's reasoning",
    "text.code": "code in running text",
    "text.code_bg": "ground of code",
    "text.error": "error messages",
    "md.heading": "headings",
    "md.link": "links",
    "md.quote": "quoted blocks",
    "md.bullet": "list markers",
    "md.rule": "horizontal rules and table lines",
    "meter.ok": "a budget well inside its limit",
    "meter.warn": "a budget near its limit",
    "meter.over": "a budget at or past its limit",
    "meter.track": "the unused part of a meter",
    "key.name": "key names in the footer and the help",
    "key.label": "what a key does",
    "search.match": "text of a search hit",
    "search.match_bg": "ground of a search hit",
    "search.current": "text of the search hit under the cursor",
    "search.current_bg": "ground of the search hit under the cursor",
    "syntax.keyword": "keywords",
    "syntax.string": "strings",
    "syntax.comment": "comments",
    "syntax.number": "numbers and constants",
    "syntax.function": "functions",
    "syntax.type": "types and classes",
    "syntax.name": "other names",
    "syntax.operator": "operators and punctuation",
}

NOT_TEXT: Final = frozenset(
    {
        "background",
        "surface",
        "panel",
        "border",
        "border_focus",
        "selection",
        "selection_text",
        "diff.added_bg",
        "diff.removed_bg",
        "diff.hunk_bg",
        "text.code_bg",
        "md.rule",
        "meter.track",
        "search.match",
        "search.match_bg",
        "search.current",
        "search.current_bg",
    }
)
"""Colours that never carry text on a ground of their own choice."""

ON_OWN_GROUND: Final[tuple[tuple[str, str], ...]] = (
    ("selection_text", "selection"),
    ("diff.added", "diff.added_bg"),
    ("diff.removed", "diff.removed_bg"),
    ("diff.hunk", "diff.hunk_bg"),
    ("search.match", "search.match_bg"),
    ("search.current", "search.current_bg"),
    ("text.code", "text.code_bg"),
    ("syntax.keyword", "text.code_bg"),
    ("syntax.string", "text.code_bg"),
    ("syntax.comment", "text.code_bg"),
    ("syntax.number", "text.code_bg"),
    ("syntax.function", "text.code_bg"),
    ("syntax.type", "text.code_bg"),
    ("syntax.name", "text.code_bg"),
    ("syntax.operator", "text.code_bg"),
)
"""Pairs of text and ground that always appear together."""

TEXT: Final = tuple(name for name in (*BASE, *TOKENS) if name not in NOT_TEXT)
"""Colours that carry text, so they must be readable on every ground."""
