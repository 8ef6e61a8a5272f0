"""Undo in words and contents: turns, files, what speaks against putting one back, and its diff. Pure."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from runner.undo.disk import Trouble
from runner.undo.history import TurnChanges
from runner.undo.plan import SETTLED, FileDiff, FilePlan, FileState
from runner.undo.restore import Outcome
from tui.marked import marked
from tui.render.clean import clean, visible
from tui.side_by_side import LEAST_WIDTH, beside, unified
from tui.words import count, cut, cut_middle, fit, one_line

NOT_COVERED = (
    "Commands are covered by comparing the git work tree before and after: not what git ignores, submodules, .git "
    "itself, files over 16 MB, and nothing outside of the folder."
)

STATES: dict[FileState, tuple[str, str, str]] = {
    "ready": ("•", "can be put back", "state-running"),
    "same": ("✓", "as it was", "state-ok"),
    "undone": ("✓", "put back already", "state-ok"),
    "outside": ("!", "changed by somebody else since", "state-waiting"),
    "later": ("!", "changed again in a later turn", "state-waiting"),
    "lost": ("✗", "what it was is not kept any more", "state-failed"),
    "blocked": ("✗", "cannot be put back", "state-failed"),
}
"""A sign, words, and the theme's token."""

SHORT: dict[FileState, str] = {
    "ready": "",
    "same": "as it was",
    "undone": "put back",
    "outside": "changed since",
    "later": "changed later",
    "lost": "not kept",
    "blocked": "blocked",
}

TROUBLES: dict[Trouble, str] = {
    "folder": "a folder with files stands in its place",
    "special": "something that is no file stands in its place",
    "large": "it is too large to be kept",
    "denied": "permission denied",
    "unreachable": "a folder above it is a link or a file now",
    "changed": "it changed while this screen was open",
    "failed": "the system refused it",
}


def shown_path(path: str, folder: str) -> str:
    """Relative to the folder where it is inside. Not clean."""
    root = os.path.realpath(folder) if folder else ""
    return os.path.relpath(path, root) if root and path.startswith(root.rstrip("/") + "/") else path


def trouble_words(why: Trouble | None, said: str) -> str:
    words = TROUBLES.get(why, "") if why is not None else ""
    return f"{words} ({said})" if words and said else words or said


def file_state_words(file: FilePlan) -> str:
    if file.state == "blocked":
        return trouble_words(file.blocked, file.said)
    return STATES[file.state][1]


def what_happens(file: FilePlan) -> tuple[str, str]:
    """What putting it back does, as a sign and a word."""
    if file.target.digest is None:
        return "-", "removes"
    if file.now is None or file.now.digest is None:
        return "+", "brings back"
    return "~", "changes"


def turn_line(turn: TurnChanges, width: int, now: datetime) -> Content:
    when = datetime.fromtimestamp(turn.time).astimezone()
    time = f"{when:%H:%M}" if when.date() == now.astimezone().date() else f"{when:%d %b}"
    files = count(len(turn.paths), "file") if turn.paths else "nothing kept"
    left = f" {turn.number:>2}  {time}  "
    right = f"  {files}"
    tools = ", ".join(turn.tools)
    room = width - len(left) - len(right)
    prompt = visible(one_line(turn.prompt)) or "(no message)"
    tools_room = min(len(tools) + 2, room // 3) if room >= 40 else 0
    return Content.assemble(
        (left, "$muted"),
        (fit(prompt, max(1, room - tools_room)), "bold $foreground"),
        (fit(f"  {cut(visible(tools), tools_room - 2)}", tools_room) if tools_room else "", "$muted"),
        (right, "$muted"),
    )


def file_line(path: str, folder: str, file: FilePlan | None, width: int) -> Content:
    """file None: not looked at yet."""
    shown = visible(one_line(shown_path(path, folder)))
    if file is None:
        return Content.styled(fit(f"      {cut_middle(shown, width - 7)}", width), "$muted")
    sign, word, token = STATES[file.state]
    word = word if width >= 56 else SHORT[file.state]
    ink = "$muted" if file.state in SETTLED else "$foreground"
    room = max(10, width - 10 - len(word))
    return Content.assemble(
        ("     ", "$muted"),
        (f"{what_happens(file)[0]} ", ink),
        (fit(cut_middle(shown, room), room), ink),
        (f" {sign} {word}", f"${token}"),
    )


def diff_body(file: FilePlan, diff: FileDiff, folder: str, width: int) -> Content:
    """A file's head, what speaks against it, and the change."""
    sign, does = what_happens(file)
    head = Content.assemble(
        (f"{sign} {does} ", "bold $primary"),
        marked(shown_path(file.path, folder), "bold $foreground"),
        (f"  +{diff.added} -{diff.removed}" if diff.text else "", "$muted"),
    )
    parts = [head]
    mark, _, token = STATES[file.state]
    if file.state != "ready":
        parts.append(Content.styled(f"{mark} {visible(file_state_words(file))}", f"${token}"))
    if diff.text:
        parts.append(beside(diff.text, width) if width >= LEAST_WIDTH else unified(diff.text))
    else:
        parts.append(Content.styled(_without_lines(file, diff), "$muted"))
    return Content("\n").join(parts)


def _without_lines(file: FilePlan, diff: FileDiff) -> str:
    before, after = diff.sizes
    if diff.mode is not None:
        return f"only its permissions: {stat.filemode(diff.mode[0])[1:]} becomes {stat.filemode(diff.mode[1])[1:]}"
    if diff.binary:
        was = "there is nothing" if before is None else f"{before:,} bytes"
        becomes = "nothing" if after is None else f"{after:,} bytes"
        return f"no text: {was} now, {becomes} afterwards"
    if file.state in SETTLED:
        return "nothing to do"
    return "an empty file" if before == 0 or after == 0 else "nothing to show"


def remarks(turns: Sequence[TurnChanges]) -> list[str]:
    """What is not covered of these turns."""
    found = [remark for turn in turns for remark in turn.uncovered]
    said = [f"Not covered: {clean(remark)}." for remark in dict.fromkeys(found)]
    return [*said, NOT_COVERED] if any(turn.commands for turn in turns) else said


def outcome_words(outcome: Outcome, folder: str, *, redo: bool) -> str:
    """What was done and what was not, in one sentence."""
    did = f"{count(len(outcome.done), 'file')} {'changed again' if redo else 'put back'}"
    left = [
        f"{shown_path(each.path, folder)} ({trouble_words(each.blocked, each.said) or STATES[each.state][1]})"
        for each in outcome.left
    ]
    if not left:
        return did if outcome.done else "nothing to put back: everything is as it was"
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return f"{did if outcome.done else 'nothing put back'}; left alone: {'; '.join(left[:3])}{more}"
