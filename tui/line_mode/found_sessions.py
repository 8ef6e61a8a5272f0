"""`/sessions WORDS`: the stored sessions that fit what was typed, with the place where the words stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from runner.store.query import parse
from tui.line_mode.telling import session_line
from tui.render.clean import clean, visible
from tui.words import cut, cut_middle, one_line

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.base import SessionSummary
    from runner.store.search import Hit

MOST: Final = 10
_LOOKED_AT: Final = 200
"""Hits that are looked at for the newest one of each session."""

_WIDEST: Final = 100


@dataclass(frozen=True, slots=True)
class Found:
    """more: sessions beyond those. problems: what could not be understood, in words."""

    sessions: tuple[SessionSummary, ...]
    hits: dict[str, Hit]
    more: int
    problems: tuple[str, ...]


def find(store: Store, text: str, now: datetime) -> Found:
    """In all folders; text: filters and words as they are typed. Blocks."""
    wanted = parse(text, now)
    keys = store.keys(wanted)
    shown = store.summaries([key.session_id for key in keys[:MOST]])
    hits: dict[str, Hit] = {}
    if wanted.words.strip():
        ids = [each.session_id for each in shown]
        for hit in store.search.find(wanted.words, within=ids, limit=_LOOKED_AT):
            hits.setdefault(hit.session_id, hit)
    return Found(tuple(shown), hits, len(keys) - len(shown), wanted.problems)


def lines(found: Found, current: str | None, now: datetime) -> list[str]:
    """Clean lines, each session with its number."""
    told = [f"({visible(problem)})" for problem in found.problems]
    if not found.sessions:
        return [*told, "no session fits that"]
    for number, each in enumerate(found.sessions, 1):
        told.append(f"{session_line(number, each, each.session_id == current, now)}, {_folder(each)}{_tags(each)}")
        hit = found.hits.get(each.session_id)
        if hit is not None:
            said = "".join(text for text, _ in hit.snippet)
            told.append(f"   {clean(hit.tool) or hit.part}: {cut(visible(one_line(said)), _WIDEST)}")
    if found.more:
        told.append(f"({found.more} more; more words or filters narrow it down)")
    return [*told, "/sessions and a number opens one"]


def _folder(summary: SessionSummary) -> str:
    return cut_middle(visible(summary.workspace), 40)


def _tags(summary: SessionSummary) -> str:
    return "".join(f" #{visible(tag)}" for tag in summary.tags)
