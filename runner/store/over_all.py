"""What a store tells of all its sessions together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runner.store.base import ApprovalSum, ToolSum, UsageBy, UsageSum

if TYPE_CHECKING:
    from datetime import datetime

    from runner.events import Event
    from runner.policy.history import PastRequest
    from runner.store.decisions import DecisionRow, GrantUse
    from runner.store.read import OnProblem, Reader
    from runner.store.rows import RawRow
    from runner.store.search import SearchIndex

CATCHING_UP = 2.0
"""Seconds that sums over calls wait for the search index to take in what is new."""


class OverAll(Protocol):
    """A part of the store's own methods. Each may be called from any thread and blocks for the disk."""

    _reader: Reader

    def _index(self) -> SearchIndex: ...

    def _decode(self, session_id: str, row: RawRow, on_problem: OnProblem | None) -> Event | None: ...

    def usage(self, by: UsageBy, *, since: datetime | None = None, session_id: str | None = None) -> list[UsageSum]:
        """Sums over the requests that were closed since a moment, in one session or in all."""
        from runner.store.usage import usage

        with self._reader.connection() as connection:
            return usage(connection, by, since, session_id)

    def tool_sums(self, since: datetime | None = None) -> list[ToolSum]:
        """How the calls of each tool went since a moment, the most called first; without those of other programs.

        They are counted with what is searched: where search.behind() is not 0, that many runs are not in it yet.
        """
        index = self._index()
        index.catch_up(CATCHING_UP)
        return index.tool_sums(since)

    def approval_sums(self, since: datetime | None = None) -> list[ApprovalSum]:
        """What was decided about calls, by whom, and how long it took; the most frequent first. Counted as tool_sums
        are."""
        index = self._index()
        index.catch_up(CATCHING_UP)
        return index.approval_sums(since)

    def decisions(
        self,
        *,
        session_id: str | None = None,
        text: str = "",
        tool: str = "",
        decision: str = "",
        by: str = "",
        grant: str = "",
        since: datetime | None = None,
        limit: int = 200,
        before: int | None = None,
    ) -> list[DecisionRow]:
        """What was decided, the newest first. text: words that all occur in it. grant: the key of one that took part.
        before: the place of the last one that was shown, for the page after it."""
        from runner.store.decisions import Wanted, decisions

        wanted = Wanted(
            session_id=session_id,
            text=text,
            tool=tool,
            decision=decision,
            by=by,
            grant=grant,
            since=since,
            before=before,
            limit=limit,
        )
        with self._reader.connection() as connection:
            return decisions(connection, wanted, lambda session, row: self._decode(session, row, None))

    def past_requests(self, limit: int = 1000, workspace: str | Path | None = None) -> list[PastRequest]:
        """The calls that a person was asked about, the newest first; workspace: only those of runs in this folder."""
        from runner.store.decisions import past_requests

        folder = None if workspace is None else str(workspace)
        with self._reader.connection() as connection:
            return past_requests(connection, limit, folder, lambda session, row: self._decode(session, row, None))

    def grant_uses(self, keys: Iterable[str]) -> dict[str, GrantUse]:
        """What grants have allowed in all sessions, by their keys; those that last are not counted elsewhere."""
        from runner.store.decisions import grant_uses

        with self._reader.connection() as connection:
            return grant_uses(connection, keys)
