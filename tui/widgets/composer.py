"""Where messages are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.history import History
from tui.pastes import is_large
from tui.widgets.completion import CompletionPopup, Word
from tui.widgets.folding import FoldingArea

WRITE = "Write a message"

_FILE_WORD = re.compile(r"(?:^|(?<=[\s(\[\"'`]))@([^\s@]*)$")
_COMMAND_WORD = re.compile(r"^/([a-z-]*|[a-z0-9_-]+:\S*)$")
_SHELL_WORD = re.compile(r"^(!!?)")
_ARGUMENT_WORD = re.compile(r"^/([a-z-]+) +(\S*)$")
_LIMIT_WORD = re.compile(r"^/limit +([a-z_-]*)$")
_VALUE_WORD = re.compile(r"^/limit +(\S+) +(\S*)$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _nothing() -> bool:
    return False


def _as_it_is(text: str) -> str:
    return ""


def _nobody() -> None:
    """Nobody wants to know."""


class Search(Protocol):
    """A search for an earlier message, which is written in the place of the message."""

    def take(self, text: str) -> None: ...

    def leave(self) -> None: ...

    def widen(self) -> None: ...


def pasted(text: str) -> tuple[str, int]:
    """Pasted text as it goes into the message, and how many characters were left out that nobody could have seen.

    Line ends are made one kind; control characters are taken out and not counted, a terminal sends them unasked.
    """
    from tui.render.clean import without_unseen

    return without_unseen(_CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def word_at(line: str, column: int, *, first_line: bool) -> Word | None:
    """The word before the cursor that can be completed, or what is said of it."""
    before = line[:column]
    if first_line and (found := _SHELL_WORD.match(line)):
        return Word("shell", found[1], 0)
    if found := _FILE_WORD.search(before):
        return Word("file", found[1], found.start(1) - 1)
    if not first_line:
        return None
    if found := _COMMAND_WORD.match(before):
        return Word("command", found[1], 0)
    if found := _LIMIT_WORD.match(before):
        return Word("limit", found[1], found.start(1))
    if found := _VALUE_WORD.match(before):
        return Word("value", found[2], found.start(2), found[1])
    if found := _ARGUMENT_WORD.match(before):
        return Word("argument", found[2], found.start(2), found[1])
    return None


class Composer(FoldingArea):
    """A text area that sends. `keys` maps the keys of the composer's actions to their ids; ask carries one out.

    ask is called at once, not by a message: what is typed after the key must not be a part of what it sends.
    """

    # The letters that TextArea binds to cut, copy and paste stay; ctrl+c and the like reach the program first.
    # ctrl+z is the shell's everywhere, so undo has the key that shells give it.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+underscore", "undo", show=False)]

    class LeftOut(Message):
        """A paste held so many characters that nobody could have seen."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Completing(Message):
        """The word to complete changed; None = nothing to complete."""

        def __init__(self, word: Word | None) -> None:
            super().__init__()
            self.word = word

    def __init__(
        self, popup: CompletionPopup, keys: Mapping[str, str], ask: Callable[[str], None], *, id: str | None = None
    ) -> None:
        super().__init__(id=id, highlight_cursor_line=False, placeholder=Content(WRITE))
        self.cursor_blink = False
        self.up: Callable[[], bool] = _nothing
        """Asked at up in an empty message; whether that went somewhere else."""
        self.escape: Callable[[], bool] = _nothing
        """Asked at escape; whether there was something to leave."""
        self.changed: Callable[[], None] = _nobody
        """Told when what is written changed."""
        self.name_paste: Callable[[str], str] = _as_it_is
        """Asked at a paste; what to write in its place, "" for the paste itself."""
        self.searching: Search | None = None
        """While an earlier message is searched for."""
        self.history_of_messages = History()
        self._popup = popup
        self._keys = dict(keys)
        self._ask = ask
        self._word: Word | None = None
        self._replacing = False

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    @property
    def word(self) -> Word | None:
        """The word that can be completed now."""
        return self._word

    def insert_newline(self) -> None:
        self.insert("\n")

    def take(self) -> str:
        """The message, which is then remembered and gone from here."""
        text = self.message
        self.close_completion()
        self.replace_all("")
        return text

    def replace_all(self, text: str) -> None:
        """Show another text, the cursor at its end; what is known as a large paste stays folded."""
        self._replacing = True
        self.text = self.pastes.refold(text)
        self.move_cursor(self.document.end)
        self._replacing = False

    def give_back(self, text: str) -> None:
        """Put a message back that was not delivered, before what is being written now."""
        self.replace_all(f"{text}\n{self.message}" if self.text.strip() else text)

    def close_completion(self) -> bool:
        """Whether there was something to close."""
        was_open, self._word = self._popup.display, None
        self._popup.close()
        return bool(was_open)

    async def _on_key(self, event: events.Key) -> None:
        offered = self._popup.candidate is not None
        if self._key_for_search(event.key) or (offered and self._key_for_popup(event.key)):
            event.stop()
            event.prevent_default()
            return
        action_id = self._keys.get(event.key)
        if event.character == "?" and not self.text:
            action_id = "help"
        if self._leaves(event.key) or (action_id is None and self._recall(event.key)):
            event.stop()
            event.prevent_default()
        elif action_id is not None:
            event.stop()
            event.prevent_default()
            self._ask(action_id)
        elif bindings := self._bindings.key_to_bindings.get(event.key):
            # At once, as letters are: by way of the library's bubbling, letters typed after a key would overtake it.
            event.stop()
            event.prevent_default()
            await self.run_action(bindings[0].action)
        else:
            await super()._on_key(event)

    def _key_for_search(self, key: str) -> bool:
        """While an earlier message is searched for, what would send the message or leave it is about the search."""
        search = self.searching
        action_id = self._keys.get(key)
        if search is None or (key not in ("enter", "tab", "escape", "up", "down") and action_id is None):
            return False
        found = self._popup.candidate
        if key in ("enter", "tab") and found is not None:
            search.take(found.value)
        elif key == "escape":
            search.leave()
        elif key in ("up", "down"):
            self._popup.move(-1 if key == "up" else 1)
        elif action_id == "history":
            search.widen()
        return True

    def _leaves(self, key: str) -> bool:
        """Keys that lead out of the message, or out of what took its place."""
        return (key == "up" and not self.text and self.up()) or (key == "escape" and self.escape())

    def _key_for_popup(self, key: str) -> bool:
        match key:
            case "up":
                self._popup.move(-1)
            case "down":
                self._popup.move(1)
            case "tab" | "enter":
                return self._accept(enter=key == "enter")
            case "escape":
                self.close_completion()
            case _:
                return False
        return True

    def _accept(self, *, enter: bool) -> bool:
        """Take the candidate; enter on a command or value that is written out already sends it instead."""
        candidate, word = self._popup.candidate, self._word
        if candidate is None or word is None:
            return False
        row, column = self.cursor_location
        whole = self.document.get_line(row)[word.start : column] == candidate.value.strip()
        # A name that nobody here knows may be right all the same.
        unlike = word.kind == "argument" and self._popup.selected == 0 and not candidate.value.startswith(word.query)
        if enter and (whole or unlike) and word.kind in ("command", "value", "argument"):
            self.close_completion()
            return False
        self.close_completion()
        self._replacing = True
        self.replace(candidate.value, (row, word.start), (row, column))
        self._replacing = False
        return True

    def _recall(self, key: str) -> bool:
        """Up on the first line and down on the last one walk through earlier messages."""
        if not self.selection.is_empty:
            return False
        if key == "up" and self.cursor_at_first_line:
            found = self.history_of_messages.older(self.message)
        elif key == "down" and self.cursor_at_last_line:
            found = self.history_of_messages.newer()
        else:
            return False
        if found is not None:
            self.replace_all(found)
        return True

    def recall_older(self) -> None:
        """The message before the one that is shown."""
        found = self.history_of_messages.older(self.message)
        if found is not None:
            self.replace_all(found)

    def on_text_area_changed(self) -> None:
        self.look_at_word()
        self.set_class(self.searching is None and self.text.startswith("!"), "-shell")
        self.changed()

    def on_text_area_selection_changed(self) -> None:
        if self._popup.display:
            self.look_at_word()

    def look_at_word(self, *, again: bool = False) -> None:
        """Tell what can be completed; again: also where that is what it was."""
        row, column = self.cursor_location
        word = None
        if self.searching is not None:
            word = Word("history", self.text, 0)
        elif not self._replacing and self.selection.is_empty:
            word = word_at(self.document.get_line(row), column, first_line=row == 0 and self.document.line_count == 1)
        if again or word != self._word:
            self._word = word
            self.post_message(self.Completing(word))

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_pasted(event.text)

    def insert_pasted(self, text: str) -> None:
        self._replacing = True
        start, end = self.selection
        kept, left_out = pasted(text)
        short = self.pastes.fold(kept) if is_large(kept) else self.name_paste(kept)
        self.replace(
            short or kept,
            min(start, end),
            max(start, end),
            maintain_selection_offset=False,
        )
        self._replacing = False
        if left_out:
            self.post_message(self.LeftOut(left_out))
