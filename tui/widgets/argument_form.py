"""Arguments, edited in place: a field each by the type of its value, or all of them as JSON. Also a form that somebody
asks a person to fill in, from its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from runner.control.commands import Decide
from tui.form_fields import (
    Field,
    FieldError,
    as_json,
    fields_of,
    fields_of_schema,
    filled,
    read_fields,
    read_json,
)
from tui.marked import marked
from tui.widgets.card_fields import CardInput, CardText
from tui.widgets.card_form import CardForm, FormError, Says
from tui.widgets.pick import Pick
from tui.words import one_line

if TYPE_CHECKING:
    from runner.messages import JsonObject
    from runner.state import ApprovalView
    from tui.keymap import Keymap


class FieldRow(Vertical):
    """A name, what the asker says about it, and the field."""

    def __init__(self, field: Field, passes: frozenset[str]) -> None:
        super().__init__(classes="field-row")
        self.field = field
        match field.kind:
            case "integer" | "number":
                self.editor: CardInput | CardText | Pick = CardInput(field.value)
            case "boolean" | "choice":
                chosen = field.choices.index(field.value) if field.value in field.choices else -1
                self.editor = Pick(field.choices, chosen=chosen, listed=len(field.choices) > 4)
            case "text" | "json":
                self.editor = CardText(field.value, passes=passes)

    def compose(self) -> ComposeResult:
        field = self.field
        kind = {"integer": "a whole number", "number": "a number", "json": "as JSON"}.get(field.kind, "")
        notes = [kind, "may be left empty" if field.optional else "", one_line(field.remark)]
        name = marked(one_line(field.name), "bold $foreground")
        yield Static(name + marked("  " + ", ".join(note for note in notes if note), "$muted"), markup=False)
        yield self.editor

    @property
    def written(self) -> str:
        match self.editor:
            case CardInput(value=value):
                return value
            case CardText(text=text):
                return text
            case Pick(chosen=chosen, options=options):
                return options[chosen] if chosen >= 0 else ""


class ArgumentForm(CardForm):
    """before: the arguments as they are. schema: of a form to be filled in, whose object is the answer."""

    class EditorAsked(Message):
        """text: what a real editor is wanted for. suffix: of a file that holds such text."""

        def __init__(self, text: str, suffix: str) -> None:
            super().__init__()
            self.text = text
            self.suffix = suffix

    def __init__(
        self,
        keys: Keymap,
        approval: ApprovalView,
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        asked = schema is not None
        super().__init__(
            keys,
            answering="form" if asked else "edit",
            head="fill in the form" if asked else "edit the arguments",
            saves="send this answer" if asked else "allow it as edited",
        )
        self._approval = approval
        self._schema = schema
        self._before: JsonObject = {} if asked else approval.arguments
        self._rows = self._made(self._before)
        self._raw = CardText(as_json(self._before), passes=self.passes, id="card-edit")
        self._is_raw = not self._rows
        self._outside: FieldRow | None = None

    def _made(self, values: Mapping[str, object]) -> list[FieldRow]:
        """Fields for these values; none where they are better edited as JSON."""
        fields = fields_of(values) if self._schema is None else filled(fields_of_schema(self._schema), values)
        return [FieldRow(field, self.passes) for field in fields or ()]

    def compose(self) -> ComposeResult:
        yield from self._rows
        yield self._raw

    def on_mount(self) -> None:
        self._show_mode()

    def _show_mode(self) -> None:
        for row in self._rows:
            row.display = not self._is_raw
        self._raw.display = self._is_raw

    def extra(self) -> Sequence[tuple[str, str, str]]:
        turn = ("raw", "as fields", "fields") if self._is_raw else ("raw", "as JSON", "JSON")
        return turn, ("editor", "in your editor", "editor")

    def arguments(self) -> JsonObject:
        """What was written. Raises FormError."""
        try:
            if self._is_raw:
                return read_json(self._raw.text)
            return read_fields([row.field for row in self._rows], [row.written for row in self._rows])
        except FieldError as error:
            raise FormError(str(error)) from error

    def says(self) -> Says:
        try:
            found = self.arguments()
        except FormError as error:
            return Says(str(error), "state-failed")
        if self._schema is not None:
            return Says("what is sent goes to the one who asks")
        names = [name for name in {**self._before, **found} if _differs(name, self._before, found)]
        return Says(f"changed: {', '.join(map(one_line, names))}" if names else "nothing is changed yet")

    def decision(self) -> Decide:
        found = self.arguments()
        request_id = self._approval.request_id
        if self._schema is not None:
            return Decide(request_id=request_id, decision="answer", arguments=found)
        if as_json(found) == as_json(self._before):
            return Decide(request_id=request_id, decision="allow")
        return Decide(request_id=request_id, decision="edit", arguments=found)

    def act(self, choice: str) -> None:
        if choice == "raw":
            self._turn()
        elif choice == "editor":
            row = next((row for row in self._rows if not self._is_raw and row.editor.has_focus), None)
            self._outside = row if row is not None and row.field.kind == "text" else None
            if self._outside is not None:
                self.post_message(self.EditorAsked(self._outside.written, ".txt"))
            else:
                self.post_message(self.EditorAsked(self._raw.text if self._is_raw else self._as_json(), ".json"))

    def put_back(self, text: str) -> None:
        """What came back from the editor, good or bad; a text to its field, anything else as JSON."""
        row, self._outside = self._outside, None
        if row is not None and isinstance(row.editor, CardText):
            row.editor.load_text(text.removesuffix("\n") if not row.written.endswith("\n") else text)
        else:
            self._raw.load_text(text)
            self._is_raw = True
            self._show_mode()
        self.call_after_refresh(self.enter)

    def _as_json(self) -> str:
        try:
            return as_json(self.arguments())
        except FormError:
            return as_json(self._before)

    def _turn(self) -> None:
        """From fields to JSON and back, with what was written; what cannot be read stays as it is."""
        try:
            found = self.arguments()
        except FormError as error:
            self.tell(str(error))
            return
        if self._is_raw:
            self._show_fields(found)
        else:
            self._raw.load_text(as_json(found))
            self._is_raw = True
        self._show_mode()
        self.call_after_refresh(self.enter)
        self.post_message(self.Altered())

    def _show_fields(self, values: JsonObject) -> None:
        rows = self._made(values)
        if not rows:
            self.tell("these arguments are edited as JSON only")
            return
        for row in self._rows:
            row.remove()
        self._rows, self._is_raw = rows, False
        self.mount_all(rows, before=self._raw)


def _differs(name: str, one: JsonObject, other: JsonObject) -> bool:
    return name not in one or name not in other or as_json(one[name]) != as_json(other[name])
