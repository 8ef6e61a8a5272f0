"""What a person asks of the run that goes on; each is answered at once by a sentence or by the run's state."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from tui.limits import LIMITS, find_limit, read_value
from tui.render.limits import limit_name, quantity
from tui.widgets.call_list import call_words
from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.control.commands import LimitName
    from runner.state import CallItem
    from tui.actions import Order
    from tui.deck import Deck
    from tui.ports import Handle


class Orders:
    """Says why on the status line where something cannot be done."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self._pausing = ""
        self._deleted: list[tuple[str, str, int]] = []

    def _handle(self) -> Handle | None:
        handle = self._deck.current
        if handle is None:
            self._deck.say("nothing runs now")
        return handle

    def toggle_pause(self) -> None:
        """Pause at the next boundary; pressed again before it is reached, or while paused, go on."""
        handle, run = self._handle(), self._deck.run
        if handle is None or run is None:
            return
        if run.status == "paused" or self._pausing == handle.run_id:
            self._pausing = ""
            handle.resume()
            self._deck.say("going on")
        else:
            self._pausing = handle.run_id
            handle.pause()
            self._deck.say("pausing at the next boundary")

    def give(self, order: Order) -> None:
        handle = self._deck.current
        match order:
            case "compact" if handle is None:
                self._deck.compact_next = True
                self._deck.say("the older history is summarised before the next answer")
            case _ if handle is None:
                self._deck.say("nothing runs now")
            case "compact":
                handle.compact()
                self._deck.say("the older history is summarised before the next request")
            case "retry_now":
                handle.retry_now()
                self._deck.say("trying again now")
            case "next_model":
                handle.next_model()
                self._deck.say("going to the next model now")
            case "wrap_up":
                handle.wrap_up()
                self._deck.say("asking for one last answer without tools")

    def cancel(self, call: CallItem) -> None:
        """End one running tool call."""
        handle = self._handle()
        if handle is not None:
            handle.cancel_tool(call.call_id)
            self._deck.say(f"cancelling {cut(call_words(call), 60)}")

    def write_setting(self, name: Literal["effort", "temperature"], text: str) -> str:
        """An effort or a temperature as it was written, for the run that goes on and the runs to come.

        Returns what is wrong with it, "" where it is set.
        """
        from runner.models.fitting import DEFAULT, effort_problem, read_temperature

        if name == "effort":
            level = text.strip().lower()
            problem = effort_problem(level)
            if not problem:
                self._deck.set_model(effort=level)
            return problem
        try:
            value = read_temperature(text)
        except ValueError as error:
            return str(error)
        self._deck.set_model(temperature=DEFAULT if value is None else value)
        return ""

    def set_limit(self, name: LimitName, value: Decimal | None) -> None:
        """Of the run that goes on, and of nothing else."""
        handle = self._handle()
        if handle is not None:
            handle.set_limit(name, value)
            self._deck.say(f"{self._limit_words(name, value)} for this run")

    def write_limit(self, text: str) -> str:
        """A limit as it was written, "turns 80": for the run that goes on and for the runs to come.

        Returns what is wrong with it, "" where it is set.
        """
        name, _, value = text.strip().partition(" ")
        if not name:
            return f"which limit? {', '.join(limit.word for limit in LIMITS)}"
        run, handle = self._deck.run, self._deck.current
        try:
            limit = find_limit(name)
            current = run.limits.get(limit.name) if run is not None else self._deck.limits.get(limit.name)
            if not value.strip():
                return f'{limit.word} is {self._now(limit.name, current)}: write a value after it, or "off"'
            found = read_value(limit, value, current)
        except ValueError as error:
            return str(error)
        self._deck.limits[limit.name] = found
        if handle is not None:
            handle.set_limit(limit.name, found)
        since = "from now on" if handle is not None else "from the next message on"
        self._deck.say(f"{self._limit_words(limit.name, found)} {since}")
        return ""

    def _now(self, name: LimitName, current: Decimal | None) -> str:
        if current is not None:
            return quantity(name, current)
        return "off" if self._deck.run is not None else "as configured"

    def _limit_words(self, name: LimitName, value: Decimal | None) -> str:
        return f"{limit_name(name)} {'off' if value is None else quantity(name, value)}"

    def edit_message(self, message_id: str, text: str) -> bool:
        """Replace a message that waits; whether it still does."""
        handle, waiting = self._deck.current, self._deck.waiting
        if handle is None or waiting is None or message_id not in {item.item_id for item in self._deck.messages}:
            return False
        waiting.edit(message_id, text)
        handle.edit_message(message_id, text)
        return True

    def move_message(self, message_id: str, by: int) -> None:
        handle, waiting, run = self._deck.current, self._deck.waiting, self._deck.run
        if handle is None or waiting is None or run is None:
            return
        position = waiting.move(run, message_id, by)
        if position is None:
            self._deck.say("it is the first already" if by < 0 else "it is the last already")
        else:
            handle.move_message(message_id, position)

    def delete_message(self, message_id: str, undo_key: str) -> None:
        handle, waiting, messages = self._deck.current, self._deck.waiting, self._deck.messages
        index = next((n for n, item in enumerate(messages) if item.item_id == message_id), None)
        if handle is None or waiting is None or index is None:
            return
        text = messages[index].text
        waiting.delete(message_id)
        handle.delete_message(message_id)
        self._deleted.append((handle.run_id, text, index))
        # Without the list there is no key of the list, but up in an empty message finds what was sent.
        key = undo_key if len(messages) > 1 else "up"
        back = f", {key} brings it back" if key else ""
        self._deck.say(f"deleted: {cut(one_line(text), 30)}{back}")

    def undo_delete(self) -> None:
        """Send a deleted message again, to the place where it was."""
        handle = self._handle()
        if handle is None:
            return
        while self._deleted and self._deleted[-1][0] != handle.run_id:
            self._deleted.pop()
        if not self._deleted:
            self._deck.say("no message was deleted")
            return
        _, text, index = self._deleted.pop()
        last = len(self._deck.messages)
        message_id = handle.send(text)
        if index < last:
            handle.move_message(message_id, index)

    def deliver_now(self) -> None:
        handle = self._handle()
        if handle is None:
            return
        waiting = len(self._deck.messages)
        if not waiting:
            self._deck.say("no message waits for delivery")
            return
        handle.deliver_now()
        self.say_delivery(waiting)

    def say_delivery(self, number: int) -> None:
        """What becomes of messages that are to interrupt: a run that is paused delivers them when it goes on."""
        run = self._deck.run
        if run is None:
            return
        if run.limit_asked is not None:
            self._deck.say(f"{count(number, 'message waits', 'messages wait')} until the limit is answered")
        elif run.status == "paused":
            self._deck.say(f"the run is paused: {count(number, 'message follows', 'messages follow')} when it goes on")
        elif run.status != "stopping":
            self._deck.say(f"interrupting, to deliver {count(number, 'message')} now")
