"""What the person works on: the session shown, its runs, and what was asked of them. Knows no widget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from runner.errors import CommandError
from runner.state import RunState
from tui.view import Level, Notice, View, queued_messages, refusals

if TYPE_CHECKING:
    from runner.events import Decision, Scope
    from runner.messages import JsonObject

NOTICE_SECONDS = 5.0
CONFIRM_SECONDS = 6.0


class Handle(Protocol):
    """What the deck asks of a live run; all of it returns at once."""

    @property
    def run_id(self) -> str: ...

    @property
    def session_id(self) -> str: ...

    def stop(self, by: str = "user") -> None: ...

    def abort(self, by: str = "user") -> None: ...

    def pause(self, by: str = "user") -> None: ...

    def resume(self, by: str = "user") -> None: ...

    def send(self, text: str) -> str: ...

    def set_model(self, model: str, *, now: bool = False) -> None: ...

    def decide(
        self,
        request_id: str,
        decision: Decision,
        *,
        scope: Scope = "call",
        reason: str = "",
        arguments: JsonObject | None = None,
    ) -> None: ...


class Starter(Protocol):
    """What starts runs."""

    def start_run(self, text: str, *, session_id: str | None, model: str | None, agent: str | None = None) -> None: ...


class Deck:
    def __init__(
        self, starter: Starter, *, agent: str, workspace: str = "", mono: Callable[[], float] = time.monotonic
    ) -> None:
        self._starter = starter
        self._agent = agent
        self._workspace = workspace
        self._mono = mono
        self._model = ""
        self._why = ""
        self._session: str | None = None
        self._title = ""
        self._past: dict[str, RunState] = {}
        self._live: dict[str, RunState] = {}
        self._handles: dict[str, Handle] = {}
        self._starting = False
        self._stop_when_begun = ""
        self._asked_to_stop: set[str] = set()
        self._unsent: list[str] = []
        self._answered: dict[str, tuple[str, int]] = {}
        self._store_open = False
        self._notice: Notice | None = None
        self._confirm = ""
        self._confirm_until = 0.0
        self.quitting = False
        self.restored: list[str] = []
        """Messages that were not delivered and go back to the person."""

    def view(self) -> View:
        now = self._mono()
        if self._notice is not None and self._notice.until is not None and now >= self._notice.until:
            self._notice = None
        if self._confirm and now >= self._confirm_until:
            self._confirm = ""
        others = [run for run in self._live.values() if run.session_id != self._session]
        return View(
            agent=self._agent,
            model=self._model,
            model_is_demo=self._model.startswith("demo/"),
            workspace=self._workspace,
            session_id=self._session,
            title=self._title,
            runs=self._runs(),
            starting=self._starting,
            store_open=self._store_open,
            elsewhere=len(others),
            waiting_elsewhere=sum(len(run.waiting_calls) for run in others),
            sent=frozenset(self._answered),
            notice=self._notice,
            confirm=self._confirm,
            quitting=self.quitting,
            now=now,
        )

    @property
    def why(self) -> str:
        """Why this model was chosen."""
        return self._why

    @property
    def any_live(self) -> bool:
        return bool(self._live) or self._starting

    def say(self, text: str, level: Level = "info", *, stay: bool = False) -> None:
        """Show one sentence on the status line; stay: until another one comes."""
        self._notice = Notice(text=text, level=level, until=None if stay else self._mono() + NOTICE_SECONDS)

    def model_chosen(self, model: str, why: str) -> None:
        self._model, self._why = model, why

    def store_opened(self) -> None:
        self._store_open = True

    def send(self, text: str) -> None:
        """A message: it starts a run, or is queued in the one that goes on."""
        handle = self._current()
        self._notice = None
        if handle is not None:
            self._deliver(handle, text)
        elif self._starting:
            self._unsent.append(text)
        else:
            self._starting = True
            self._starter.start_run(text, session_id=self._session, model=self._model or None, agent=self._agent)

    def _deliver(self, handle: Handle, text: str) -> None:
        try:
            handle.send(text)
        except CommandError as error:
            self.restored.append(text)
            self.say(f"not sent: {error}", "warning")

    def began(self, handle: Handle) -> None:
        """The run that was asked for exists."""
        self._starting = False
        self._handles[handle.run_id] = handle
        if self._session is None:
            self._session = handle.session_id
        self._live[handle.run_id] = RunState(run_id=handle.run_id, session_id=handle.session_id, agent=self._agent)
        for text in self._unsent:
            self._deliver(handle, text)
        self._unsent = []
        if self._stop_when_begun:
            self._asked_to_stop.add(handle.run_id)
            (handle.abort if self._stop_when_begun == "abort" else handle.stop)()
            self._stop_when_begun = ""

    def refused(self, text: str, problem: str) -> None:
        """The run could not be started: its messages go back to the person."""
        self._starting = False
        self._stop_when_begun = ""
        self.restored.extend((text, *self._unsent))
        self._unsent = []
        self.say(f"not started: {problem}", "error", stay=True)

    def changed(self, states: dict[str, RunState]) -> None:
        """New states of runs."""
        for run_id, state in states.items():
            if run_id not in self._handles:
                continue
            self._outdate_notice(self._live.get(run_id), state)
            self._live[run_id] = state
            if state.finished:
                self._ended(run_id, state)
            else:
                self._reopen(state)

    def _outdate_notice(self, before: RunState | None, after: RunState) -> None:
        """A passing remark gives way to what the run does now."""
        notice = self._notice
        changed = before is None or before.status != after.status
        if changed and notice is not None and notice.level == "info" and notice.until is not None:
            self._notice = None

    def _ended(self, run_id: str, state: RunState) -> None:
        del self._live[run_id]
        del self._handles[run_id]
        self._asked_to_stop.discard(run_id)
        undelivered = [item.text for item in queued_messages(state)]
        if undelivered:
            self.restored.extend(undelivered)
            self.say("the run ended before your queued message was delivered; it is back in the input", "warning")
        if state.session_id == self._session:
            self._past[run_id] = state
        self._answered = {known: of for known, of in self._answered.items() if of[0] != run_id}

    def _reopen(self, state: RunState) -> None:
        """Forget answers that are resolved, and those that the run refused, so that the card can ask again."""
        waiting = {call.approval.request_id for call in state.waiting_calls if call.approval is not None}
        for request_id, (run_id, known) in list(self._answered.items()):
            if run_id != state.run_id:
                continue
            if request_id not in waiting:
                del self._answered[request_id]
            elif refusals(state) > known:
                self.say("that answer was refused, see the transcript", "warning")
                del self._answered[request_id]

    def press_stop(self) -> bool:
        """Stop gracefully; pressed while stopping, abort. Whether there was something to stop."""
        run = self.view().live
        handle = self._current()
        if handle is None or run is None:
            if not self._starting:
                return False
            self._stop_when_begun = "abort" if self._stop_when_begun else "stop"
            return True
        # A second press may come before the screen has heard of the first.
        if run.status == "stopping" or run.run_id in self._asked_to_stop:
            handle.abort()
        else:
            self._asked_to_stop.add(run.run_id)
            handle.stop()
        return True

    def abort(self) -> bool:
        handle = self._current()
        if handle is not None:
            handle.abort()
        elif self._starting:
            self._stop_when_begun = "abort"
        return handle is not None or self._starting

    def toggle_pause(self) -> None:
        handle, run = self._current(), self.view().live
        if handle is None or run is None:
            return
        if run.status == "paused":
            handle.resume()
        else:
            handle.pause()
            self.say("pausing at the next boundary")

    def set_model(self, model: str, *, now: bool = False) -> None:
        """From the next request on; now: the open request is given up."""
        if model == self._model and not now:
            self.say(f"{model} is in use already")
            return
        handle = self._current()
        self._model, self._why = model, "chosen by you"
        if handle is None:
            self.say(f"{model} from the next message on")
            return
        handle.set_model(model, now=now)
        self.say(f"{model} {'now: the open request is given up' if now else 'from the next request on'}")

    def decide(
        self,
        request_id: str,
        decision: Decision,
        *,
        scope: Scope = "call",
        reason: str = "",
        arguments: JsonObject | None = None,
    ) -> None:
        """Answer an approval of the session shown; a request is answered once."""
        handle, run = self._current(), self.view().live
        if handle is None or run is None or request_id in self._answered:
            return
        self._answered[request_id] = (run.run_id, refusals(run))
        try:
            handle.decide(request_id, decision, scope=scope, reason=reason, arguments=arguments)
        except CommandError as error:
            del self._answered[request_id]
            self.say(str(error), "error")

    def show(self, session_id: str, title: str, runs: Sequence[RunState], model: str = "") -> None:
        """Show a stored session; what runs in another one goes on."""
        self._session, self._title = session_id, title
        self._past = {run.run_id: run for run in runs if run.run_id not in self._live}
        self._notice = None
        if model and not self._live_here():
            self._model, self._why = model, "the model of this session"

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

    def _current(self) -> Handle | None:
        """The live run of the session shown."""
        here = self._live_here() if self._session is not None else []
        return self._handles.get(here[-1]) if here else None
