"""A rule before it is saved: what it would have done to everything that the person was asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from runner.errors import QuarterdeckError
from runner.policy.history import Trial, Tried
from tui.preview import marked, pretty
from tui.render.clean import clean, visible
from tui.rule_line import EXPECTED, Draft, RuleLineError, as_rules, read, write
from tui.screens.picker import Picker
from tui.screens.save_rule import SaveRule
from tui.screens.viewer import Viewer
from tui.trials import (
    Trials,
    call_words,
    example_for,
    facts_of,
    is_contrary,
    ordered,
    past_of,
    summary,
    tools_of,
    unknown,
)
from tui.widgets.rows import Rows
from tui.words import cut, fit, one_line

if TYPE_CHECKING:
    from tui.desk import Desk
    from tui.settings.rule_file import Place, Saved

_ANSWERS = {"allow": "you allowed", "edit": "you edited", "deny": "you denied", "end_run": "you ended it"}
_PAUSE = 0.15
"""Seconds without typing after which a rule is tried."""


def open_trial(desk: Desk, argument: str) -> None:
    """The screen with a rule that was written, else with one that was proposed a moment ago, else with none."""
    draft = None if argument else desk.reflexes.take()
    desk.host.show_screen(TrialScreen(desk, draft, line=argument))


def open_trial_of(desk: Desk, draft: Draft) -> None:
    """The screen with a rule that was proposed somewhere else."""
    desk.host.show_screen(TrialScreen(desk, draft))


class TriedRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Tried)
        words, token = _became(row)
        request = row.request
        when = f" {request.time.astimezone():%m-%d %H:%M}  "
        said = fit(_ANSWERS.get(request.decision, "no answer"), 13) if width >= 70 else ""
        tool = fit(clean(one_line(request.tool)), 12 if width >= 96 else 10)
        room = width - len(when) - 13 - len(said) - cell_len(tool) - 1
        content = Content.assemble(
            (when, "$muted"),
            (fit(words, 13), token),
            (said, "$muted"),
            (f"{tool} ", "$foreground"),
            (cut(visible(one_line(call_words(request.arguments))), room), "$foreground"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


def _became(one: Tried) -> tuple[str, str]:
    """What the rule would make of a request, and its style; a contradiction to the person stands out."""
    if is_contrary(one):
        return ("! allowed" if one.effect == "allow" else "! denied"), "bold $state-failed"
    match one.effect:
        case "allow":
            return "✓ allowed", "$state-ok"
        case "deny":
            return "✗ denied", "$state-cancelled"
        case None:
            return "unknown tool", "$muted"
        case _:
            return "asks", "$muted"


class TrialScreen(Picker["Saved | None"]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "step(1)", show=False, priority=True),
        Binding("shift+tab", "step(-1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {"list.save": "save"}
    WRITES = True
    TITLE_TEXT = "Try a rule"
    SUBTITLE = "on what you were asked before; nothing is saved yet"

    def __init__(self, desk: Desk, draft: Draft | None = None, *, line: str = "") -> None:
        super().__init__()
        self._desk = desk
        self._draft = draft
        self._line = line
        self._trials: Trials | None = None
        self._trial: Trial | None = None
        self._tried_line: str | None = None
        self._choices: list[str] = []

    def make_rows(self) -> Rows:
        return TriedRows(id="picker-rows")

    def hint(self) -> str:
        choose = "tab wider, shift+tab narrower · " if self._choices else ""
        more = self.keys_of(("list.save", "saves the rule"), ("list.close", "closes"))
        return f"{choose}enter shows a request · {more}"

    def compose(self) -> ComposeResult:
        with Vertical(classes="picker"):
            title = Content.assemble((self.TITLE_TEXT, "bold $primary"), (f"  {self.SUBTITLE}", "$muted"))
            yield Static(title, classes="picker-title", markup=False)
            line = self._first_line()
            yield Input(value=line, placeholder=EXPECTED, classes="picker-filter", select_on_focus=False)
            yield Static("", classes="trial-summary", markup=False)
            yield self._list
            yield Static("", classes="picker-detail", markup=False)
            yield Static(Content.styled(self.hint(), "$key-label"), classes="picker-hint", markup=False)

    def _first_line(self) -> str:
        if self._draft is None or not self._draft.patterns:
            return visible(one_line(self._line))
        try:
            return write(self._draft.effect, self._draft.patterns)
        except RuleLineError:
            return ""

    def start(self) -> None:
        self._summary("reading what you were asked before", "muted")
        self.run_worker(self._open, exclusive=True, group="load", exit_on_error=False)

    async def _open(self) -> None:
        engine, settings = self._desk.engine, self._desk.settings
        try:
            past = await asyncio.wrap_future(engine.ask(past_of))
        except QuarterdeckError as error:
            # Without a store there is no past; a rule can be written all the same.
            self.say(str(error), "state-failed")
            past = ()
        tools = await asyncio.wrap_future(engine.background(lambda: tools_of(settings)))
        self._trials = Trials(past, settings.cwd, tools)
        await self._propose()
        await self._try()

    async def _propose(self) -> None:
        """Rules that would cover the call that this began with, from narrow to wide."""
        draft, trials = self._draft, self._trials
        if draft is None or draft.arguments is None or trials is None:
            return
        self._choices = await asyncio.wrap_future(
            self._desk.engine.background(lambda: _lines_for(draft, trials)),
        )
        self.query_one(".picker-hint", Static).update(Content.styled(self.hint(), "$key-label"))
        field = self.query_one(Input)
        if not field.value and self._choices:
            # The narrowest is the very call that was decided, which hardly needs a rule.
            field.value = self._choices[min(1, len(self._choices) - 1)]

    def refilter(self, keep: int = 0) -> None:
        """What is written changed."""
        if self._trials is not None:
            self.run_worker(partial(self._try, _PAUSE), exclusive=True, group="try", exit_on_error=False)

    async def _try(self, pause: float = 0.0) -> None:
        """Try the rule as it is written; while it cannot be read, nothing is claimed of it."""
        trials = self._trials
        line = self.query_one(Input).value
        if trials is None or line == self._tried_line:
            return
        await asyncio.sleep(pause)
        try:
            effect, patterns = read(line)
        except RuleLineError as error:
            self._trial = None
            self._tried_line = None
            self._list.set_rows(())
            self.say("")
            self._summary(f"not a rule yet: {error}" if line.strip() else f"such as {EXPECTED}", "state-waiting")
            return
        rules = as_rules(Draft(effect=effect, patterns=patterns))
        trial = await asyncio.wrap_future(self._desk.engine.background(lambda: trials.run(rules)))
        if self.is_mounted and self.query_one(Input).value == line:
            self._trial, self._tried_line = trial, line
            self._show(trial)

    def _show(self, trial: Trial) -> None:
        against = len(trial.allowed_but_denied) + len(trial.denied_but_allowed)
        missing = unknown(trial)
        text = self._words(trial) or "you were never asked about anything, so there is nothing to try it on"
        if missing:
            text += f"; {missing} of tools that are not known here"
        self._summary(text, "state-failed" if against else "state-ok" if trial.tried else "muted")
        self.items = ordered(trial)
        self._list.selected = 0
        self._list.set_rows(self.items)
        self.show_detail()

    def _words(self, trial: Trial) -> str:
        effect, _ = read(self._tried_line or "")
        return summary(effect, trial) if trial.tried else ""

    def _summary(self, text: str, token: str) -> None:
        self.query_one(".trial-summary", Static).update(Content.styled(clean(text), f"${token}"))

    def show_detail(self) -> None:
        self.query_one(".picker-detail", Static).update(self.detail(self._list.row), layout=False)

    def detail(self, item: object | None) -> Content:
        if not isinstance(item, Tried):
            return Content("")
        verdict = item.verdict
        why = "its tool is not known here" if verdict is None else f"{verdict.why} {verdict.rule}"
        reason = f" · your reason: {item.request.reason}" if item.request.reason else ""
        return Content.styled(clean(one_line(f"{why}{reason}")), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, Tried)
        self._desk.host.show_screen(Viewer(*_whole(item)))

    def action_step(self, by: int) -> None:
        """The next proposal, wider or narrower."""
        if not self._choices:
            return
        field = self.query_one(Input)
        place = self._choices.index(field.value) + by if field.value in self._choices else 0
        field.value = self._choices[max(0, min(place, len(self._choices) - 1))]
        field.cursor_position = len(field.value)

    def action_save(self) -> None:
        """Ask where to; only a rule whose trial is on the screen is saved."""
        line = self.query_one(Input).value
        trial, trials = self._trial, self._trials
        if trial is None or trials is None or line != self._tried_line:
            self.say("the rule is tried first, a moment", "state-waiting")
            return
        effect, patterns = read(line)
        draft = Draft(effect=effect, patterns=patterns)
        if self._draft is not None:
            draft = replace(draft, tool=self._draft.tool, arguments=self._draft.arguments)
        job = partial(self._ask_where, draft, trials, trial)
        self.run_worker(job, exclusive=True, group="save", exit_on_error=False)

    async def _ask_where(self, draft: Draft, trials: Trials, trial: Trial) -> None:
        draft = await asyncio.wrap_future(
            self._desk.engine.background(lambda: example_for(draft, trials, trial)),
        )
        settings = self._desk.settings
        screen = SaveRule(draft, self._words(trial), cwd=settings.cwd, environ=settings.environ)

        def save(chosen: tuple[Place, str] | None) -> None:
            if chosen is not None:
                self.run_worker(partial(self._save, draft, *chosen), exclusive=True, group="save", exit_on_error=False)

        self._desk.host.show_screen(screen, save)

    async def _save(self, draft: Draft, place: Place, note: str) -> None:
        from tui.settings.build import policy_rules
        from tui.settings.rule_file import save_rules

        settings, now = self._desk.settings, datetime.now(UTC)

        def write_it() -> Saved:
            return save_rules(place, as_rules(draft, note=note), cwd=settings.cwd, environ=settings.environ, now=now)

        try:
            saved = await asyncio.wrap_future(self._desk.engine.background(write_it))
        except QuarterdeckError as error:
            self.say(str(error), "state-failed")
            return
        self._desk.engine.add_rules(policy_rules(saved.rules, settings.cwd))
        self._desk.deck.say(f"saved, and it counts from the next run on: {saved.rules[0].source}", stay=True)
        self._desk.repaint()
        self.leave(saved)


def _lines_for(draft: Draft, trials: Trials) -> list[str]:
    from runner.events import ToolPattern
    from runner.policy import suggest

    facts = facts_of(trials.tools, draft.tool, draft.arguments or {}, trials.cwd)
    lines: list[str] = []
    for choice in () if facts is None else suggest(facts):
        patterns = [ToolPattern(tool=tool, pattern=pattern) for tool, pattern in choice.patterns]
        try:
            line = write(draft.effect, patterns)
            read(line)
        except RuleLineError:
            continue
        lines.append(line)
    return lines


def _whole(one: Tried) -> tuple[Content, Content]:
    """A request with its answer and what the rule would have done, for a screen of its own."""
    request, verdict = one.request, one.verdict
    words, token = _became(one)
    title = Content.assemble((clean(one_line(request.tool)), "bold $foreground"), (f"  {words}", token))
    answer = _ANSWERS.get(request.decision, "nobody answered")
    facts: Sequence[str] = (
        f"{request.time.astimezone():%Y-%m-%d %H:%M}, session {request.session_id}",
        f"{answer}{f': {request.reason}' if request.reason else ''}",
        "its tool is not known here" if verdict is None else f"{verdict.why} ({verdict.rule})",
    )
    lines = [marked(one_line(fact), "$muted") for fact in facts]
    command = request.arguments.get("command")
    shown = marked(command, "$foreground") if isinstance(command, str) else Content("")
    parts = [*lines, Content(""), shown, Content.styled("\nArguments", "bold $primary"), pretty(request.arguments)]
    return title, Content("\n").join(parts)
