"""A session before it is opened: how it began, what was answered last, how it ended, what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from textual.content import Content

from runner.events import (
    ErrorOccurred,
    FileChange,
    FilesChanged,
    MessageDelivered,
    ModelResponded,
    RunStarted,
)
from runner.messages import UserMessage
from tui.render.clean import clean, visible
from tui.sessions.columns import cost_words, end_of, length, tag_words
from tui.sessions.hits import FOUND
from tui.sessions.lines import shown_folder, when
from tui.words import count, imported_from, one_line, tokens

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.base import SessionSummary
    from runner.store.search import Around

LONGEST: Final = 4000
"""Characters of a message that are shown."""

MOST_FILES: Final = 40

_KINDS: Final = ("run_started", "message_delivered", "model_responded", "files_changed", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """asked: the first message. later: how many messages came after it. answer: the last one. error: the last one, if
    nothing was answered after it. files: what was changed, with a word for how."""

    summary: SessionSummary
    asked: str
    later: int
    answer: str
    error: str
    files: tuple[tuple[str, str], ...]


def read(store: Store, session_id: str) -> Preview:
    """Blocks. Raises NotFoundError."""
    summary = store.session(session_id)
    said: list[str] = []
    answer = error = ""
    files: dict[str, FileChange] = {}
    for event in store.facts(summary.session_id, _KINDS):
        match event:
            case RunStarted(parent_run_id=None):
                said += [message.text for message in event.input if isinstance(message, UserMessage)]
            case MessageDelivered(by="user"):
                said.append(event.text)
            case ModelResponded() if event.text.strip():
                answer, error = event.text, ""
            case ErrorOccurred():
                error = event.error.message
            case FilesChanged():
                for change in event.files:
                    first = files.get(change.path, change)
                    files[change.path] = FileChange(path=change.path, before=first.before, after=change.after)
            case _:
                pass
    said = [text for text in said if text.strip()]
    return Preview(
        summary=summary,
        asked=said[0] if said else "",
        later=max(0, len(said) - 1),
        answer=answer,
        error=error,
        files=tuple((path, word) for path, change in files.items() if (word := _changed(change))),
    )


def body(preview: Preview, now: datetime, home: str = "", around: Around | None = None) -> Content:
    """around: the lines of a place in it, which come first."""
    summary = preview.summary
    parts = [_title(summary)]
    if around is not None:
        parts += [_heading("Found here"), *_lines(around), Content("")]
    parts.append(_facts(summary, now, home))
    if summary.tags:
        parts.append(Content.styled(tag_words(summary), "$secondary"))
    if summary.note:
        parts += [_heading("Note"), Content.styled(clean(summary.note), "$foreground")]
    if preview.asked:
        more = f"  and {count(preview.later, 'message')} after it" if preview.later else ""
        parts += [_heading("You said first", more), _text(preview.asked, "text-user")]
    if preview.answer:
        parts += [_heading("Last answer"), _text(preview.answer, "foreground", end=True)]
    if preview.error:
        parts += [_heading("Last error"), Content.styled(clean(preview.error[:LONGEST]), "$state-failed")]
    if preview.files:
        parts += [_heading(f"{count(len(preview.files), 'file')} changed"), *_files(preview.files, summary.workspace)]
    return Content("\n").join(parts)


def _lines(around: Around) -> list[Content]:
    lines = [_line(pieces) for pieces in (*around.before, around.line, *around.after)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return lines


def _line(pieces: Sequence[tuple[str, bool]]) -> Content:
    return Content.assemble(*((visible(text, tab=4), FOUND if marked else "$foreground") for text, marked in pieces))


def _title(summary: SessionSummary) -> Content:
    word, token = end_of(summary)
    title = visible(one_line(summary.title)) or "untitled"
    return Content.assemble((title, "bold $primary"), (f"  {word}", f"${token}"))


def _facts(summary: SessionSummary, now: datetime, home: str) -> Content:
    first, last = when(summary.created, now), when(summary.updated, now)
    facts = [
        first if first == last else f"{first} to {last}",
        count(summary.runs, "run"),
        count(summary.turns, "turn"),
        count(summary.tool_calls, "tool call"),
        f"{tokens(summary.usage.input + summary.usage.output)} tokens",
        "cost unknown" if summary.cost_usd is None else cost_words(summary.cost_usd),
        length(summary.seconds),
        ", ".join(summary.models),
        summary.agent,
        shown_folder(summary.workspace, home),
        imported_from(summary.imported) if summary.imported else "",
        f"forked from {summary.forked_from} after turn {summary.forked_turn}" if summary.forked_from else "",
        f"in the trash since {when(summary.deleted, now)}" if summary.deleted is not None else "",
    ]
    return Content.styled(" · ".join(visible(one_line(fact)) for fact in facts if fact), "$muted")


def _heading(text: str, more: str = "") -> Content:
    return Content.assemble((f"\n{text}", "bold $primary"), (more, "$muted"))


def _text(text: str, token: str, *, end: bool = False) -> Content:
    """The beginning of a long text, or its end."""
    text = text.strip()
    if len(text) <= LONGEST:
        return Content.styled(clean(text), f"${token}")
    left_out = (f"… {len(text) - LONGEST:,} more characters", "$muted")
    if end:
        return Content.assemble(left_out, "\n", (clean(text[-LONGEST:]), f"${token}"))
    return Content.assemble((clean(text[:LONGEST]), f"${token}"), "\n", left_out)


def _files(files: Sequence[tuple[str, str]], folder: str) -> list[Content]:
    lines: list[Content] = []
    for path, word in files[:MOST_FILES]:
        name = visible(one_line(_short(path, folder)))
        lines.append(Content.assemble((f"{word:<8}", f"${_FILE_TOKENS[word]}"), (name, "$foreground")))
    if len(files) > MOST_FILES:
        lines.append(Content.styled(f"and {len(files) - MOST_FILES} more", "$muted"))
    return lines


def _short(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder.rstrip('/')}/") if folder else path


_FILE_TOKENS: Final[Mapping[str, str]] = {"new": "diff-added", "changed": "foreground", "deleted": "diff-removed"}


def _changed(change: FileChange) -> str:
    """From before the session to its end; "" where it is as it was."""
    if change.before == change.after:
        return ""
    if change.before is None:
        return "new"
    return "deleted" if change.after is None else "changed"
