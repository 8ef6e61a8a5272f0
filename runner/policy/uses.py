"""The ledger of bounded grants: how often each was used, and whether a call under it failed. Pure values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from runner.events import ApprovalResolved, Event, ToolFinished
from runner.messages import JsonObject
from runner.policy.base import Grant
from runner.policy.canonical import canonical

_KEY = re.compile(r"\[grant ([0-9a-f]{16})\]")


@dataclass(frozen=True, slots=True)
class Uses:
    """calls: by the key of a grant. failed: keys of grants under which a call failed. open: by the id of a call that
    has not ended, the keys that allowed it.
    """

    calls: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    failed: frozenset[str] = frozenset()
    open: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

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


NO_USES = Uses()


def grant_key(grant: Grant) -> str:
    """What identifies a grant in the ledger and in events: all that it says, its bound too."""
    pattern = grant.pattern
    parts: list[object] = [grant.effect, grant.tool, grant.match, grant.scope, grant.arguments]
    parts += [None if pattern is None else [pattern.arguments, pattern.prefix, pattern.below, pattern.host]]
    parts += [grant.bound.calls, str(grant.bound.until), grant.bound.until_failure]
    return hashlib.sha256(canonical(parts).encode("ascii")).hexdigest()[:16]


def is_live(grant: Grant, uses: Uses | None, now: datetime | None) -> bool:
    """Whether a grant counts still. An allowance whose bound nobody can check (no ledger, no time) is none."""
    bound = grant.bound
    if bound.until is not None and (now is None or now >= bound.until):
        return grant.effect == "deny" and now is None
    if grant.effect == "deny" or not bound.counted:
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
    """The ledger as a fold of stored events, of one run or of a whole session."""
    uses = NO_USES
    for event in events:
        match event:
            case ApprovalResolved(by="grant", decision="allow"):
                uses = uses.used(event.call_id, _KEY.findall(event.rule))
            case ToolFinished():
                uses = uses.ended(event.call_id, failed=has_failed(event.status, event.display))
            case _:
                pass
    return uses
