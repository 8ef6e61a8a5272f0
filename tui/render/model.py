"""The transcript of some runs as a document, brought up to date by what differs from the last time."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runner.state import CallItem, CommandItem, Item, LedgerEntry, RunState, TextItem, UserItem
from tui.render.call_view import CallView
from tui.render.clean import Clean
from tui.render.command_view import CommandView
from tui.render.document import Document
from tui.render.forks import Forks
from tui.render.groups import Together, may_grow, together
from tui.render.item_view import View, ViewKind
from tui.render.items import view_of
from tui.render.moments import Paid, moment_of, stamp

_ONE_LINERS = frozenset({"call", "event", "reasoning"})


@dataclass(slots=True)
class _Slot:
    """What is shown of one run: `final` sections for its `settled` items, then one for each live item.

    Items that belong together share a section.
    """

    run: RunState
    start: int
    settled: int = 0
    final: int = 0
    views: list[View] = field(default_factory=list[View])
    paid: Paid = field(default_factory=Paid)


class TranscriptModel:
    """Cheap to call for every frame: settled items are looked at once, live ones are compared by identity."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.opens = ""
        """The key that opens all of the current item."""
        self.open: frozenset[ViewKind] = frozenset()
        """Kinds of items that are shown unfolded, also those that are still to come."""
        self.marks: Mapping[tuple[str, int], str] = {}
        """What turns were given, by their run and their number there; clean."""
        self._slots: list[_Slot] = []
        self._unfolded: dict[str, bool] = {}
        self._forks = Forks()

    def show(self, runs: Sequence[RunState], now: float | None = None) -> bool:
        """Bring the document up to date; gives whether anything changed. now: the runs' monotonic clock, seconds."""
        changed = False
        runs = self._forks.shown(runs)
        for index, run in enumerate(runs):
            if index < len(self._slots) and not _goes_on(self._slots[index], run):
                if self._went_back(index, run):
                    changed = True
                else:
                    self._drop(index)
            if index >= len(self._slots):
                self._slots.append(_Slot(run=RunState(run_id=run.run_id), start=len(self.document.sections)))
            slot = self._slots[index]
            if slot.run is not run:
                changed |= self._update(index, slot, run)
            if now is not None and slot.run.live:
                changed |= self._tick(slot, now)
        if len(self._slots) > len(runs):
            self._drop(len(runs))
            changed = True
        return changed

    def view(self, index: int) -> View:
        return self.document.sections[index].view

    def find(self, key: str) -> int | None:
        """The section of an item."""
        return next((at for at, section in enumerate(self.document.sections) if section.view.key == key), None)

    def find_in(self, run_id: str, item_ids: Sequence[str]) -> list[int]:
        """The sections of items of one run, in the order of their ids. Another run may have calls with the same ids."""
        found: dict[str, int] = {}
        wanted = frozenset(item_ids)
        for index in self._sections_of(run_id):
            item = self.view(index).item
            own = (
                [f"{each.run_id}:{each.seq}" for each in item.events] if isinstance(item, Together) else [item.item_id]
            )
            found.update((each, index) for each in own if each in wanted)
        return [found[each] for each in item_ids if each in found]

    def last_of(self, run_id: str) -> int | None:
        """The last section of a run; None where nothing is shown of it."""
        sections = self._sections_of(run_id)
        return sections[-1] if sections else None

    def _sections_of(self, run_id: str) -> range:
        slot = next((slot for slot in self._slots if slot.run.run_id == run_id), None)
        return range(0) if slot is None else range(slot.start, slot.start + slot.final + len(slot.views))

    def fold(self, index: int, expanded: bool) -> bool:
        """Fold or unfold one item; gives whether it can be."""
        view = self.view(index)
        if not view.foldable or view.expanded == expanded:
            return False
        self._unfolded[view.key] = expanded
        self.document.changed(index, view.fold(expanded), exact=False)
        return True

    def show_whole(self, index: int) -> bool:
        """Unfold one item with nothing left out; gives whether that changed anything."""
        view = self.view(index)
        if not view.foldable or view.whole:
            return False
        self._unfolded[view.key] = True
        self.document.changed(index, view.show_whole(), exact=False)
        return True

    def fold_all(self, kinds: frozenset[ViewKind], expanded: bool) -> None:
        """Fold or unfold all items of some kinds, also those that are still to come."""
        self.open = self.open | kinds if expanded else self.open - kinds
        for index, section in enumerate(self.document.sections):
            view = section.view
            if view.kind in kinds and view.foldable:
                self._unfolded.pop(view.key, None)
                if view.expanded != expanded:
                    self.document.changed(index, view.fold(expanded), exact=False)

    @property
    def settled(self) -> int:
        """The sections before this one will never be others."""
        live = next((slot for slot in self._slots if slot.views), None)
        return len(self.document.sections) if live is None else live.start + live.final

    def stamp(self, index: int) -> Clean:
        """When the item was, and what was paid for it where it is the answer of its request, else the first item of
        it."""
        item = self.view(index).item
        above = self.view(index - 1).item if index else None
        entry = self._entry(index)
        if entry is not None:
            answers = isinstance(item, TextItem) and item.what != "reasoning"
            told = not answers and index > 0 and self._entry(index - 1) is entry
            entry = None if told or self._answer_follows(index, item, entry) else entry
        marks = "" if entry is None else self.marks.get((self._slot(index).run.run_id, entry.turn), "")
        return stamp(item, None if above is None else moment_of(above), entry, marks)

    def _answer_follows(self, index: int, item: Item | Together, entry: LedgerEntry) -> bool:
        """Whether an item is the reasoning before the answer of the same request."""
        if not isinstance(item, TextItem) or item.what != "reasoning" or index + 1 >= len(self.document.sections):
            return False
        return isinstance(self.view(index + 1).item, TextItem) and self._entry(index + 1) is entry

    def _entry(self, index: int) -> LedgerEntry | None:
        slot = self._slot(index)
        return slot.paid.entry(slot.run, self.view(index).item)

    def _slot(self, index: int) -> _Slot:
        return self._slots[bisect_right(self._slots, index, key=lambda slot: slot.start) - 1]

    def _went_back(self, index: int, run: RunState) -> bool:
        """Whether the run is the one shown, as it was earlier: then what was settled by that time stays as it is."""
        slot, count = self._slots[index], len(run.settled)
        if slot.run.run_id != run.run_id or count >= slot.settled:
            return False
        if count and run.settled[count - 1] is not slot.run.settled[count - 1]:
            return False
        if index + 1 < len(self._slots):
            self._drop(index + 1)
        while slot.settled > count:
            slot.final -= 1
            slot.settled -= _size(self.view(slot.start + slot.final).item)
        self.document.truncate(slot.start + slot.final)
        slot.run, slot.views, slot.paid = RunState(run_id=run.run_id), [], Paid()
        return True

    def _drop(self, index: int) -> None:
        """Forget the runs from `index` on."""
        self.document.truncate(self._slots[index].start)
        del self._slots[index:]

    def _update(self, index: int, slot: _Slot, run: RunState) -> bool:
        settled = slot.settled
        old_live = slot.views
        same_items = run.live is slot.run.live and len(run.settled) == len(slot.run.settled)
        slot.run = run
        if same_items:
            return False
        items = together([*run.settled[settled:], *_shown(run)])
        # An id should stand for one item; where a stored run says otherwise, each still gets a view of its own.
        known: dict[str, deque[View]] = {}
        for view in old_live:
            known.setdefault(view.key, deque()).append(view)
        base = slot.start + slot.final
        views: list[View] = []
        stable = 0
        changed = False
        for at, item in enumerate(items):
            same_key = known.get(item.item_id)
            view = same_key.popleft() if same_key else None
            first = None if view is None else view.update(item)
            if view is None or first is None:
                view = self._new_view(item)
            elif at == stable and at < len(old_live) and old_live[at] is view:
                stable += 1
                if first < len(view.blocks) or self._height_differs(base + at):
                    self.document.changed(base + at, first)
                    changed = True
            views.append(view)
        if stable < len(views) or stable < len(old_live):
            self._replace_tail(index, base + stable, views[stable:])
            changed = True
        sections, settled = _final(items, len(run.settled) - settled)
        slot.settled += settled
        slot.final += sections
        slot.views = views[sections:]
        return changed

    def _height_differs(self, index: int) -> bool:
        """Whether a section lost blocks at its end, or has none laid out yet."""
        section = self.document.sections[index]
        return section.heights is None or len(section.heights) != len(section)

    def _replace_tail(self, index: int, start: int, views: Sequence[View]) -> None:
        """Put other views where those of a run's end stood; the runs behind it keep theirs."""
        behind = [
            [section.view for section in self.document.sections[slot.start : slot.start + slot.final + len(slot.views)]]
            for slot in self._slots[index + 1 :]
        ]
        self.document.truncate(start)
        for view in views:
            self._append(view)
        for slot, kept in zip(self._slots[index + 1 :], behind, strict=True):
            slot.start = len(self.document.sections)
            for view in kept:
                self._append(view)

    def _append(self, view: View) -> None:
        sections = self.document.sections
        above = sections[-1].view.kind if sections else None
        gap = above is not None and not (above in _ONE_LINERS and view.kind in _ONE_LINERS)
        self.document.append(view, gap=gap)

    def _new_view(self, item: Item | Together) -> View:
        view = view_of(item)
        view.opens = self.opens
        if view.foldable:
            view.expanded = self._unfolded.get(view.key, view.kind in self.open)
        if _is_live(item):
            view.build()
        return view

    def _tick(self, slot: _Slot, now: float) -> bool:
        changed = False
        base = slot.start + slot.final
        for at, view in enumerate(slot.views):
            if isinstance(view, CallView | CommandView):
                first = view.tick(now)
                if first < len(view.blocks):
                    self.document.changed(base + at, first)
                    changed = True
        return changed


