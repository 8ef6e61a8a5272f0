"""The form of "allow for…": what is covered, how long, how far; it says in one sentence what saving will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from runner.events import ToolPattern
from tui.granting import (
    AMOUNTS,
    BOUNDS,
    SCOPES,
    GrantError,
    Terms,
    decision,
    edited,
    kind_of,
    label_of,
    leaves_out,
    offer_words,
    offers,
    sentence,
    written,
)
from tui.marked import marked
from tui.widgets.card_fields import CardInput
from tui.widgets.card_form import CardForm, FormError, Says
from tui.widgets.pick import Pick
from tui.words import cut

if TYPE_CHECKING:
    from runner.control.commands import Decide
    from runner.state import ApprovalView
    from tui.keymap import Keymap


class PatternRow(Horizontal):
    """A pattern that can be edited in place."""

    def __init__(self) -> None:
        super().__init__(classes="card-row")
        self.display = False
        self.label = Static("", classes="pattern-label", markup=False)
        self.field = CardInput()

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.field


class AllowForForm(CardForm):
    class TryAsked(Message):
        """What would these patterns have allowed?"""

        def __init__(self, patterns: tuple[ToolPattern, ...]) -> None:
            super().__init__()
            self.patterns = patterns

    def __init__(self, keys: Keymap, approval: ApprovalView) -> None:
        super().__init__(keys, answering="allow_for", head="allow for more than this call", saves="allow all that")
        self.needs = 12
        self._approval = approval
        self._offers = offers(approval)
        self._written: dict[tuple[int, int], str] = {}
        editable = [sum(kind_of(each.pattern) is not None for each in offer.patterns) for offer in self._offers]
        self._rows = [PatternRow() for _ in range(max(editable))]
        self._what = Pick([offer_words(offer) for offer in self._offers], listed=True, id="allow-what")
        self._scope = Pick([words for _, words in SCOPES], id="allow-scope")
        self._bound = Pick([words for _, words in BOUNDS], id="allow-bound")
        self._amount = CardInput(id="allow-amount")
        self._unit = Static("", classes="card-unit", markup=False)
        self._amounts: dict[str, str] = {}
        self._shown = -1

    def compose(self) -> ComposeResult:
        yield self._row("what", self._what)
        yield from self._rows
        yield self._row("how long", self._scope)
        yield self._row("how far", self._bound)
        self._amount_row = self._row("", self._amount, self._unit)
        self._amount_row.display = False
        yield self._amount_row

    def _row(self, label: str, *fields: Static | CardInput) -> Horizontal:
        return Horizontal(Static(label, classes="card-label", markup=False), *fields, classes="card-row")

    def on_mount(self) -> None:
        self._show_patterns()

    def extra(self) -> Sequence[tuple[str, str, str]]:
        return (("history", "try it on history", "try"),)

    @property
    def _offer(self) -> int:
        return self._what.chosen

    def _show_patterns(self) -> None:
        """The fields of the patterns that are chosen now, with what was written into them."""
        self._shown = self._offer
        patterns = self._offers[self._offer].patterns
        wanted = [(at, each) for at, each in enumerate(patterns) if kind_of(each.pattern) is not None]
        for index, row in enumerate(self._rows):
            row.display = index < len(wanted)
            if index < len(wanted):
                at, pattern = wanted[index]
                label = cut(label_of(pattern), 30)
                row.label.update(marked(label, "$muted"))
                value = self._written.get((self._offer, at), written(pattern.pattern))
                with row.field.prevent(CardInput.Changed):
                    row.field.value = value

    def altered(self, event: Message) -> None:
        if isinstance(event, Pick.Picked):
            if event.pick is self._what and self._shown != self._offer:
                self._show_patterns()
            elif event.pick is self._bound:
                self._show_amount()
            return
        self._keep()

    def _keep(self) -> None:
        bound = BOUNDS[self._bound.chosen][0]
        if bound in AMOUNTS:
            self._amounts[bound] = self._amount.value
        patterns = self._offers[self._offer].patterns
        wanted = [at for at, each in enumerate(patterns) if kind_of(each.pattern) is not None]
        for at, row in zip(wanted, self._rows, strict=False):
            self._written[self._offer, at] = row.field.value

    def _show_amount(self) -> None:
        bound = BOUNDS[self._bound.chosen][0]
        self._amount_row.display = bound in AMOUNTS
        if bound in AMOUNTS:
            first, unit = AMOUNTS[bound]
            self._unit.update(marked(unit, "$muted"))
            with self._amount.prevent(CardInput.Changed):
                self._amount.value = self._amounts.get(bound, first)

    def patterns(self) -> tuple[ToolPattern, ...]:
        """What is covered, as it was edited. Raises GrantError."""
        patterns = self._offers[self._offer].patterns
        return tuple(
            edited(each, self._written.get((self._offer, at), written(each.pattern)))
            for at, each in enumerate(patterns)
        )

    @property
    def _terms(self) -> Terms:
        return Terms(
            scope=SCOPES[self._scope.chosen][0], bound=BOUNDS[self._bound.chosen][0], amount=self._amount.value
        )

    def says(self) -> Says:
        try:
            patterns = self.patterns()
            words = f"allows {sentence(patterns, self._terms)}"
        except GrantError as error:
            return Says(str(error), "state-failed")
        if leaves_out(self._offers[self._offer], patterns):
            return Says(f"{words}; it must cover this very call too, and may not", "state-waiting")
        return Says(words, "foreground")

    def decision(self) -> Decide:
        try:
            return decision(self._approval, self.patterns(), self._terms)
        except GrantError as error:
            raise FormError(str(error)) from error

    def act(self, choice: str) -> None:
        if choice != "history":
            return
        try:
            self.post_message(self.TryAsked(self.patterns()))
        except GrantError as error:
            self.tell(str(error))
