"""The grants of a run: what decides with them, what adds to them, what takes them back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from runner.control.commands import Revoke
from runner.events import ApprovalResolved, ErrorInfo, ErrorOccurred, Event, GrantRevoked
from runner.loop.core import RunCore
from runner.loop.scope import outcome_of
from runner.policy import decide
from runner.policy.base import CallFacts, Grant, Verdict
from runner.policy.grants import LASTING, placed
from runner.policy.made import grants_made, with_grants
from runner.policy.uses import Uses, grant_key


def verdict_on(core: RunCore, facts: CallFacts, grants: Iterable[Grant] = ()) -> Verdict:
    """What the policy says to a call now. grants: on top of those of the run."""
    return decide(
        facts,
        mode=core.config.approval_mode,
        rules=core.config.approval_policy,
        grants=(*core.grants, *grants),
        uses=core.uses,
        now=core.clock.now(),
        cost=core.emitter.state.cost.total,
    )


def record(core: RunCore, event: ApprovalResolved) -> Event:
    """Record a decision; what it grants counts from here on."""
    stamped = core.emitter.fact(event)
    assert isinstance(stamped, ApprovalResolved)
    core.uses = core.uses.take(stamped)
    made = grants_made(stamped)
    if made:
        core.grants = with_grants(core.grants, (placed(grant, core.workspace) for grant in made))
        core.grant_changes += 1
        for grant in made:
            if grant.scope in LASTING:
                _keep(core, grant)
    return stamped


def recall_grants(core: RunCore, loaded: Iterable[Grant], uses: Uses) -> None:
    """What lasted from before the run, but for what was revoked since it began. uses: of the session so far."""
    revoked = core.revoked
    kept = [grant for grant in loaded if "" not in revoked and grant_key(grant) not in revoked]
    core.grants = [*core.grants, *kept]
    # Only what is counted over the whole session; the other grants of the run are its own.
    core.uses = uses.only({grant_key(grant) for grant in core.grants if grant.scope == "session"})
    core.recalled = True


def revoke(core: RunCore, command: Revoke) -> None:
    """Take grants back: at once in this run, and then in the file of those that last, which is a fact when it is done.
    What is gone already is no error."""
    key = command.key
    gone = [grant for grant in core.grants if key in ("", grant_key(grant))]
    if core.recalled and not gone:
        return
    core.revoked.add(key)
    core.grants = [grant for grant in core.grants if all(grant is not other for other in gone)]
    core.grant_changes += 1
    lasting = [grant_key(grant) for grant in gone if grant.scope in LASTING and core.lasting_grants is not None]
    if key not in lasting:
        core.emitter.fact(GrantRevoked(key=key, by=command.by))
    for each in lasting:
        _drop(core, each, command.by)


async def grants_kept(core: RunCore) -> None:
    """Return when all that lasts is in its file, or was said not to be."""
    while core.keeping is not None and not core.keeping.done():
        await asyncio.wait({core.keeping})


def _keep(core: RunCore, grant: Grant) -> None:
    keeper = core.lasting_grants
    if keeper is None:
        return

    async def work() -> None:
        # A grant that outlives its record would be one that nobody can tell of.
        await core.emitter.durable()
        await asyncio.to_thread(keeper.add, grant, core.workspace)

    _in_turn(core, work)


def _drop(core: RunCore, key: str, by: str) -> None:
    keeper = core.lasting_grants
    if keeper is None:
        return

    async def work() -> None:
        await asyncio.to_thread(keeper.revoke, key, core.workspace)
        if not core.inbox.finished:
            core.emitter.fact(GrantRevoked(key=key, by=by))

    _in_turn(core, work)


def _in_turn(core: RunCore, work: Callable[[], Awaitable[None]]) -> None:
    """Do this after all that was to be done before it."""
    core.keeping = asyncio.ensure_future(_after(core, core.keeping, work))


async def _after(core: RunCore, previous: asyncio.Future[None] | None, work: Callable[[], Awaitable[None]]) -> None:
    if previous is not None:
        await asyncio.wait({previous})
    result = await outcome_of(work())
    if isinstance(result, Exception) and not core.inbox.finished:
        message = f"a decision that was to last could not be kept or taken back for later runs: {result}"
        core.emitter.fact(ErrorOccurred(error=ErrorInfo(type="grants", message=message, action="none")))