def _goes_on(slot: _Slot, run: RunState) -> bool:
    """Whether the run is the one shown, with the same settled items and perhaps more."""
    if slot.run is run:
        return True
    if slot.run.run_id != run.run_id or len(run.settled) < slot.settled:
        return False
    return not slot.settled or run.settled[slot.settled - 1] is slot.run.settled[slot.settled - 1]


def _shown(run: RunState) -> Sequence[Item]:
    """Messages that wait for a run that goes on are shown where they can be changed; what came too late stays here."""
    others = [item for item in run.live if not (isinstance(item, UserItem) and item.queued)]
    return [*others, *run.queued] if run.finished else others


def _final(items: Sequence[Item | Together], settled: int) -> tuple[int, int]:
    """How many of the items (and of the settled ones in them) will never change: a group at the end may still grow."""
    sections = passed = 0
    for item in items:
        size = _size(item)
        if passed + size > settled or (passed + size == settled and may_grow(item)):
            break
        passed += size
        sections += 1
    return sections, passed


def _size(item: Item | Together) -> int:
    """How many items of the run a section stands for."""
    return len(item.events) if isinstance(item, Together) else 1


def _is_live(item: Item | Together) -> bool:
    match item:
        case TextItem(live=live):
            return live
        case CallItem(phase=phase):
            return phase != "finished"
        case CommandItem(running=running):
            return running
        case _:
            return False
