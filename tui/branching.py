"""Taking a session up again: forks of it, what was cut off in it, and the agent that goes on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import QuarterdeckError
from runner.review.resume import cut_off, left_from_later, resume_message
from tui.render.clean import clean
from tui.words import count

if TYPE_CHECKING:
    from runner.state import RunState
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.ports import AppSettings, Host

_ENDS = {"interrupted": "interrupted", "stopped": "stopped", "aborted": "aborted", "error": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Where to fork, and what to begin the fork with. run_id, turn: see Store.fork. after: turns of the session that
    it takes. prompt: to be edited in the message. model, agent: "" for those of the session. changed: the files that
    the session changed after it; their paths.
    """

    session_id: str
    run_id: str
    turn: int
    after: int
    prompt: str = ""
    model: str = ""
    agent: str = ""
    changed: tuple[str, ...] = ()


class Branching:
    """Lives on the screen's thread. show: opens a stored session. offer: puts a text into the message. pick_model: lets
    the person choose a model."""

    def __init__(
        self,
        *,
        host: Host,
        deck: Deck,
        engine: Engine,
        settings: AppSettings,
        show: Callable[[str], Awaitable[None]],
        offer: Callable[[str], None],
        pick_model: Callable[[Callable[[str], None]], None],
        repaint: Callable[[], None],
    ) -> None:
        self._host = host
        self._deck = deck
        self._engine = engine
        self._settings = settings
        self._show = show
        self._offer = offer
        self.pick_model = pick_model
        self._repaint = repaint

    @property
    def agents(self) -> Sequence[str]:
        """The agents that are configured."""
        return self._settings.agent_names()

    def use_agent(self, name: str = "") -> None:
        """Another agent from the next message on; without a name the next one."""
        names = list(self.agents)
        now = self._deck.view().agent
        if name and name not in names:
            self._deck.say(f"there is no agent {clean(name)!r}; there are: {', '.join(names)}", "warning")
        elif not name and len(names) < 2:
            self._deck.say(f"{now} is the only agent; your configuration can have more: [agents.NAME]")
        else:
            chosen = name or names[(names.index(now) + 1) % len(names) if now in names else 0]
            self._deck.request.agent = chosen
            self._deck.say(f"{clean(chosen)} from the next message on" if chosen != now else f"{now} it is already")
        self._repaint()

    def fork(self, branch: Branch, done: str = "") -> None:
        """Make the fork and open it. done: what was done before it, in words."""
        self._host.work(self._fork(branch, done), "session")

    async def _fork(self, branch: Branch, done: str) -> None:
        try:
            made = await asyncio.wrap_future(
                self._engine.ask(lambda store: store.fork(branch.session_id, run_id=branch.run_id, turn=branch.turn))
            )
        except QuarterdeckError as error:
            before = f"{done}, but " if done else ""
            self._deck.say(f"{before}there is no fork: {clean(str(error))}", "error", stay=True)
            self._repaint()
            return
        await self._show(made)
        if self._deck.session_id != made:
            return
        if branch.agent:
            self._deck.request.agent = branch.agent
        if branch.model and branch.model != self._deck.request.model:
            self._deck.set_model(branch.model)
        if branch.changed:
            self._deck.tell_model(made, left_from_later(branch.changed))
        if branch.prompt:
            self._offer(branch.prompt)
        self._deck.say("; ".join(filter(None, (done, fork_words(branch)))), stay=True)
        self._repaint()

    async def _open(self, session_id: str) -> None:
        await self._show(session_id)

    def resume(self) -> None:
        """Go on where the last run was cut off; without a session, in the one that the program's death cut off."""
        view = self._deck.view()
        if not view.runs and view.recovered:
            self._host.work(self._open(view.recovered), "session")
            return
        text = resume_message(view.runs)
        if text:
            self._deck.send(text)


def fork_words(branch: Branch) -> str:
    """What the person has now."""
    if not branch.after:
        return "a new session, from before the first turn"
    return f"a fork of {count(branch.after, 'turn')}; what you allowed before it is not allowed here"


def resume_hint(runs: Sequence[RunState], key: str) -> str:
    """What to say of a session that is opened and was cut off; "" where it was not."""
    run = cut_off(runs)
    if run is None or not key:
        return ""
    reason = run.reason or "error"
    return f"{_ENDS.get(reason, 'ended by ' + reason.replace('_', ' '))}: {key} goes on"
