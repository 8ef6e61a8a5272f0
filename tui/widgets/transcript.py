"""The transcript: everything that was said and done in some runs, live or from the store, in one scrolling view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from textual import events
from textual.message import Message

from runner.state import RunState
from tui.render.clean import Clean
from tui.render.document import Place
from tui.render.finding import Hit, Needle, matches
from tui.render.model import TranscriptModel
from tui.widgets.list_keys import keymap_of
from tui.widgets.reading_keys import ReadingKeys
from tui.widgets.reading_view import ReadingView

if TYPE_CHECKING:
    from runner.state import Item
    from themes import Theme
    from tui.render.groups import Together
    from tui.render.item_view import View, ViewKind

_WHEN_EMPTY: Final = "Nothing has been said yet."
_REASONING: Final[frozenset[ViewKind]] = frozenset({"reasoning"})
_FOLDED: Final[frozenset[ViewKind]] = frozenset({"reasoning", "call", "event"})


class Transcript(ReadingView):
    """Call show() with the runs of a session as often as you like; it costs what is visible and what changed."""

    class ItemMarked(Message):
        """The current item changed; item_id is None where there is none now."""

        def __init__(self, transcript: Transcript, item_id: str | None) -> None:
            super().__init__()
            self.transcript = transcript
            self.item_id = item_id

        @property
        def control(self) -> Transcript:
            return self.transcript

    class Asked(Message):
        """A key means an action that is not carried out here."""

        def __init__(self, action_id: str) -> None:
            super().__init__()
            self.action_id = action_id

    class BlockPicked(Message):
        """A digit picks one of the current message's blocks of code, from 1."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Typed(Message):
        """Text that was meant for the message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        theme: Theme | None = None,
        *,
        placeholder: str = _WHEN_EMPTY,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(theme, placeholder=placeholder, name=name, id=id, classes=classes)
        self.model = TranscriptModel(self.document)
        self._marked_key: str | None = None
        self._pressed: tuple[int, int] | None = None
        self._keys = ReadingKeys(
            self,
            step=self.step,
            ask=lambda action_id: self.post_message(self.Asked(action_id)),
            pick=lambda number: self.post_message(self.BlockPicked(number)),
            typed=lambda text: self.post_message(self.Typed(text)),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self.model.opens = keymap_of(self).show("read.pager")

    # What the app calls

    def show(self, runs: Sequence[RunState], now: float | None = None) -> None:
        """Show these runs, oldest first. now: seconds of the clock that the events' `mono` is of; with it, running
        calls show for how long they run."""
        if self.model.show(runs, now):
            self._find_mark()
            self.sync()

    def step(self, action_id: str) -> bool:
        """Carry out what needs nothing but the transcript; whether the action is such a one."""
        match action_id:
            case "read.down":
                self._step(1)
            case "read.up":
                self._step(-1)
            case "read.first":
                self.scroll_to(y=0)
            case "read.last":
                self.follow()
            case "read.page_down" | "read.page_up":
                page = max(1, self._rows - 1)
                self.scroll_relative(y=page if action_id == "read.page_down" else -page)
            case "read.unfold":
                if self._marked is not None:
                    self._toggle(self._marked)
            case "read.unfold_all":
                self.toggle_all()
            case _:
                return False
        return True

    def toggle_all_reasoning(self) -> bool:
        """Unfold all reasoning, or fold it again; gives whether it is unfolded now."""
        return self._toggle_kinds(_REASONING)

    def toggle_all(self) -> bool:
        """Unfold everything that can be, or fold it again; gives whether it is unfolded now."""
        return self._toggle_kinds(_FOLDED)

    def _toggle_kinds(self, kinds: frozenset[ViewKind]) -> bool:
        expanded = not kinds <= self.model.open

        def moved(place: Place) -> Place:
            # Folded, an item has its first line still; what was read inside it is gone.
            lead = self.document.sections[place.section].lead if place.section < len(self.document.sections) else 0
            gone = not expanded and place.block > lead and self.model.view(place.section).foldable
            return Place(place.section, lead, 0) if gone else place

        self._hold(lambda: self.model.fold_all(kinds, expanded), moved=moved)
        return expanded

    @property
    def stamped(self) -> bool:
        """Whether each item says when it was."""
        return self.document.stamp_of is not None

    def toggle_stamps(self) -> bool:
        """Let each item say when it was, or not; gives whether it does now."""
        stamp_of = None if self.stamped else self.model.stamp
        self._hold(lambda: self.document.set_stamps(stamp_of), moved=self.document.moved)
        return self.stamped

    def set_marks(self, marks: Mapping[tuple[str, int], str]) -> None:
        """What turns were given, by their run and their number there; it stands with the times."""
        self.model.marks = marks
        if self.stamped:
            self._hold(lambda: self.document.set_stamps(self.model.stamp), moved=self.document.moved)

    def expand_item(self, item_id: str, expanded: bool = True) -> bool:
        """Unfold (or fold) an item; gives whether that changed anything."""
        index = self.model.find(item_id)
        if index is None or not self.model.fold(index, expanded):
            return False
        self.sync()
        return True

    def arrive(self, hit: Hit, needle: Needle) -> str:
        """Go to a hit: unfold what it is in, make that the current item, bring the line into view. Gives the id of the
        item that was folded before, "" where nothing was."""
        view = self.model.view(hit.section)
        unfolded = view.key if view.foldable and not view.expanded else ""
        # The current item is marked without being brought into view: the line with the hit is.
        self._marked, self._marked_key, self._keys.choosing = hit.section, view.key, False
        self.model.show_whole(hit.section)
        self.sync()
        # What was never near the screen has no lines yet.
        self.document.settle_down(Place(hit.section, 0, 0), 1)
        at = self.document.sections[hit.section].lead + hit.block
        lines = self.document.lines_at(hit.section, at)
        found = matches(lines, needle)
        row = found[min(hit.nth, len(found) - 1)][0].row if found else 0
        self.highlight(needle, hit)
        self.reveal(Place(hit.section, at, row))
        self.refresh()
        self.post_message(self.ItemMarked(self, self._marked_key))
        return unfolded

    def reading_at(self, by: int) -> int:
        """The item that a step goes on from (by = 1) or back from (-1): the current one, else just outside of what is
        seen, so that what is seen comes first."""
        if self._marked is not None:
            return self._marked
        shown = [place.section for place, _ in self._window]
        if not shown:
            return -1
        return shown[0] - 1 if by > 0 else shown[-1] + 1

    def go(self, index: int) -> None:
        """Make an item the current one, and bring its beginning into view with what is around it."""
        self._marked = index
        self.reveal(Place(index, self.document.sections[index].lead, 0))
        self._marked_now()

    def land(self, index: int) -> None:
        """The same, and unfold it."""
        self._marked = index
        self.model.fold(index, True)
        self.sync()
        self.go(index)

    def copy_text(self) -> Clean:
        """The current item as plain text, without borders or padding; empty where there is no current item."""
        return Clean("") if self._marked is None else self.model.view(self._marked).copy()

    @property
    def marked_item(self) -> str | None:
        """The id of the current item."""
        return self._marked_key

    @property
    def current(self) -> Item | Together | None:
        """The current item, as it is now."""
        return None if self._marked is None else self.model.view(self._marked).item

    @property
    def current_view(self) -> View | None:
        return None if self._marked is None else self.model.view(self._marked)

    def choose_block(self, choosing: bool) -> None:
        """Whether a digit picks a block of code, until another item is the current one."""
        self._keys.choosing = choosing

    def mark(self, item_id: str | None) -> None:
        """Make an item the current one, and bring it into view."""
        self._mark(None if item_id is None else self.model.find(item_id))

    def mark_seen(self) -> None:
        """Make the last item that is seen the current one, where there is none."""
        if self._marked is None:
            self._step(-1)

    def _mark(self, index: int | None) -> None:
        self._marked = index
        if index is not None:
            self.bring_into_view(index)
        self._marked_now()

    def _marked_now(self) -> None:
        self._marked_key = None if self._marked is None else self.model.view(self._marked).key
        self._keys.choosing = False
        self.refresh()
        self.post_message(self.ItemMarked(self, self._marked_key))

    def _find_mark(self) -> None:
        """Items may have moved; one that is gone (a discarded attempt) is not the current one any more."""
        if self._marked is None or self._marked_key is None:
            return
        sections = self.document.sections
        if self._marked < len(sections) and sections[self._marked].view.key == self._marked_key:
            return
        self._marked = self.model.find(self._marked_key)
        if self._marked is None:
            self._marked_key = None
            self.post_message(self.ItemMarked(self, None))

    def _step(self, by: int) -> None:
        count = len(self.document.sections)
        if not count:
            return
        shown = [place.section for place, _ in self._window] or [count - 1]
        if self._marked is None:
            target = shown[-1] if by < 0 else shown[0]
        else:
            target = max(0, min(count - 1, self._marked + by))
        self._mark(target)

    def _toggle(self, index: int) -> None:
        view = self.model.view(index)
        if self.model.fold(index, not view.expanded):
            if self.is_at_end and view.expanded:
                # What was unfolded is read from its beginning, which following the end would push out of sight.
                self.bring_into_view(index, hold=True)
            self.sync()

    # Keys and mouse

    def on_key(self, event: events.Key) -> None:
        self._keys.press(event)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.post_message(self.Typed(event.text))

    def on_blur(self) -> None:
        self._keys.forget()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = (event.x, event.y)

    def on_click(self, event: events.Click) -> None:
        """A click on an item makes it the current one; on the line that folds it, folds or unfolds it."""
        pressed, self._pressed = self._pressed, None
        if event.button != 1 or pressed != (event.x, event.y) or event.y >= len(self._window):
            return
        if not self.document.sections:
            return
        place, line = self._window[event.y]
        self._marked = place.section
        self._marked_now()
        if line.more and self.model.show_whole(place.section):
            self.sync()
        elif line.action:
            self._toggle(place.section)
