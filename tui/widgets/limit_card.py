"""The card of a limit: what is used up and why nothing goes on, and the ways on. It shows the state of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from runner.events import LimitReached
from tui.keymap import Keymap
from tui.limits import BY_NAME, as_written, next_value, read_value
from tui.render.clean import clean
from tui.render.limits import limit_name, limit_words, quantity
from tui.view import Answering
from tui.widgets.asking import Asking, each_choice
from tui.widgets.choices import Option

if TYPE_CHECKING:
    from runner.control.commands import LimitName
    from tui.actions import LimitChoice

SAFE = "stop"
"""What enter does unless another choice is marked: it costs nothing."""


class LimitCard(Asking):
    class Decided(Message):
        """limit, value: of a choice that sets it; None takes it off."""

        def __init__(self, choice: LimitChoice, limit: LimitName, value: Decimal | None = None) -> None:
            super().__init__()
            self.choice: LimitChoice = choice
            self.limit: LimitName = limit
            self.value = value

    def __init__(
        self, keys: Keymap, *, now: Callable[[], float], last_input: Callable[[], float], id: str | None = None
    ) -> None:
        super().__init__(keys, each_choice("limit", keys.keys, "limit"), now=now, last_input=last_input, id=id)
        self._asked: LimitReached | None = None
        self._question = ""
        self._pace = ""
        self._place = (1, 1)

    @property
    def question_id(self) -> str:
        return self._question

    @property
    def answering(self) -> Answering:
        if self.has_focus:
            return "limit"
        return "limit_value" if self.has_focus_within else ""

    def show(self, asked: LimitReached | None, pace: str = "", *, place: int = 1, of: int = 1) -> bool:
        """Show the limit that is asked about, or nothing. Whether a question came up that was not here before.

        pace: one sentence about how fast it is used. place, of: the question's place among all that wait.
        """
        question = "" if asked is None else f"{asked.run_id}:{asked.seq}"
        before, self._question, self._asked = self._question, question, asked
        told, self._pace, self._place = (self._pace, self._place), pace, (place, of)
        if question == before:
            if asked is not None and told != (self._pace, self._place) and not self.query(Input):
                self._describe()
            return False
        self.close_input()
        self.display = asked is not None
        if asked is None:
            return False
        self.ask(SAFE)
        self.show_again()
        return True

    def show_again(self) -> None:
        self._describe()
        self.show_choices()
        self.call_after_refresh(self.fit)

    def _describe(self) -> None:
        if self._asked is None:
            return
        place, of = self._place
        lead = "" if self.narrow else "waiting for you: "
        number = f"{place} of {of}: " if of > 1 else ""
        self.title.update(
            Content.assemble((f"{lead}{number}", "bold $state-waiting"), (limit_words(self._asked), "bold $foreground"))
        )
        self.text.update(Content.styled(clean(self._pace), "$muted"))
        self.body.display = bool(self._pace)

    def options(self) -> Sequence[Option]:
        asked = self._asked
        if asked is None:
            return ()
        name = limit_name(asked.limit)
        found: list[tuple[str, str, str]] = []
        # Where the price is unknown, no amount is high enough.
        if asked.why != "unknown_price":
            higher = quantity(asked.limit, next_value(asked))
            found += [("raise", f"raise to {higher}", f"to {higher}"), ("value", "another value", "value")]
        found += [
            ("off", f"no {name}", "off"),
            ("model", "another model", "model"),
            ("wrap_up", "wrap up: one last answer", "wrap up"),
            ("stop", "stop", "stop"),
        ]
        return [Option(choice, self.keys.show(f"limit.{choice}"), words, short) for choice, words, short in found]

    def on_resize(self) -> None:
        if self.answering in ("", "limit"):
            self.call_after_refresh(self.fit)

    def choose(self, choice: str) -> None:
        asked = self._asked
        if asked is None:
            return
        if choice == "value":
            self._write_value(asked)
            return
        value = next_value(asked) if choice == "raise" else None
        self._decide(cast("LimitChoice", choice), value)

    def _decide(self, choice: LimitChoice, value: Decimal | None) -> None:
        """The run's state takes the card away; until then it does not take the same key twice."""
        if self._asked is not None:
            self.rearm()
            self.post_message(self.Decided(choice, cast("LimitName", self._asked.limit), value))

    def _write_value(self, asked: LimitReached) -> None:
        limit = BY_NAME[asked.limit]
        field = Input(as_written(limit, next_value(asked)), classes="card-input", select_on_focus=True)
        self.mount(field, before=self.choices)
        self.choices.display = False
        self.say(f'the new {limit_name(asked.limit)}, or "off"; enter sets it, esc goes back', "muted")
        field.focus()

    def close_input(self) -> None:
        for field in self.query(Input):
            field.remove()
        self.quiet()
        self.choices.display = True

    @on(Input.Submitted)
    def _value_written(self, event: Input.Submitted) -> None:
        event.stop()
        asked = self._asked
        if asked is None:
            return
        try:
            value = read_value(BY_NAME[asked.limit], event.value, asked.value)
        except ValueError as error:
            self.say(str(error), "state-failed")
            return
        if value is not None and value <= asked.used:
            used = quantity(asked.limit, asked.used)
            self.say(f"{used} is used already: write more than that", "state-failed")
            return
        self.close_input()
        self.show_again()
        self.focus()
        self._decide("raise", value)
