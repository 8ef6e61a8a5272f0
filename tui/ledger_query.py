"""What a person looks for among the decisions: words, and filters such as tool:shell by:user since:7d."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.since import since

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.decisions import DecisionRow

FILTERS: Final = ("tool", "by", "decision", "session", "since", "grant")
HINT: Final = "words, tool:shell by:you decision:deny since:7d"

_BY: Final[Mapping[str, str]] = {"you": "user", "me": "user"}
_DECISIONS: Final[Mapping[str, str]] = {
    "allowed": "allow",
    "denied": "deny",
    "edited": "edit",
    "answered": "answer",
    "ended": "end_run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerQuery:
    """text: words that must all occur. What is "" or None filters nothing. problem: what could not be understood."""

    text: str = ""
    tool: str = ""
    by: str = ""
    decision: str = ""
    session: str = ""
    grant: str = ""
    since: datetime | None = None
    problem: str = ""


def read(text: str, now: datetime) -> LedgerQuery:
    """A filter that is not finished yet ("tool:") filters nothing; an unknown one is text like any other."""
    words: list[str] = []
    found: dict[str, str] = {}
    for word in text.split():
        name, colon, value = word.partition(":")
        if colon and name in FILTERS:
            found[name] = value
        else:
            words.append(word)
    moment: datetime | None = None
    problem = ""
    if found.get("since"):
        try:
            moment = since(found["since"], now)
        except ValueError as error:
            problem = f"since: {error}"
    by, decision = found.get("by", ""), found.get("decision", "")
    return LedgerQuery(
        text=" ".join(words),
        tool=found.get("tool", ""),
        by=_BY.get(by, by),
        decision=_DECISIONS.get(decision, decision),
        session=found.get("session", ""),
        grant=found.get("grant", ""),
        since=moment,
        problem=problem,
    )


def rows_of(store: Store, query: LedgerQuery, *, limit: int, before: DecisionRow | None = None) -> list[DecisionRow]:
    """A page of the ledger, the newest first: the one after a row, or the first. Blocks."""
    return store.decisions(
        session_id=query.session or None,
        text=query.text,
        tool=query.tool,
        decision=query.decision,
        by=query.by,
        grant=query.grant,
        since=query.since,
        limit=limit,
        before=None if before is None else before.place,
    )
