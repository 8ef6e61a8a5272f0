"""What goes on beside the runs: processes in the background, and whether commands are caged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine import Notice, SandboxKnown
from tui.words import count

if TYPE_CHECKING:
    from runner.tools.sandbox import SandboxStatus
    from tui.engine import Engine
    from tui.view import View


class Beside:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sandbox: SandboxStatus | None = None

    def heard(self, notice: Notice) -> None:
        if isinstance(notice, SandboxKnown):
            self._sandbox = notice.status

    def add_to(self, view: View) -> View:
        here = 0 if view.session_id is None else self.running(view.session_id)
        return replace(view, in_background=here, sandbox=self._sandbox)

    def running(self, session_id: str | None = None) -> int:
        """How many processes run in the background of a session, or of all."""
        processes = self._engine.processes
        return 0 if processes is None else processes.count(session_id)

    def leave(self, session_id: str | None) -> str:
        """Another session is going to be shown: what runs in the background of this one ends, which is said."""
        running = 0 if session_id is None else self.running(session_id)
        if session_id is None or not running or not self._engine.leave_session(session_id):
            return ""
        return f"{count(running, 'background process', 'background processes')} ended with the session"

    def before_quitting(self, live: bool) -> str:
        """What a person is asked before the program ends; "" where nothing would be lost."""
        running = self.running()
        also = count(running, "background process", "background processes")
        if live:
            and_also = f", {also} with it" if running else ""
            return f"a run goes on: the same key again aborts it{and_also}, saves and quits; esc stays"
        return f"{also} will end: the same key again quits; esc stays" if running else ""
