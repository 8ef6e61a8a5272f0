"""The form that is open on a card, and those that were left: what was written is kept until the call is decided.

A form is saved only by a key that stands alone: what comes in one go with other input is a paste, and saves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeAlias

from tui.arming import BURST
from tui.widgets.card_form import CardForm, FormError

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.widget import Widget

    from runner.control.commands import Decide

Key: TypeAlias = "tuple[str, str]"
"""Which form: the request's id, and what kind of form."""

PASTE_GAP = 0.05
"""Seconds between two inputs that a person cannot press apart."""

MOST_KEPT = 4
"""Forms that are kept although they are not open."""


class CardForms:
    def __init__(self, card: Widget, *, now: Callable[[], float], last_input: Callable[[], float]) -> None:
        self._card = card
        self._now = now
        self._last_input = last_input
        self._open: tuple[Key, CardForm] | None = None
        self._left: dict[Key, CardForm] = {}
        self._written_at = float("-inf")
        self._saving: Timer | None = None

    @property
    def open(self) -> CardForm | None:
        return None if self._open is None else self._open[1]

    @property
    def quiet(self) -> bool:
        """Whether a key that comes now would stand alone."""
        return self._now() - self._written_at >= PASTE_GAP

    @property
    def saving(self) -> bool:
        """A key that saves was pressed, and may still turn out to be a part of other input."""
        return self._saving is not None

    def show(self, key: Key, make: Callable[[], CardForm], before: Widget) -> CardForm:
        """Open a form, as it was left where it was open before."""
        self.close()
        form = self._left.pop(key, None)
        if form is None:
            form = make()
            self._card.mount(form, before=before)
        form.display = True
        self._open = key, form
        self._card.call_after_refresh(form.enter)
        return form

    def close(self) -> None:
        """Put the open form away."""
        self._stop_saving()
        if self._open is None:
            return
        (key, form), self._open = self._open, None
        form.display = False
        self._left[key] = form
        while len(self._left) > MOST_KEPT:
            self._left.pop(next(iter(self._left))).remove()

    def kept(self, request_id: str) -> Key | None:
        """The form of a request that was left last."""
        return next((key for key in reversed(self._left) if key[0] == request_id), None)

    def keep_only(self, request_ids: Collection[str]) -> None:
        """Take away the forms of requests that are over."""
        for key in [key for key in self._left if key[0] not in request_ids]:
            self._left.pop(key).remove()

    def written(self) -> None:
        """Something was written or chosen."""
        self._written_at = self._now()
        self._stop_saving()

    def save(self, done: Callable[[Decide], None]) -> None:
        """A key that saves; done: what to do with the answer, when it is one."""
        form = self.open
        if form is None or self._saving is not None:
            return
        if not self.quiet:
            form.tell("that key came together with other input: press it again to save")
            return
        pressed = self._last_input()

        def commit() -> None:
            self._saving = None
            if form is not self.open or self._last_input() != pressed:
                return
            try:
                answer = form.decision()
            except FormError as error:
                form.tell(str(error))
            else:
                done(answer)

        self._saving = self._card.set_timer(BURST, commit)

    def _stop_saving(self) -> None:
        if self._saving is not None:
            self._saving.stop()
            self._saving = None
