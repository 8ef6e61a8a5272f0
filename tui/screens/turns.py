"""Every turn of a session: fork after one, go back before its prompt to edit it, or rewind conversation and files."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runner.errors import QuarterdeckError
from runner.review.turns import KINDS, Turn, prompt_of, turns
from runner.undo.plan import Selection
from tui.branching import Branch
from tui.render.clean import clean
from tui.screens.steady import Steady
from tui.turn_words import ALL, Rewind, fork_preview, obstacles, place_words, rewind_preview, turn_body, turn_row
from tui.undo_words import diff_body, outcome_words, remarks
from tui.undoing import Shown, Undoing
from tui.widgets.rows import Rows
from tui.words import count

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.base import SessionSummary
    from runner.undo.history import History
    from tui.desk import Desk


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to fork, None for no fork; and what was done already."""

    branch: Branch | None
    said: str = ""


def open_turns(desk: Desk, argument: str = "") -> None:
    """argument: the id of a session, else that of the one shown; or the number of a turn to begin with."""
    number = int(argument) if argument.isdecimal() and len(argument) < 6 else 0
    session_id = desk.deck.view().session_id if number or not argument else argument
    if session_id is None:
        desk.deck.say("nothing was said yet")
        return
    desk.host.show_screen(TurnsScreen(desk, session_id, number), lambda chosen: _left(desk, chosen))


def _left(desk: Desk, chosen: Chosen | None) -> None:
    if chosen is not None and chosen.branch is not None:
        desk.branching.fork(chosen.branch, chosen.said)
    elif chosen is not None and chosen.said:
        desk.deck.say(chosen.said)
    desk.repaint()


