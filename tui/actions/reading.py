"""Reading the transcript: its items, what can be copied of them, and searching in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action, ReadStep, Refusal

if TYPE_CHECKING:
    from tui.view import View


def _runs(view: View) -> str:
    return "" if view.runs else "nothing was said yet"


def _needs(step: ReadStep, why: str) -> Refusal:
    """In the transcript it is known what the current item has; from elsewhere, carrying it out tells."""

    def refusal(view: View) -> str:
        known = view.answering == "transcript"
        return _runs(view) or (why if known and step not in view.reading else "")

    return refusal


def _read(
    name: str,
    title: str,
    help: str,
    keys: tuple[str, ...],
    step: ReadStep,
    *,
    footer: int = 0,
    slash: str = "",
    why: str = "",
) -> Action:
    """why: what is said where the current item does not have it."""
    return Action(
        id=f"read.{name}",
        name=title,
        help=help,
        keys=keys,
        group="Transcript",
        run=lambda ui: ui.reading.step(step),
        scope="transcript",
        refusal=_needs(step, why) if why else _runs,
        footer=footer,
        slash=slash,
    )


READ = (
    Action(
        id="read.focus",
        name="read",
        help="Go into the transcript, to the last item that is seen",
        keys=("alt+up",),
        group="Transcript",
        run=lambda ui: ui.reading.step("focus"),
        refusal=_runs,
        slash="read",
    ),
    Action(
        id="read.find",
        name="find",
        help="Search the transcript; capitals count only where one is written",
        keys=("f11", "alt+k"),
        group="Transcript",
        run=lambda ui: ui.reading.step("find"),
        refusal=_runs,
        slash="find",
    ),
    _read(
        "unfold",
        "unfold",
        "Unfold the current item, or fold it",
        ("enter", "space"),
        "unfold",
        footer=3,
        why="there is nothing to unfold",
    ),
    _read(
        "copy",
        "copy",
        "Copy the message or the call, as plain text",
        ("y",),
        "copy",
        footer=3,
        slash="copy-item",
        why="no item is current",
    ),
    _read(
        "code",
        "code",
        "Copy a block of code of the message; again, or a digit, takes another one",
        ("c",),
        "code",
        footer=3,
        slash="copy-code",
        why="there is no block of code here",
    ),
    _read(
        "command",
        "command",
        "Copy the command of the call",
        ("x",),
        "command",
        footer=3,
        slash="copy-command",
        why="there is no command here",
    ),
    _read(
        "diff",
        "diff",
        "Copy what the call changed, as a patch for git apply",
        ("d",),
        "diff",
        footer=3,
        slash="copy-diff",
        why="no file was changed here",
    ),
    _read("search", "find", "Search the transcript", ("slash", "ctrl+f"), "find", footer=3),
    _read(
        "next", "next hit", "The next hit", ("n",), "next", footer=3, slash="next-hit", why="nothing is searched for"
    ),
    _read(
        "previous",
        "previous hit",
        "The hit before",
        ("N",),
        "previous",
        slash="previous-hit",
        why="nothing is searched for",
    ),
    _read(
        "pager",
        "open",
        "All of the current item in $PAGER (else less, else on a screen of its own)",
        ("o",),
        "pager",
        footer=3,
        slash="open-item",
        why="no item is current",
    ),
    _read("pager_all", "open all", "The whole transcript in $PAGER", ("O",), "pager_all", slash="open-transcript"),
    _read(
        "editor",
        "editor",
        "The current item in $EDITOR; what is changed there is not kept",
        ("e",),
        "editor",
        footer=3,
        slash="open-in-editor",
        why="no item is current",
    ),
    _read(
        "times",
        "times",
        "Show at each item when it was, how long it took, its model and cost; again: hide that",
        ("t",),
        "times",
        footer=3,
        slash="times",
    ),
    _read("unfold_all", "unfold all", "Unfold everything, or fold it", ("u",), "unfold_all", slash="unfold"),
    _read("down", "next item", "The next item", ("j", "alt+down"), "down"),
    _read("up", "item before", "The item before", ("k",), "up"),
    _read("first", "beginning", "The beginning of the transcript", ("g",), "first"),
    _read("last", "end", "The end of the transcript, which is followed again", ("G",), "last"),
    _read("page_down", "page on", "A page on", ("f",), "page_down"),
    _read("page_up", "page back", "A page back", ("b",), "page_up"),
    _read("leave", "back", "End the search; without one, back to the message", ("escape",), "leave", footer=3),
)
