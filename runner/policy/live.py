"""The grants that count at a moment, with what they have allowed so far: a pure fold of stored events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from runner.events import ApprovalRequested, ApprovalResolved, Event, GrantRevoked, RunFinished
from runner.policy.base import Grant
from runner.policy.made import about_the_same, grants_made
from runner.policy.uses import NO_USES, Uses, grant_key, is_live
from runner.state import RunState, reduce
from runner.usage import Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGrant:
    """made, last_used: None where that is not known. calls_allowed: so far, the call that it was made for included.

    run_id: of a grant for one run. spent: what that run has cost so far in US dollars, where the grant is bounded by
    that. source: the file that keeps it, "" for one of the session.
    """

    grant: Grant
    key: str
    made: datetime | None = None
    calls_allowed: int = 0
    last_used: datetime | None = None
    source: str = ""
    run_id: str = ""
    spent: Decimal | None = None


@dataclass(slots=True)
class Standing:
    """What a session's events have granted by now. Take in its events run after run, in order.

    uses: of all grants. costs: of each run in US dollars.
    """

    uses: Uses = NO_USES
    costs: dict[str, Cost] = field(default_factory=dict[str, Cost])
    _grants: list[tuple[str, datetime, Grant]] = field(default_factory=list[tuple[str, datetime, Grant]])
    _tools: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def take(self, event: Event) -> None:
        if isinstance(event, ApprovalResolved) and not event.tool:
            # A resolution of an older program does not say it; the request does.
            event = replace(event, tool=self._tools.get((event.run_id, event.request_id), ""))
        self.uses = self.uses.take(event)
        match event:
            case ApprovalRequested():
                self._tools[event.run_id, event.request_id] = event.tool
            case ApprovalResolved():
                self._add(event)
            case GrantRevoked():
                self.revoke(event.key)
            case RunFinished():
                self._grants = [each for each in self._grants if each[2].scope != "run" or each[0] != event.run_id]
            case _:
                for entry in reduce(RunState(), event).ledger:
                    self.costs[event.run_id] = self.costs.get(event.run_id, Cost()).add(entry.cost_usd)

    def revoke(self, key: str) -> None:
        """What was granted until now under this key counts no more; "" takes back all of it."""
        self._grants = [each for each in self._grants if key not in ("", grant_key(each[2]))]

    def given(self) -> list[Grant]:
        """All of them, in the order in which they were given, used up or not."""
        return [grant for _, _, grant in self._grants]

    def grants(self) -> list[Grant]:
        """Those of them that are for the whole session."""
        return [grant for grant in self.given() if grant.scope == "session"]

    def live(self, now: datetime, costs: Mapping[str, Decimal | None] | None = None) -> tuple[LiveGrant, ...]:
        """Those that count now. costs: of each run, where somebody knows better than the events taken in."""
        found: list[LiveGrant] = []
        for run_id, made, grant in self._grants:
            key = grant_key(grant)
            cost = self.costs.get(run_id, Cost()).total if costs is None else costs.get(run_id)
            if not is_live(grant, self.uses, now, cost) and not self._is_busy(grant, key, now, cost):
                continue
            found.append(
                LiveGrant(
                    grant=grant,
                    key=key,
                    made=made,
                    calls_allowed=self.uses.calls.get(key, 0),
                    last_used=self.uses.last.get(key),
                    run_id=run_id if grant.scope == "run" else "",
                    spent=cost if grant.bound.until_cost is not None else None,
                )
            )
        return tuple(found)

    def _is_busy(self, grant: Grant, key: str, now: datetime, cost: Decimal | None) -> bool:
        """Whether it only waits for the end of a call, which may not fail."""
        rest = Uses(calls=self.uses.calls, failed=self.uses.failed)
        return grant.bound.until_failure and is_live(grant, rest, now, cost)

    def _add(self, event: ApprovalResolved) -> None:
        for grant in grants_made(event):
            if grant.tool and grant.scope in ("run", "session"):
                self._grants = [each for each in self._grants if not self._replaces(event, grant, each)]
                self._grants.append((event.run_id, event.time, grant))

    @staticmethod
    def _replaces(event: ApprovalResolved, grant: Grant, each: tuple[str, datetime, Grant]) -> bool:
        return about_the_same(each[2], grant) and (grant.scope != "run" or each[0] == event.run_id)


def live_grants(events: Iterable[Event], now: datetime) -> tuple[LiveGrant, ...]:
    """Those of a session's events: for the session, and for the runs that have not ended."""
    standing = Standing()
    for event in events:
        standing.take(event)
    return standing.live(now)
