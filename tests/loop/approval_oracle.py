"""Who allowed what, worked out from the stored events alone, by other code than the policy's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    GrantRevoked,
    Pattern,
    RunFinished,
    RunStarted,
    ToolFinished,
    ToolProposed,
    ToolStarted,
)
from runner.policy.made import grants_made
from runner.policy.uses import grant_key
from runner.state import fold
from runner.store import Store
from runner.testing import check_events
from tests.loop.approval_lives import READS_OR_ASKS, SESSION, Arguments, World


@dataclass(frozen=True, slots=True)
class Said:
    """A decision for more than a call, as the log has it. keys: of the grants that it came to."""

    event: ApprovalResolved
    keys: tuple[str, ...]

    def covers(self, tool: str, arguments: Arguments) -> bool:
        event = self.event
        if tool != event.tool:
            return False
        if event.match == "tool":
            return True
        if event.match == "exact":
            return arguments == event.arguments
        return any(self._fits(each.pattern, arguments) for each in event.patterns if each.tool == tool)

    def _fits(self, pattern: Pattern, arguments: Arguments) -> bool:
        if pattern.arguments is not None:
            return arguments == pattern.arguments
        if pattern.below is not None:
            # Folders of run and session are written in full, the others from the workspace on.
            return Path(pattern.below).name == "src" and str(arguments["path"]).startswith("src/")
        return True


@dataclass
class Oracle:
    """Reads the events of a session's runs in order, and knows at each moment what somebody allowed."""

    world: World
    granted: list[Said] = field(default_factory=list[Said])
    calls: dict[str, tuple[str, Arguments]] = field(default_factory=dict[str, tuple[str, Arguments]])
    asked: dict[str, ApprovalRequested] = field(default_factory=dict[str, ApprovalRequested])
    allowed: dict[str, ApprovalResolved] = field(default_factory=dict[str, ApprovalResolved])
    used: Counter[str] = field(default_factory=Counter[str])
    under: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    failed: set[str] = field(default_factory=set[str])
    started: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.calls, self.asked, self.allowed = {}, {}, {}
            case ToolProposed(valid=True, arguments=dict() as arguments):
                self.calls[event.call_id] = (event.tool, arguments)
            case ApprovalRequested():
                self.asked[event.request_id] = event
            case ApprovalResolved():
                self._resolve(event)
            case GrantRevoked():
                self._revoke(event)
            case ToolStarted(pid=None):
                self._start(event)
            case ToolFinished():
                keys = self.under.pop(event.call_id, ())
                self.failed |= set(keys) if event.status != "ok" else set()
            case RunFinished():
                self._end(event)
            case _:
                pass

    def _revoke(self, event: GrantRevoked) -> None:
        self.granted = [
            said
            for said in self.granted
            if event.key not in said.keys and (event.key or said.event.scope in ("project", "user"))
        ]

    def _end(self, event: RunFinished) -> None:
        self.granted = [said for said in self.granted if said.event.scope != "run" and not self._is_lost(said, event)]
        self.under = {}

    def _is_lost(self, said: Said, end: RunFinished) -> bool:
        """A denial that was to last may not have reached its file before the program died."""
        lasting = said.event.scope in ("project", "user") and said.event.decision == "deny"
        return lasting and said.event.run_id == end.run_id and end.run_id in self.world.killed

    def _resolve(self, event: ApprovalResolved) -> None:
        tool, proposed = self.calls[event.call_id]
        request = self.asked.get(event.request_id)
        if event.by == "user":
            assert request is not None
            assert (request.call_id, request.tool) == (event.call_id, tool)
            self._said_so(event, request)
        if event.decision not in ("allow", "edit"):
            self.allowed.pop(event.call_id, None)
        elif event.by == "user":
            self.allowed[event.call_id] = event
        else:
            self._by_grant(event, tool, proposed)
            self.allowed[event.call_id] = event
        if event.by == "user" and event.scope != "call" and event.decision in ("allow", "edit", "deny"):
            keys = tuple(grant_key(grant) for grant in grants_made(event))
            self.granted.append(Said(event, keys))
            if event.decision != "deny":
                self._use(event.call_id, keys)

    def _said_so(self, event: ApprovalResolved, request: ApprovalRequested) -> None:
        said = self.world.said.get((event.run_id, event.request_id))
        if said is None:
            # The wrapping up and the message of the person answer for them, with no.
            assert event.decision == "deny", event
            return
        decision, arguments = said
        assert decision == event.decision
        if request.asks == "call":
            assert event.arguments == (arguments if decision == "edit" else request.arguments)

    def _by_grant(self, event: ApprovalResolved, tool: str, proposed: Arguments) -> None:
        assert event.by == "grant", event
        assert event.arguments == proposed
        assert event.grants
        for key in event.grants:
            found = self._fitting(key, tool, proposed)
            assert found, f"{event.tool} {proposed} in {event.run_id}: no decision made the grant {key}"
            assert any(self._is_open(said, key, event.time) for said in found), f"used up: {found}"
        self._use(event.call_id, event.grants)

    def _fitting(self, key: str, name: str, proposed: Arguments) -> list[Said]:
        """The decisions that may be meant by this key of a grant."""
        fitting = [said for said in self.granted if said.event.decision != "deny" and said.covers(name, proposed)]
        # The key of one that lasts has the place of its folder in it.
        lasting = [said for said in fitting if said.event.scope in ("project", "user")]
        return [said for said in fitting if key in said.keys] or lasting

    def _is_open(self, said: Said, key: str, now: datetime) -> bool:
        bound = said.event.bound
        busy = any(key in keys for keys in self.under.values())
        return (
            (bound.calls is None or self.used[key] < bound.calls)
            and (bound.until is None or now < bound.until)
            and not (bound.until_failure and (busy or key in self.failed))
        )

    def _use(self, call_id: str, keys: Sequence[str]) -> None:
        self.used.update(keys)
        self.under[call_id] = tuple(keys)

    def _start(self, event: ToolStarted) -> None:
        name, proposed = self.calls[event.call_id]
        self.started[event.run_id, event.call_id] += 1
        assert self.started[event.run_id, event.call_id] == 1, f"{event.call_id} starts twice"
        done = [entry for entry in self.world.done if entry[:2] == (event.run_id, event.call_id)]
        assert len(done) <= 1, f"{event.call_id} ran twice"
        resolved = self.allowed.get(event.call_id)
        if resolved is not None and resolved.by == "grant":
            for key in resolved.grants:
                assert self._fitting(key, name, proposed), f"{event.call_id} starts, and {key} was taken back"
        if name in READS_OR_ASKS:
            assert resolved is None
            arguments = proposed
        else:
            assert resolved is not None, f"{name} {proposed} in {event.run_id} runs, and nobody allowed it"
            arguments = resolved.arguments
            denied = [
                said
                for said in self.granted
                if said.event.decision == "deny"
                and said.covers(name, arguments)
                and (said.event.bound.until is None or event.time < said.event.bound.until)
            ]
            assert not denied, f"{name} {arguments} runs, which is denied by {denied}"
        for _, _, ran, with_these in done:
            assert (ran, json.loads(with_these)) == (name, arguments)


def check(folder: Path, world: World) -> None:
    """The whole session as it is stored, after the last run has been closed by whoever came after it."""
    with Store.open(folder / "q.db") as store, store.lease(SESSION):
        oracle = Oracle(world)
        found: set[tuple[str, str]] = set()
        for state in store.runs(SESSION):
            events = list(store.events(SESSION, state.run_id))
            assert check_events(events) == []
            assert fold(events) == state
            for event in events:
                oracle.take(event)
            found |= {(state.run_id, event.call_id) for event in events if isinstance(event, ToolStarted)}
        stray = [entry for entry in world.done if entry[:2] not in found]
        assert stray == [], "something ran of which the log knows nothing"
        rows = store.decisions(limit=10_000)
        assert {(row.run_id, row.request_id) for row in rows if row.request_id and row.by == "user"} <= {
            *world.said,
            *((row.run_id, row.request_id) for row in rows if row.decision == "deny"),
        }
