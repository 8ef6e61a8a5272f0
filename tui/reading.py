"""What a person does in the transcript: copying, searching, opening an item elsewhere, times."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runner.errors import NotFoundError, QuarterdeckError
from runner.state import CallItem, CommandItem, Item, TextItem, UserItem
from tui import copying
from tui.actions.base import ItemStep, ReadStep
from tui.render.clean import clean, clean_output, copied
from tui.render.groups import Together
from tui.screens.outside import How, open_outside
from tui.searching import Searching
from tui.words import count, one_line

if TYPE_CHECKING:
    from runner.store import Store
    from tui.desk import Desk
    from tui.render.item_view import View as ItemView
    from tui.screens.cockpit import CockpitScreen
    from tui.view import View
    from tui.widgets.transcript import Transcript

_Step = Literal["copy", "code", "command", "diff", "pager", "editor"]

_NOTHING: dict[_Step, str] = {
    "copy": "there is no answer to copy yet",
    "code": "there is no block of code here",
    "command": "there is no command here",
    "diff": "no file was changed here",
    "pager": "there is no answer to open yet",
    "editor": "there is no answer to open yet",
}


class Reading:
    """Lives on the screen's thread. Nothing here walks the transcript but the search, in slices."""

    def __init__(self, desk: Desk, screen: CockpitScreen, transcript: Transcript) -> None:
        self._desk = desk
        self._host = desk.host
        self._say = desk.deck.say
        self._screen = screen
        self._transcript = transcript
        self.searching = Searching(screen, transcript, desk.repaint)
        self._block: tuple[str | None, int] = (None, -1)
        self._known: tuple[Item | Together | None, frozenset[str]] = (None, frozenset())

    # What the screen asks

    def add_to(self, view: View) -> View:
        """What can be done with the current item."""
        steps = self._steps()
        if self.searching.found:
            steps |= {"next", "previous"}
        answering = view.answering
        if self.searching.writing:
            answering = "find"
        elif self._transcript.has_focus:
            answering = "transcript"
        return replace(view, reading=steps, answering=answering)

    def _steps(self) -> frozenset[str]:
        item = self._transcript.current
        if item is not self._known[0] or item is None:
            self._known = (item, frozenset() if item is None else self._steps_of(item))
        return self._known[1]

    def _steps_of(self, item: Item | Together) -> frozenset[str]:
        view = self._transcript.current_view
        found: dict[ItemStep, bool] = {
            "unfold": view is not None and view.foldable,
            "code": copying.may_hold_code(item),
            "command": copying.command_of(item) is not None,
            "diff": copying.changed(item),
        }
        return frozenset({"copy", "pager", "editor", *(step for step, can in found.items() if can)})

    def follow(self) -> None:
        """The runs went on."""
        self.searching.follow()

    def find(self, words: str) -> None:
        """Search for these words."""
        self.searching.begin(words)

    # Actions

    def step(self, step: ReadStep) -> None:
        match step:
            case "focus":
                self._focus()
            case "find":
                self.searching.begin()
            case "next" | "previous":
                self._next(1 if step == "next" else -1)
            case "copy" | "code" | "command" | "diff" | "pager" | "editor":
                self._of_item(step)
            case "pager_all":
                self._open(self._everything(), "the transcript", "pager")
            case "times":
                shown = self._transcript.toggle_stamps()
                self._say("each item says when it was" if shown else "times are hidden")
            case "leave":
                self._leave()
            case _:
                self._transcript.step(f"read.{step}")

    def _of_item(self, step: _Step) -> None:
        """With the current item; where there is none, with the last one that has what is wanted."""
        view = self._transcript.current_view
        if view is None:
            sections = self._transcript.document.sections
            view = next((each.view for each in reversed(sections) if _fits(step, each.view.item)), None)
        if view is None:
            self._say(_NOTHING[step])
            return
        match step:
            case "copy":
                self._copy_item(view)
            case "code":
                self._copy_code(view)
            case "command":
                self._copy_command(view.item)
            case "diff":
                self._copy_diff(view.item)
            case "pager" | "editor":
                self._open_item(view, step)

    def _focus(self) -> None:
        if self._transcript.has_focus:
            self._transcript.step("read.up")
        elif self._transcript.display:
            self._screen.set_focus(self._transcript)
            self._transcript.mark_seen()

    def _leave(self) -> None:
        if self.searching.open:
            self.searching.end()
        else:
            self._transcript.mark(None)
            self._screen.set_focus(self._screen.composer)

    def _next(self, by: int) -> None:
        if self.searching.found:
            self.searching.move(by)
        else:
            self._say(f"nothing is searched for: {self._desk.keys.show('read.find')} searches")

    # Copying

    def copy(self, text: str, what: str, note: str = "") -> None:
        """To the clipboard, and say what."""
        self._host.copy(text)
        large = len(text.encode("utf-8", "replace")) > copying.MOST_COPIED
        warning = "; more than some terminals put on their clipboard" if large else ""
        self._say(f"{what} copied: {copying.amount(text)}{warning}{note}", "warning" if large else "info")

    def copy_last(self) -> None:
        """The current item, else the last answer."""
        if (view := self._transcript.current_view) is not None:
            self._copy_item(view)
            return
        run = self._desk.deck.view().run
        text = copied(run.final_output) if run is not None and run.final_output else ""
        if text:
            self.copy(text, "the last answer")
        else:
            self._say("there is no answer to copy yet")

    def _copy_item(self, view: ItemView) -> None:
        item = view.item
        cut = isinstance(item, CallItem | CommandItem) and bool(item.artifact)
        note = f"; {self._desk.keys.show('read.pager')} opens the whole output" if cut else ""
        self.copy(view.copy(), _name(item), note)

    def pick_code(self, number: int) -> None:
        """A certain block of code of the current message, from 1."""
        view = self._transcript.current_view
        if view is not None:
            self._copy_code(view, number - 1)

    def _copy_code(self, view: ItemView, at: int | None = None) -> None:
        text = copying.text_of(view.item)
        blocks = copying.code_blocks(text) if text is not None else []
        if not blocks:
            self._say(_NOTHING["code"])
            return
        if at is None:
            before = self._block[1] if self._block[0] == view.key else -1
            at = (before + 1) % len(blocks)
        if at >= len(blocks):
            self._say(f"it has {count(len(blocks), 'block')} of code")
            return
        self._block = (view.key, at)
        self._transcript.choose_block(len(blocks) > 1)
        which = f"code block {at + 1} of {len(blocks)}" if len(blocks) > 1 else "the code block"
        block = blocks[at]
        self.copy(block.text, which + (f" ({one_line(block.language)})" if block.language else ""))

    def _copy_command(self, item: Item | Together) -> None:
        command = copying.command_of(item)
        if command is None:
            self._say(_NOTHING["command"])
        else:
            self.copy(command, "the command")

    def _copy_diff(self, item: Item | Together) -> None:
        if not isinstance(item, CallItem) or not copying.changed(item):
            self._say(_NOTHING["diff"])
            return
        patch = copying.shown_patch(item)
        if patch is not None and (patch.text or not item.changes):
            self._copy_patch(patch)
        else:
            self._host.work(self._make_patch(item), "patch")

    async def _make_patch(self, call: CallItem) -> None:
        """From what is kept for undo: the change was too long to be kept as a diff, or a command made it."""
        folder = Path(self._desk.deck.view().workspace)

        environ = self._desk.settings.environ

        def make() -> copying.Patch:
            from runner.folders import data_dir
            from runner.undo.blobs import Blobs

            return copying.kept_patch(call.changes, Blobs(data_dir(environ)), folder)

        try:
            patch = await asyncio.wrap_future(self._desk.engine.background(make))
        except (QuarterdeckError, OSError) as error:
            self._say(f"no patch: {one_line(clean(str(error)))}", "warning")
        else:
            self._copy_patch(patch)
        self._desk.repaint()

    def _copy_patch(self, patch: copying.Patch) -> None:
        if not patch.text:
            self._say("its diff is not kept whole, so there is no patch of it", "warning")
            return
        notes = [f"without {count(len(patch.left_out), 'file')} that is no text or not kept"] if patch.left_out else []
        notes += [patch.note] if patch.note else []
        self.copy(patch.text, f"the patch of {count(patch.files, 'file')}", "".join(f"; {note}" for note in notes))

    # Opening elsewhere

    def _everything(self) -> str:
        return "\n\n".join(section.view.copy() for section in self._transcript.document.sections) + "\n"

    def _open_item(self, view: ItemView, how: How) -> None:
        item, text = view.item, view.copy()
        if isinstance(item, CallItem | CommandItem) and item.artifact:
            self._host.work(self._open_whole(item, text, how), "open")
        else:
            self._open(f"{text}\n", _name(item), how)

    async def _open_whole(self, item: CallItem | CommandItem, text: str, how: How) -> None:
        """With the output that is stored, which is longer than what the model read."""
        artifact = item.artifact or ""

        def read(store: Store) -> str:
            return store.artifact(artifact)

        try:
            whole = await asyncio.wrap_future(self._desk.engine.ask(read))
        except NotFoundError:
            self._say("the whole output is not kept any more; this is what the model read", "warning", stay=True)
        except QuarterdeckError as error:
            self._say(f"only a part is here: {one_line(clean(str(error)))}", "warning")
        else:
            text = f"{text}\n\nThe whole output:\n\n{clean_output(whole)}"
        self._open(f"{text}\n", _name(item), how)
        self._desk.repaint()

    def _open(self, text: str, what: str, how: How) -> None:
        open_outside(self._desk, text, what, how, lambda why: self._say(why, "warning", stay=True))


def _fits(step: _Step, item: Item | Together) -> bool:
    """Whether an item has what is wanted."""
    match step:
        case "code":
            text = copying.text_of(item) if copying.may_hold_code(item) else None
            return text is not None and bool(copying.code_blocks(text))
        case "command":
            return copying.command_of(item) is not None
        case "diff":
            return copying.changed(item)
        case "copy" | "pager" | "editor":
            return isinstance(item, TextItem) and item.what == "text"


def _name(item: Item | Together | None) -> str:
    match item:
        case UserItem(by="user"):
            return "your message"
        case TextItem(what="reasoning"):
            return "the reasoning"
        case TextItem():
            return "the answer"
        case CallItem(tool=tool):
            return f"the call of {one_line(clean(tool))}"
        case CommandItem():
            return "your command"
        case _:
            return "the note"
