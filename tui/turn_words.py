"""The turns of a session in words and contents: a line, all of one, and what a fork or a rewind would do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from textual.content import Content

from runner.review.turns import Turn
from runner.undo.plan import FilePlan, Plan
from tui.marked import marked
from tui.render.clean import visible
from tui.undo_words import file_state_words, shown_path
from tui.words import cost, count, cut, cut_middle, duration, fit, one_line

Rewind = Literal["both", "conversation", "files"]

ALL: tuple[Rewind, ...] = ("both", "conversation", "files")
NAMED = 4
"""Files named in a sentence."""

LEAST_ANSWER = 10
"""Columns without which a beginning of an answer says nothing."""

TEXT_SHOWN = 20_000
"""Characters of a prompt or an answer that are shown."""


def turn_row(turn: Turn, width: int, now: datetime, *, behind: bool = False) -> Content:
    """The prompt in front of what answers it; a turn that goes on with an earlier prompt has only its answer. behind: a
    rewind leaves it behind.
    """
    when = turn.time.astimezone()
    time = f"{when:%H:%M}" if when.date() == now.date() else f"{when:%d %b}"
    left = f" {turn.number:>3}  {time:<6}  "
    right = _facts(turn, width)
    room = max(8, width - len(left) - len(right))
    prompt, answer = visible(one_line(turn.prompt)), visible(one_line(turn.answer))
    if not answer:
        answer = (
            "still going on" if not turn.finished else f"{count(turn.calls, 'call')}" if turn.calls else "no answer"
        )
    ink = "$muted strike" if behind else "$muted" if turn.inherited else "$foreground"
    if not prompt:
        return Content.assemble((left, "$muted"), (fit(cut(f"  ↳ {answer}", room), room), ink), (right, "$muted"))
    share = min(len(prompt) + 2, room if room < 44 else room * 3 // 5)
    beside = cut(answer, room - share) if room - share >= LEAST_ANSWER else ""
    return Content.assemble(
        (left, "$muted"),
        (fit(cut(prompt, max(1, share - 2)), share), f"bold {ink}"),
        (fit(beside, room - share) if room > share else "", "$muted"),
        (right, "$muted"),
    )


def _facts(turn: Turn, width: int) -> str:
    """What it did and cost, as far as there is room."""
    files = f"{len(turn.files)} ✎" if turn.files else ""
    facts = f" {files:>5}"
    if width >= 56:
        facts = f"  {turn.calls or '':>3}{' ⚙' if turn.calls else '  '}{facts}"
    if width >= 66:
        facts += f" {cost(turn.cost):>8}"
    if width >= 84:
        facts += f" {duration(turn.seconds) if turn.finished else '':>11}"
    return facts


def turn_body(turn: Turn, folder: str) -> Content:
    """All of it: the facts, the prompt, the answer, the files."""
    facts = [turn.model, f"agent {turn.agent}" if turn.agent else "", count(turn.calls, "call"), cost(turn.cost)]
    facts += [duration(turn.seconds) if turn.finished else "still going on"]
    facts += ["from the session that this is a fork of"] if turn.inherited else []
    head = Content.styled(visible(" · ".join(filter(None, facts))), "$muted")
    parts = [head]
    if turn.prompt:
        parts.append(Content("\n").join([Content.styled("Prompt", "bold $primary"), marked(_cut(turn.prompt), "")]))
    if turn.answer:
        parts.append(Content("\n").join([Content.styled("Answer", "bold $primary"), marked(_cut(turn.answer), "")]))
    if turn.files:
        names = [marked(f"  {shown_path(path, folder)}", "") for path in turn.files]
        parts.append(Content("\n").join([Content.styled("Files changed", "bold $primary"), *names]))
    return Content("\n\n").join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]}…"


def place_words(after: int, of: int) -> str:
    return f"after turn {after} of {of}" if after else "before the first turn"


def fork_preview(after: int, of: int, finished: bool) -> str:
    if not finished:
        return "this turn is not finished; a fork begins after a finished turn"
    behind = of - after
    rest = f"; {count(behind, 'later turn')} {'stays' if behind == 1 else 'stay'} here" if behind else ""
    return f"f forks after turn {after} of {of}{rest or ', and this session is left as it is'}"


def obstacles(plan: Plan, folder: str) -> str:
    """Why files cannot be put back without doing harm, "" where they can."""
    bad = [file for file in plan.files if file.state in ("outside", "later", "lost", "blocked")]
    if not bad:
        return ""
    said = [f"{_name(file, folder)} ({visible(file_state_words(file))})" for file in bad[:NAMED]]
    more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return f"files cannot go back: {'; '.join(said)}{more}"


def rewind_preview(what: Rewind, place: str, plan: Plan | None, folder: str, later: int) -> tuple[str, str]:
    """What enter does, and "" or why it cannot."""
    if not later:
        nothing = "nothing comes after this turn; choose an earlier one, or e to go before its prompt"
        return nothing, nothing
    files = ""
    if what != "conversation":
        if plan is None:
            return "looking at the files", "a moment"
        why = obstacles(plan, folder)
        if why:
            return f"{why}; nothing is done", why
        files = _files(plan.ready, folder)
    fork = f"forks {place}; {count(later, 'later turn')} {'stays' if later == 1 else 'stay'} in this session"
    match what:
        case "conversation":
            return f"{fork}; files stay as they are", ""
        case "files":
            nothing = "nothing to do: no file was changed after that, or all are as they were"
            return (f"{files}; the conversation stays as it is", "") if plan and plan.ready else (nothing, nothing)
        case "both":
            return f"first {files}; then {fork}", ""


def _files(ready: Sequence[FilePlan], folder: str) -> str:
    if not ready:
        return "no file has to go back"
    names = ", ".join(_name(file, folder) for file in ready[:NAMED])
    more = f" and {len(ready) - NAMED} more" if len(ready) > NAMED else ""
    return f"{count(len(ready), 'file')} {'goes' if len(ready) == 1 else 'go'} back: {names}{more}"


def _name(file: FilePlan, folder: str) -> str:
    return visible(cut_middle(one_line(shown_path(file.path, folder)), 40))
