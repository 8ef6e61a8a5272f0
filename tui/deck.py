"""What the person works on: the session shown, its runs, and what was asked of them. Knows no widget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from runner.errors import CommandError
from runner.state import RunState, Stopping, UserItem
from tui.next_request import NextRequest, Temperature
from tui.refusals import LATE_EDIT, refusal
from tui.view import Level, Notice, View, refusals
from tui.waiting import Waiting

if TYPE_CHECKING:
    from runner.control.commands import Decide, LimitName
    from tui.person_shell import Shell
    from tui.ports import Handle, Starter

NOTICE_SECONDS = 5.0
CONFIRM_SECONDS = 6.0

StopKind = Literal["", "stop", "abort"]


class Deck:
    def __init__(
        self, starter: Starter, *, agent: str, workspace: str = "", mono: Callable[[], float] = time.monotonic
    ) -> None:
        self._starter = starter
        self._workspace = workspace
        self._mono = mono
        self.request = NextRequest(agent=agent)
        self._session: str | None = None
        self._title = ""
        self._past: dict[str, RunState] = {}
        self._live: dict[str, RunState] = {}
        self._handles: dict[str, Handle] = {}
        self._starting = False
        self._stop_when_begun: StopKind = ""
        self._asked_to_stop: dict[str, StopKind] = {}
        self._unsent: list[tuple[str, Shell | None]] = []
        self._waiting: dict[str, Waiting] = {}
        self._answered: dict[str, tuple[str, int]] = {}
        self._refused: dict[str, str] = {}
        self._refused_answers: dict[str, str] = {}
        self._store_open = False
        self.failed_servers: tuple[str, ...] = ()
        """Names of the MCP servers that cannot be used."""
        self._notice: Notice | None = None
        self._confirm = ""
        self._confirm_until = 0.0
        self.quitting = False
        self.restored: list[str] = []
        """Messages that were not delivered and go back to the person."""
        self.rewriting = ""
        """The id of the waiting message that is being edited, whose text the person has in front of them."""
        self.limits: dict[LimitName, Decimal | None] = {}
        """Limits that the person set, for the runs to come."""
        self._notes: dict[str, list[str]] = {}
        self.compact_next = False
        """Whether the next run begins with a summary of the older history."""

    def view(self) -> View:
        now = self._mono()
        if self._notice is not None and self._notice.until is not None and now >= self._notice.until:
            self._notice = None
        if self._confirm and now >= self._confirm_until:
            self._confirm = ""
        others = [run for run in self._live.values() if run.session_id != self._session]
        return View(
            agent=self.request.agent,
            recovered=self.request.recovered,
            model=self.request.model,
            model_is_demo=self.request.model.startswith("demo/"),
            asked=self.request.asked(next(reversed(self._runs()), None)),
            workspace=self._workspace,
            session_id=self._session,
            title=self._title,
            runs=self._runs(),
            starting=self._starting,
            store_open=self._store_open,
            failed_servers=self.failed_servers,
            elsewhere=len(others),
            waiting_elsewhere=sum(len(run.waiting_calls) for run in others),
            sent=frozenset(self._answered),
            refused=dict(self._refused_answers),
            messages=self.messages,
            stop_asked=self._stop_asked(),
            notice=self._notice,
            confirm=self._confirm,
            quitting=self.quitting,
            now=now,
        )

    @property
    def session_id(self) -> str | None:
        return self._session

    @property
    def why(self) -> str:
        """Why this model was chosen."""
        return self.request.why

    @property
    def any_live(self) -> bool:
        return bool(self._live) or self._starting

    @property
    def live_runs(self) -> tuple[RunState, ...]:
        """The runs that go on, those of other sessions too."""
        return tuple(self._live.values())

    @property
    def current(self) -> Handle | None:
        """The live run of the session shown."""
        here = self._live_here() if self._session is not None else []
        return self._handles.get(here[-1]) if here else None

    @property
    def handles(self) -> tuple[Handle, ...]:
        """The live runs, those of other sessions too."""
        return tuple(self._handles.values())

    @property
    def run(self) -> RunState | None:
        """The state of the live run of the session shown."""
        handle = self.current
        return self._live[handle.run_id] if handle is not None else None

    def is_live(self, run_id: str) -> bool:
        """Whether a run goes on, in this session or another one."""
        return run_id in self._live

    @property
    def messages(self) -> tuple[UserItem, ...]:
        """The messages that wait in it, as the person left them."""
        run = self.run
        return () if run is None else self._waiting[run.run_id].shown(run)

    @property
    def waiting(self) -> Waiting | None:
        """The changes to them that are on their way."""
        handle = self.current
        return None if handle is None else self._waiting[handle.run_id]

    def _stop_asked(self) -> StopKind:
        """What was pressed, until the run says that it stops."""
        run = self.run
        if run is None:
            return self._stop_when_begun if self._starting else ""
        match run.lifecycle, self._asked_to_stop.get(run.run_id, ""):
            case Stopping(force=True), _:
                return ""
            case Stopping(), "stop":
                return ""
            case _, asked:
                return asked

    def say(self, text: str, level: Level = "info", *, stay: bool = False, seconds: float = 0.0) -> None:
        """Show one sentence on the status line; stay: until another one comes. seconds: for so long, whatever the run
        does meanwhile."""
        until = None if stay else self._mono() + (seconds or NOTICE_SECONDS)
        self._notice = Notice(text=text, level=level, until=until, holds=seconds > 0)

    def model_chosen(self, model: str, why: str) -> None:
        self.request.model, self.request.why = model, why

    def store_opened(self) -> None:
        self._store_open = True

    def send(self, text: str, *, now: bool = False, shell: Shell | None = None) -> None:
        """A message, or a command: it starts a run, or goes to the one that goes on; now: and interrupts it."""
        handle = self.current
        self._notice = None
        notes = [] if shell is not None else self._notes.pop(self._session or "", [])
        if handle is not None:
            for note in notes:
                self._deliver(handle, note)
            self._deliver(handle, text, now=now, shell=shell)
        elif self._starting:
            self._unsent.append((text, shell))
        else:
            self._starting = True
            compact = self.compact_next and shell is None
            self.compact_next = self.compact_next and not compact
            self._starter.start_run(
                text,
                session_id=self._session,
                model=self.request.model or None,
                settings=self.request.settings(),
                agent=self.request.agent,
                limits=self.limits,
                compact=compact,
                notes=notes,
                shell=shell,
            )

    def tell_model(self, session_id: str, note: str) -> None:
        """Something that the model has to know goes before the person's next message, for them to see too."""
        notes = self._notes.setdefault(session_id, [])
        notes[:] = [*(other for other in notes if other != note), note]

    def _deliver(self, handle: Handle, text: str, *, now: bool = False, shell: Shell | None = None) -> None:
        try:
            handle.send(text, now=now) if shell is None else handle.person_command(shell.command, share=shell.share)
        except CommandError as error:
            self.restored.append(text)
            self.say(f"not sent: {error}", "warning")

    def began(self, handle: Handle) -> None:
        """The run that was asked for exists."""
        self._starting = self.request.fresh = False
        self._handles[handle.run_id] = handle
        if self._session is None:
            self._session = handle.session_id
        self._live[handle.run_id] = RunState(run_id=handle.run_id, session_id=handle.session_id)
        self._waiting[handle.run_id] = Waiting()
        for text, shell in self._unsent:
            self._deliver(handle, text, shell=shell)
        self._unsent = []
        if self._stop_when_begun:
            self._asked_to_stop[handle.run_id] = self._stop_when_begun
            self._stop_when_begun = ""

    def refused(self, text: str, problem: str) -> None:
        """The run could not be started: its messages go back to the person."""
        self._starting = False
        self._stop_when_begun = ""
        self.restored.extend((text, *(unsent for unsent, _ in self._unsent)))
        self._unsent = []
        self.say(f"not started: {problem}", "error", stay=True)

    def changed(self, states: dict[str, RunState]) -> None:
        """New states of runs."""
        for run_id, state in states.items():
            if run_id not in self._handles:
                continue
            self._outdate_notice(self._live.get(run_id), state)
            self._live[run_id] = state
            self._tell_refusal(state)
            late = self._waiting[run_id].heard(state)
            if state.finished:
                self._ended(run_id, state, late)
            else:
                self._send_late(run_id, late)
                self._reopen(state)

    def _send_late(self, run_id: str, late: list[str]) -> None:
        """Messages that were delivered before their change: what was changed follows as a message of its own."""
        for text in late:
            self._deliver(self._handles[run_id], text)
            self.say(LATE_EDIT, "warning")

    def _tell_refusal(self, state: RunState) -> None:
        """A command that the run refused is answered on the status line, once."""
        found = refusal(state)
        if found is None or self._refused.get(state.run_id) == found.item_id:
            return
        self._refused[state.run_id] = found.item_id
        self.say(found.words, "warning")

    def _outdate_notice(self, before: RunState | None, after: RunState) -> None:
        """A passing remark gives way to what the run does now."""
        notice = self._notice
        changed = before is None or before.status != after.status
        if changed and notice is not None and notice.level == "info" and notice.until is not None:
            self._notice = notice if notice.holds else None

    def _ended(self, run_id: str, state: RunState, late: list[str]) -> None:
        undelivered = [item.text for item in self._waiting[run_id].shown(state) if item.item_id != self.rewriting]
        undelivered += late
        del self._live[run_id]
        del self._handles[run_id]
        del self._waiting[run_id]
        self._asked_to_stop.pop(run_id, None)
        self._refused.pop(run_id, None)
        if undelivered:
            self.restored.extend(undelivered)
            self.say("the run ended before your queued message was delivered; it is back in the input", "warning")
        if state.session_id == self._session:
            self._past[run_id] = state
        self._answered = {known: of for known, of in self._answered.items() if of[0] != run_id}

    def _reopen(self, state: RunState) -> None:
        """Forget answers that are resolved, and those that the run refused, so that the card can ask again."""
        waiting = {call.asked.request_id for call in state.waiting_calls if call.asked is not None}
        for request_id, (run_id, known) in list(self._answered.items()):
            if run_id != state.run_id:
                continue
            if request_id not in waiting:
                del self._answered[request_id]
            elif refusals(state) > known:
                found = refusal(state)
                self._refused_answers[request_id] = found.words if found is not None else "that answer was refused"
                self.say(self._refused_answers[request_id], "warning")
                del self._answered[request_id]

    def press_stop(self) -> None:
        """Stop gracefully; pressed while stopping, abort."""
        run, handle = self.run, self.current
        if handle is None or run is None:
            if self._starting:
                self._stop_when_begun = "abort" if self._stop_when_begun else "stop"
                self._starter.stop_starting(self._stop_when_begun)
        # A second press may come before the screen has heard of the first.
        elif run.status == "stopping" or run.run_id in self._asked_to_stop:
            self.abort()
        else:
            self._asked_to_stop[run.run_id] = "stop"
            handle.stop()

    def abort(self) -> None:
        handle = self.current
        if handle is not None:
            self._asked_to_stop[handle.run_id] = "abort"
            handle.abort()
        elif self._starting:
            self._stop_when_begun = "abort"
            self._starter.stop_starting("abort")

    def set_model(
        self, model: str = "", *, now: bool = False, effort: str | None = None, temperature: Temperature = None
    ) -> None:
        """From the next request on; now: the open request is given up. What is not given stays."""
        handle = self.current
        words = self.request.change(model, effort, temperature) or (model if now else "")
        if not words:
            self.say(f"{model} is in use already")
        elif handle is None:
            self.say(f"{words} from the next message on")
        else:
            handle.set_model(model, now=now, effort=effort, temperature=temperature)
            self.say(f"{words} {'now: the open request is given up' if now else 'from the next request on'}")

    def decide(self, answer: Decide) -> None:
        """Answer an approval or a question of the session shown; it is answered once."""
        handle, run, request_id = self.current, self.run, answer.request_id
        if handle is None or run is None or request_id in self._answered:
            return
        self._answered[request_id] = (run.run_id, refusals(run))
        self._refused_answers.pop(request_id, None)
        try:
            handle.decide(
                request_id,
                answer.decision,
                scope=answer.scope,
                reason=answer.reason,
                arguments=answer.arguments,
                match=answer.match,
                patterns=answer.patterns,
                calls=answer.calls,
                minutes=answer.minutes,
                until_failure=answer.until_failure,
                spend_usd=answer.spend_usd,
            )
        except CommandError as error:
            del self._answered[request_id]
            self.say(str(error), "error")

    def show(self, session_id: str, title: str, runs: Sequence[RunState], model: str = "") -> None:
        """Show a stored session; what runs in another one goes on."""
        self._session, self._title = session_id, title
        self._past = {run.run_id: run for run in runs if run.run_id not in self._live}
        self._notice = None
        if model and not self._live_here():
            self.request.opened(model, runs[-1] if runs else None)

    def new_session(self) -> None:
        self._session, self._title, self._past = None, "", {}
        self.say("a new session; the old one is in the list")

    def confirm(self, question: str) -> bool:
        """Ask by the status line: the first call shows the question, a second one soon after confirms it."""
        if self._confirm == question and self._mono() < self._confirm_until:
            self._confirm = ""
            return True
        self._confirm, self._confirm_until = question, self._mono() + CONFIRM_SECONDS
        return False

    def forget_confirm(self) -> bool:
        """Take the question back; whether there was one."""
        asked, self._confirm = bool(self._confirm), ""
        return asked

    def take_restored(self) -> str:
        text = "\n".join(self.restored)
        self.restored = []
        return text

    def _runs(self) -> tuple[RunState, ...]:
        if self._session is None:
            return ()
        runs = [*self._past.values(), *(run for run in self._live.values() if run.session_id == self._session)]
        return tuple(runs)

    def _live_here(self) -> list[str]:
        return [run_id for run_id, run in self._live.items() if run.session_id == self._session]
