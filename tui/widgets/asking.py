"""What the cards that ask have in common: when their keys count, and that typing never answers.

A card takes an answer only while it has the focus itself, only after a quiet moment, and never in a burst of keys:
what turns out to be typing goes to the message instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui.arming import BURST, Arming
from tui.keymap import Keymap
from tui.marked import marked
from tui.render.clean import clean
from tui.view import Answering
from tui.widgets.choices import NARROW, Choices, Option

MOST_LINES = 16
"""Lines of a card's body; the rest is scrolled to."""

BELOW = "#calls, #queue, #composer, #meters-line, #status, #keys"
"""What stays visible below a card."""


class Asking(Vertical, can_focus=True):
    """Subclasses say what is asked, which choices there are, and what a choice means."""

    DEFAULT_CLASSES: ClassVar[str] = "card"

    class Typed(Message):
        """Text that was meant for the message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The person goes back to the message."""

    def __init__(
        self,
        keys: Keymap,
        choices: Mapping[str, str],
        *,
        now: Callable[[], float],
        last_input: Callable[[], float],
        id: str | None = None,
    ) -> None:
        """choices: the ids of the choices' actions, and the choice each one is."""
        super().__init__(id=id)
        self.display = False
        self.arming = Arming()
        self._too_early = False
        self.keys = keys
        self._now = now
        self._last_input = last_input
        self._pending: tuple[str, str] | None = None
        self._typing = False
        self._timer: Timer | None = None
        self._decide_timer: Timer | None = None
        self._by_key = {key: choice for action_id, choice in choices.items() for key in keys.of(action_id)}

    def compose(self) -> ComposeResult:
        yield Static("", classes="card-title", markup=False)
        with VerticalScroll(classes="card-body", can_focus=False):
            yield Static("", classes="card-text", markup=False)
        yield Static("", classes="card-facts", markup=False)
        yield Choices()

    @property
    def title(self) -> Static:
        return self.query_one(".card-title", Static)

    @property
    def body(self) -> VerticalScroll:
        return self.query_one(".card-body", VerticalScroll)

    @property
    def text(self) -> Static:
        return self.query_one(".card-text", Static)

    @property
    def facts(self) -> Static:
        return self.query_one(".card-facts", Static)

    @property
    def choices(self) -> Choices:
        return self.query_one(Choices)

    @property
    def question_id(self) -> str:
        """What is asked now, "" for nothing."""
        raise NotImplementedError

    @property
    def answering(self) -> Answering:
        """What of the card has the focus."""
        raise NotImplementedError

    @property
    def deciding(self) -> bool:
        """A key was pressed that decides when no other one follows."""
        return self._pending is not None

    def options(self) -> Sequence[Option]:
        """The choices as they are offered now."""
        raise NotImplementedError

    def choose(self, choice: str) -> None:
        """Carry out a choice that counts."""
        raise NotImplementedError

    def close_input(self) -> None:
        """Take away a field in which something is being written."""
        raise NotImplementedError

    def show_again(self) -> None:
        """Show the question after a field was closed."""
        raise NotImplementedError

    def confirm_input(self) -> bool:
        """ctrl+s in a field; whether it means something there."""
        return False

    def remark(self, width: int) -> str:
        """What else the line over the choices says, in so many cells; not clean."""
        return ""

    def choice_of(self, key: str) -> str | None:
        """The choice that a key means now."""
        return self._by_key.get(key)

    def at_once(self, key: str) -> bool:
        """Carry out a key that decides nothing yet; whether it was one."""
        return False

    def clicked(self, choice: str) -> None:
        """A choice was clicked."""
        if self.has_focus and self.arming.armed:
            self.choose(choice)

    def take_focus(self) -> None:
        """Go to the card, or to the field that is open on it."""
        self.focus()

    def ask(self, marked: str) -> None:
        """Another question is up; marked: the choice that is safe."""
        self._forget_pending()
        self.choices.marked = marked
        self.body.scroll_home(animate=False)
        self.rearm()

    def fit(self, *, then: Callable[[], None] | None = None) -> None:
        """The body gets what is left when the choices, the message and a little of the transcript have theirs."""
        # On a very low screen the transcript gives its lines to what asks.
        spared = 0 if self.screen.has_class("-short") and self.screen.has_class("-asking") else 2
        self.share_out(self.screen.size.height - self._reserved() - spared)
        if then is not None:
            self.call_after_refresh(then)

    def _reserved(self) -> int:
        """Lines that everything but the body needs."""
        own = (self.title, self.facts, *self.above())
        below = [part for part in self.screen.query(BELOW) if part.display]
        lines = sum(part.size.height for part in own if part.display) + sum(part.outer_size.height for part in below)
        return lines + self.choices.lines + self.gutter.height

    def above(self) -> Sequence[Static]:
        """Lines between the title and the body."""
        return ()

    def share_out(self, lines: int) -> None:
        """So many lines are left for the body."""
        self.body.styles.max_height = max(1, min(MOST_LINES, lines))

    def say(self, text: str, token: str) -> None:
        """A sentence about a field that is open."""
        self.facts.add_class("-said")
        self.facts.remove_class("-empty")
        self.facts.update(marked(text, f"${token}"))

    def quiet(self) -> None:
        """That sentence is over."""
        self.facts.remove_class("-said")

    @property
    def narrow(self) -> bool:
        return self.screen.size.width < NARROW

    def show_choices(self) -> None:
        narrow = self.narrow
        if not self.has_focus:
            state = f"{self.keys.show('approval.focus')} to answer"
            words, token = (state if narrow else f"{state}; letters go to your message"), "state-waiting"
        elif self._pending is not None:
            words, token = "taking that answer", "state-ok"
        elif self.arming.armed:
            words, token = ("armed" if narrow else "armed: your next key decides"), "state-ok"
        elif self._too_early:
            words, token = ("not yet" if narrow else "too early, not taken: a moment, then again"), "state-waiting"
        else:
            words, token = ("wait" if narrow else "wait: the keys count after a quiet moment"), "muted"
        room = (self.choices.content_size.width or self.screen.size.width - 4) - len(words) - 3
        more = clean(self.remark(room)) if room > 4 else ""
        head = Content.assemble((words, f"${token}"), (f" · {more}" if more else "", "$state-waiting"))
        self.choices.show(self.options(), live=self.has_focus and self.arming.armed, head=head)

    def rearm(self) -> None:
        """The quiet moment begins again."""
        self._too_early = False
        self.arming.reset(self._now())
        self._check_arming()

    def _check_arming(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.question_id and self.has_focus:
            left = self.arming.wait(self._now(), self._last_input())
            if left > 0:
                self._timer = self.set_timer(left + 0.01, self._check_arming)
        self.show_choices()

    def _watch_has_focus(self, focus: bool) -> None:
        self._typing = False
        if not focus:
            self._forget_pending()
        self.rearm()

    def on_key(self, event: events.Key) -> None:
        if not self.has_focus:
            self.key_of_input(event)
            return
        choice = self.choice_of(event.key)
        typed = event.character if event.is_printable else None
        if typed and (self._pending is not None or self._typing):
            event.stop()
            self._type((self._pending[1] if self._pending else "") + typed)
        elif self.arming.armed and self.at_once(event.key):
            event.stop()
        elif (choice is not None and self.offers(choice)) or event.key == "enter":
            event.stop()
            self._press(choice or self.choices.marked, typed or "")
        elif typed:
            event.stop()
            self._type(typed)
        else:
            self.navigate(event)

    def offers(self, choice: str) -> bool:
        return any(option.id == choice for option in self.options())

    def navigate(self, event: events.Key) -> None:
        match event.key:
            case "up":
                self.body.scroll_relative(y=-1, animate=False)
            case "down":
                self.body.scroll_relative(y=1, animate=False)
            case "left":
                self.choices.move(-1)
            case "right":
                self.choices.move(1)
            case "escape":
                self.post_message(self.Left())
            case _:
                return
        event.stop()

    def _press(self, choice: str, typed: str) -> None:
        """A key that decides: it counts when armed, and when no further key shows that it was typing."""
        if not self.arming.armed:
            self._too_early = True
            self._check_arming()
            return
        self._forget_pending()
        self._pending = (choice, typed)
        self._decide_timer = self.set_timer(BURST, self._commit)
        self.show_choices()

    def _commit(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and self.has_focus and self.arming.armed:
            self.choose(pending[0])

    def _forget_pending(self) -> None:
        self._pending = None
        if self._decide_timer is not None:
            self._decide_timer.stop()
            self._decide_timer = None

    def _type(self, text: str) -> None:
        """It was typing: the text goes to the message, and nothing is decided."""
        self._forget_pending()
        self._typing = True
        self.arming.reset(self._now())
        self.post_message(self.Typed(text))

    def on_paste(self, event: events.Paste) -> None:
        if self.has_focus:
            event.stop()
            self._type(event.text)

    @on(Choices.Clicked)
    def _clicked(self, event: Choices.Clicked) -> None:
        event.stop()
        self.clicked(event.choice)

    def key_of_input(self, event: events.Key) -> None:
        """Keys that a field left over."""
        if event.key == "escape":
            event.stop()
            self.close_input()
            self.show_again()
            self.focus()
        elif event.key == "ctrl+s" and self.confirm_input():
            event.stop()


def each_choice(prefix: str, action_ids: Iterable[str], *without: str) -> dict[str, str]:
    """The choices of a group of actions: "approval.allow" is the choice "allow"."""
    return {
        action_id: action_id.partition(".")[2]
        for action_id in action_ids
        if action_id.startswith(f"{prefix}.") and action_id not in without
    }
