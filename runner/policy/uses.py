"""The ledger of grants: how often each was used, and whether a call under it failed. Pure values.

The loop and whoever reads stored events take in the same events by the same function, so both count alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from runner.events import ApprovalResolved, Event, ToolFinished
from runner.messages import JsonObject
from runner.policy.base import Grant
from runner.policy.canonical import canonical
from runner.policy.made import grants_made


@dataclass(frozen=True, slots=True)
class Uses:
    """calls: allowed ones, by the key of a grant. failed: keys of grants under which a call failed. open: by a call
    that has not ended, the keys that allowed it. last: when a grant last decided, where its events say it.
    """

    calls: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    failed: frozenset[str] = frozenset()
    open: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    last: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def used(self, call_id: str, keys: Iterable[str]) -> Uses:
        """A call was allowed by the grants of these keys."""
        names = tuple(dict.fromkeys(keys))
        if not names:
            return self
        calls = {**self.calls, **{key: self.calls.get(key, 0) + 1 for key in names}}
        return replace(self, calls=calls, open={**self.open, call_id: names})

    def ended(self, call_id: str, *, failed: bool) -> Uses:
        """A call has its result."""
        keys = self.open.get(call_id)
        if keys is None:
            return self
        rest = {name: value for name, value in self.open.items() if name != call_id}
        return replace(self, open=rest, failed=self.failed | set(keys) if failed else self.failed)

    def take(self, event: Event) -> Uses:
        """After an event: a decision by grants or one that makes them, which counts as their first use, or the end of
        a call. Calls are told apart by their run, because models may give two the same id."""
        match event:
            case ApprovalResolved(decision="allow" | "edit"):
                keys = event.grants if event.by == "grant" else tuple(map(grant_key, grants_made(event)))
                return self.used(f"{event.run_id}/{event.call_id}", keys)._seen(keys, event)
            case ApprovalResolved(by="grant"):
                return self._seen(event.grants, event)
            case ToolFinished():
                failed = has_failed(event.status, event.display)
                return self.ended(f"{event.run_id}/{event.call_id}", failed=failed)
            case _:
                return self

    def only(self, keys: Collection[str]) -> Uses:
        """Of these grants alone."""
        return Uses(
            calls={key: count for key, count in self.calls.items() if key in keys},
            failed=self.failed & frozenset(keys),
            open={call: kept for call, used in self.open.items() if (kept := tuple(k for k in used if k in keys))},
            last={key: moment for key, moment in self.last.items() if key in keys},
        )

    def _seen(self, keys: Iterable[str], event: Event) -> Uses:
        found = dict.fromkeys(keys, event.time)
        return replace(self, last={**self.last, **found}) if found else self


NO_USES = Uses()


def grant_key(grant: Grant) -> str:
    """What identifies a grant in the ledger and in events: all that it says, its bound too."""
    pattern, bound = grant.pattern, grant.bound
    parts: list[object] = [grant.effect, grant.tool, grant.match, grant.scope, grant.arguments, grant.identity]
    parts += [None if pattern is None else [pattern.arguments, pattern.prefix, pattern.below, pattern.host]]
    parts += [bound.calls, str(bound.until), bound.until_failure, str(bound.until_cost), grant.origin]
    return hashlib.sha256(canonical(parts).encode("ascii")).hexdigest()[:16]


def is_live(grant: Grant, uses: Uses | None, now: datetime | None, cost: Decimal | None = None) -> bool:
    """Whether a grant counts still. An allowance whose bound nobody can check (no ledger, no time, a cost that is not
    known) is none. cost: of the run so far, in US dollars."""
    bound = grant.bound
    if bound.until is not None and (now is None or now >= bound.until):
        return grant.effect == "deny" and now is None
    if grant.effect == "deny":
        return True
    if bound.until_cost is not None and (cost is None or cost >= bound.until_cost):
        return False
    if not bound.counted:
        return True
    if uses is None:
        return False
    key = grant_key(grant)
    if bound.calls is not None and uses.calls.get(key, 0) >= bound.calls:
        return False
    # A call that has not ended may still fail, so only one at a time runs under such a grant.
    pending = any(key in keys for keys in uses.open.values())
    return not (bound.until_failure and (key in uses.failed or pending))


def has_failed(status: str, display: JsonObject | None) -> bool:
    """Whether a call's result counts as a failure: an error, or a command that ended with another code than 0."""
    return status != "ok" or ((display is not None and (display.get("exit_code") or 0) != 0) or _was_killed(display))


def _was_killed(display: JsonObject | None) -> bool:
    return display is not None and display.get("signal") is not None


def uses_of(events: Iterable[Event]) -> Uses:
    """The ledger as a fold of events, of one run or of a whole session."""
    uses = NO_USES
    for event in events:
        uses = uses.take(event)
    return uses