class TurnRows(Rows):
    """kept: the turns up to this number are what a rewind keeps, None where none is asked for."""

    kept: int | None = None

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Turn)
        behind = self.kept is not None and row.number > self.kept
        content = turn_row(row, width, datetime.now().astimezone(), behind=behind).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class TurnsScreen(Steady[Chosen | None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "close", show=False, priority=True),
        Binding("f", "fork", show=False, priority=True),
        Binding("e", "edit", show=False, priority=True),
        Binding("w,tab", "rewind", show=False, priority=True),
        Binding("m", "model", show=False, priority=True),
        Binding("a", "agent", show=False, priority=True),
        Binding("space", "page(1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.page_down": "page(1)",
        "list.page_up": "page(-1)",
        "list.choose": "choose",
        "list.close": "close",
    }

    def __init__(self, desk: Desk, session_id: str, number: int = 0) -> None:
        super().__init__()
        self._desk = desk
        self._session = session_id
        self._wanted = number
        self._folder = desk.deck.view().workspace
        self._undoing = Undoing(desk, session_id)
        self._turns: list[Turn] = []
        self._rewind: Rewind | None = None
        self._before = False
        self._plan: Shown | None = None
        self._model = ""
        self._agent = ""
        self._busy = False
        self._live = False
        self._rows = TurnRows(id="turns-rows", empty="")

    def compose(self) -> ComposeResult:
        yield Static("", id="turns-title", classes="viewer-title", markup=False)
        with Container(classes="undo-main"):
            yield self._rows
            with VerticalScroll(id="turns-text"):
                yield Static("", id="turns-body", markup=False)
        yield Static("", id="turns-detail", markup=False)
        yield Static("", classes="picker-hint", id="turns-hint", markup=False)

    def on_mount(self) -> None:
        self._rows.focus()
        self._work(self._load())

    def _work(self, job: Coroutine[Any, Any, None]) -> None:
        self.run_worker(job, group="turns", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        def read(store: Store) -> tuple[SessionSummary, list[Turn]]:
            summary = store.session(self._session)
            return summary, turns(store.facts(summary.session_id, KINDS))

        self._say("loading")
        try:
            summary, self._turns = await asyncio.wrap_future(self._desk.engine.ask(read))
            self._session, self._folder = summary.session_id, summary.workspace
            self._live = summary.live and not self._runs_here
            self._undoing = Undoing(self._desk, self._session)
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        head = Content.assemble(
            ("Turns", "bold $primary"),
            (f"  {count(len(self._turns), 'turn')}, ", "$muted"),
            (f"{count(sum(bool(turn.prompt) for turn in self._turns), 'prompt')} of ", "$muted"),
            (clean(" ".join(summary.title.split())) or "this session", "$foreground"),
        )
        self.query_one("#turns-title", Static).update(head)
        self._rows.set_rows(self._turns, follow=True)
        if self._wanted:
            self._rows.select(self._wanted - 1)
        self._show()

    # What is selected

    @property
    def _turn(self) -> Turn | None:
        row = self._rows.row
        return row if isinstance(row, Turn) else None

    @property
    def _runs_here(self) -> bool:
        """Whether a run of the session goes on in this program."""
        return any(run.session_id == self._session for run in self._desk.deck.live_runs)

    def _branch(self, turn: Turn, *, before: bool) -> Branch:
        """The fork after a turn, or before the prompt that it belongs to."""
        start = prompt_of(self._turns, turn.number - 1) if before else None
        if before and start is None:
            start = self._turns[0]
        run_id, number, after = turn.run_id, turn.turn, turn.number
        if start is not None:
            run_id, number, after = start.run_id, start.turn - 1, start.number - 1
        later = [path for each in self._turns[after:] for path in each.files]
        return Branch(
            session_id=self._session,
            run_id=run_id,
            turn=number,
            after=after,
            prompt="" if start is None else start.prompt,
            model=self._model,
            agent=self._agent,
            changed=tuple(dict.fromkeys(later)),
        )

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._show()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        """A click on the selected row only selects: what enter does is asked for by a key."""
        event.stop()

    def _show(self) -> None:
        self._plan = None
        turn = self._turn
        if turn is None:
            self._say("this session has no turns yet")
            return
        self._rows.kept = None
        if self._rewind in ("both", "conversation"):
            self._rows.kept = self._branch(turn, before=self._before).after
        self._rows.redraw()
        self.query_one("#turns-body", Static).update(turn_body(turn, self._folder))
        self.query_one("#turns-text").scroll_home(animate=False)
        self._tell()
        if self._rewind in ("both", "files"):
            self._work(self._look(turn))

    def _tell(self) -> None:
        """What the keys would do now."""
        turn = self._turn
        if turn is None:
            return
        if self._rewind is None:
            said = fork_preview(turn.number, len(self._turns), turn.finished)
            self._say("; ".join(filter(None, (said, self._with()))), "foreground" if turn.finished else "muted")
        else:
            what, why = self._preview(turn)
            words = {"both": "conversation and files", "conversation": "the conversation", "files": "files"}
            self._say(f"rewind {words[self._rewind]}: {what}", "state-failed" if why else "state-waiting")
        self._hint()

    def _with(self) -> str:
        chosen = [f"with {self._model}" if self._model else "", f"agent {self._agent}" if self._agent else ""]
        return ", ".join(filter(None, chosen))

    def _preview(self, turn: Turn) -> tuple[str, str]:
        assert self._rewind is not None
        branch = self._branch(turn, before=self._before)
        if self._rewind != "conversation" and (why := self._refused()):
            return why, why
        if self._rewind != "files" and not self._before and not turn.finished:
            unfinished = fork_preview(turn.number, len(self._turns), finished=False)
            return unfinished, unfinished
        place = place_words(branch.after, len(self._turns))
        plan = None if self._plan is None else self._plan.plan
        return rewind_preview(self._rewind, place, plan, self._folder, len(self._turns) - branch.after)

    def _refused(self) -> str:
        """Why no file may be put back now."""
        if self._runs_here:
            return "a run goes on in this session; stop it first"
        return "another program runs this session; stop it there first" if self._live else self._undoing.busy()

    async def _look(self, turn: Turn) -> None:
        """The diffs of what a rewind would put back."""
        try:
            history = await self._undoing.load()
            keys = self._later_keys(history, self._branch(turn, before=self._before).after)
            self._plan = await self._undoing.plan(Selection(turns=keys))
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        shown = self._plan
        width = max(20, self.query_one("#turns-text").content_size.width)
        parts = [diff_body(file, diff, self._folder, width) for file, diff in shown.diffs]
        parts += [Content.styled(remark, "$state-waiting") for remark in remarks(shown.plan.turns)]
        if not parts:
            parts = [Content.styled("no file was changed after that", "$muted")]
        self.query_one("#turns-body", Static).update(Content("\n\n").join(parts))
        self._tell()

    def _later_keys(self, history: History, after: int) -> frozenset[tuple[str, int]]:
        """The turns that changed files after so many; those of sub-agents are told by the time."""
        places = {(turn.run_id, turn.turn): turn.number for turn in self._turns}
        runs = {turn.run_id for turn in self._turns}
        last = self._turns[after - 1] if after else None
        end = (last.time + timedelta(seconds=last.seconds)).timestamp() if last is not None else 0.0
        return frozenset(
            turn.key
            for turn in history.turns
            if (places.get(turn.key, after + 1) > after if turn.key[0] in runs else turn.time > end)
        )

    # Keys

    def action_choose(self) -> None:
        if self._rewind is None:
            self.action_fork()
        else:
            self._begin_rewind()

    def action_fork(self) -> None:
        turn = self._turn
        if turn is not None and turn.finished and not self._busy:
            self.leave(Chosen(self._branch(turn, before=False)))

    def action_edit(self) -> None:
        """Before the prompt; in a rewind it says that the rewind goes there."""
        turn = self._turn
        if turn is None or self._busy:
            return
        if self._rewind is not None:
            self._before = not self._before
            self._show()
        else:
            self.leave(Chosen(self._branch(turn, before=True)))

    def action_rewind(self) -> None:
        """The first press asks, further ones choose what goes back."""
        if self._turn is None or self._busy:
            return
        self._rewind = "both" if self._rewind is None else ALL[(ALL.index(self._rewind) + 1) % len(ALL)]
        self._show()

    def _begin_rewind(self) -> None:
        turn = self._turn
        if turn is None or self._busy or self._rewind is None or self._preview(turn)[1]:
            return
        branch = None if self._rewind == "files" else self._branch(turn, before=self._before)
        if branch is not None and self._rewind == "both":
            # They go back first, or there is no fork.
            branch = replace(branch, changed=())
        if self._rewind == "conversation" or self._plan is None or not self._plan.plan.ready:
            self.leave(Chosen(branch))
            return
        self._busy = True
        self._say("putting files back", "state-waiting")
        # In a group of its own: nothing ever cuts what changes files.
        self.run_worker(self._restore(self._plan, branch), group="turns change", exit_on_error=False)

    async def _restore(self, shown: Shown, branch: Branch | None) -> None:
        """Files first; where one of them could not go back, the conversation stays, and both are said."""
        try:
            # The files are looked at once more: somebody may have changed one since they were shown.
            self._plan = await self._undoing.plan(shown.plan.selection)
            if obstacles(self._plan.plan, self._folder):
                return self._tell()
            outcome = await self._undoing.restore(self._plan.plan, ())
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        finally:
            self._busy = False
        said = outcome_words(outcome, self._folder, redo=False)
        if outcome.left:
            self._rewind = None
            stays = "; the conversation stays as it is" if branch is not None else ""
            self._say(f"{said}{stays}", "state-failed")
            return
        again = f"{said}; /undo in the old session can do it again" if branch is not None else f"{said}; /undo and r"
        self.leave(Chosen(branch, again))

    def action_model(self) -> None:
        def chosen(name: str) -> None:
            self._model = name
            self._tell()

        self._desk.branching.pick_model(chosen)

    def action_agent(self) -> None:
        names = list(self._desk.branching.agents)
        now = self._agent or self._desk.deck.view().agent
        self._agent = names[(names.index(now) + 1) % len(names) if now in names else 0]
        self._tell()
        if len(names) < 2:
            self._say(f"{now} is the only agent; your configuration can have more: [agents.NAME]")

    def action_page(self, by: int) -> None:
        body = self.query_one("#turns-text")
        body.scroll_relative(y=by * max(1, body.size.height - 1), animate=False)

    def action_close(self) -> None:
        if self._busy:
            return
        if self._rewind is not None:
            self._rewind, self._before = None, False
            self._show()
        else:
            self.leave()

    def _hint(self) -> None:
        if self._rewind is None:
            keys = ["f fork", "e edit prompt", "w rewind", "m model", "a agent", "esc closes"]
        else:
            place = "e after this turn" if self._before else "e before its prompt"
            turn = self._turn
            does = [] if turn is None or self._preview(turn)[1] else ["enter does it"]
            keys = [*does, "w what goes back", place, "space scrolls", "esc back"]
        self.query_one("#turns-hint", Static).update(Content.styled(" · ".join(keys), "$key-label"))

    def _say(self, text: str, token: str = "muted") -> None:
        self.query_one("#turns-detail", Static).update(Content.styled(clean(text), f"${token}"))
