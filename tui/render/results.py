"""Results that are more than text: a checklist, an answer, the diffs of several files, a fetched page. Pure.

What a result holds may come from anywhere (an imported session, say), so nothing about its form is taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from tui import words
from tui.render.clean import Clean, clean
from tui.render.diff import diff_lines
from tui.render.lines import MUTED, Ink, Line, Prefix, Span, spans_of, wrapped

INDENT: Final[Prefix] = (Span(Clean("    "), MUTED),)
SHOWN_FOLDED: Final = 6
"""Open entries of a checklist that are shown while its call is folded."""

DONE_FOLDED: Final = 2
"""Finished entries that are shown one by one while the call is folded; more are counted."""

SHORT_QUESTION: Final = 50
"""Characters."""

_DEEPER: Final[Prefix] = (*INDENT, Span(Clean("  "), MUTED))
_TEXT: Final = Ink("foreground")
_FILE: Final = Ink("foreground", bold=True)

Display = Mapping[str, object]


class Entry(NamedTuple):
    """status: done, active, or anything else for what is still to come."""

    text: Clean
    status: str


class _Look(NamedTuple):
    sign: Clean
    ink: Ink


_LOOKS: Final = {
    "done": _Look(Clean("✓ "), MUTED),
    "active": _Look(Clean("▸ "), Ink("state.running", bold=True)),
}
_PENDING: Final = _Look(Clean("○ "), _TEXT)


def entries_of(display: Display | None) -> list[Entry] | None:
    """The entries of a checklist, None where the result is none."""
    if display is None or display.get("type") != "todo":
        return None
    found = (_mapping(item) for item in _items(display.get("items")))
    return [
        Entry(clean(words.one_line(str(item.get("text", "")))), str(item.get("status", "pending"))) for item in found
    ]


def list_words(entries: Sequence[Entry]) -> Clean:
    """Where a list stands, in one line: "2/5 Write the tests"."""
    done = sum(entry.status == "done" for entry in entries)
    count = f"{done}/{len(entries)}"
    now = next((entry for entry in entries if entry.status == "active"), None)
    following = next((entry for entry in entries if entry.status not in ("done", "active")), None)
    entry = now or following
    if entry is None:
        return Clean(f"{count} done" if entries else "empty")
    return Clean(f"{count} {entry.text}" if now is not None else f"{count} next: {entry.text}")


def checklist(entries: Sequence[Entry], width: int, *, whole: bool) -> list[Line]:
    """One entry a line with its sign; the signs say without colour what is done, what goes on and what is to come."""
    if not entries:
        return _lines("the list is empty", MUTED, width)
    hidden_done = 0
    shown = list(entries)
    if not whole:
        done = [index for index, entry in enumerate(entries) if entry.status == "done"]
        hide = frozenset(done[:-DONE_FOLDED])
        hidden_done = len(hide)
        shown = [entry for index, entry in enumerate(entries) if index not in hide]
    lines = _entry(Entry(Clean(f"{hidden_done} more done"), "done"), width) if hidden_done else []
    is_open = 0
    for entry in shown:
        is_open += entry.status != "done"
        if whole or is_open <= SHOWN_FOLDED:
            lines.extend(_entry(entry, width))
    if not whole and is_open > SHOWN_FOLDED:
        lines.extend(_lines(f"… {is_open - SHOWN_FOLDED} more to do", MUTED, width))
    return lines


def _entry(entry: Entry, width: int) -> list[Line]:
    look = _LOOKS.get(entry.status, _PENDING)
    # The sign is part of the text, not of the margin: a copy has it too.
    spans = [Span(look.sign, look.ink), *spans_of(entry.text, look.ink)]
    return wrapped(spans, width, first=INDENT, rest=_DEEPER)


def standing_lines(display: Display | None, width: int) -> list[Line]:
    """What is shown of a result even while its call is folded."""
    entries = entries_of(display)
    if entries is not None:
        return checklist(entries, width, whole=False)
    if display is None or display.get("type") != "answers":
        return []
    question = str(display.get("question", ""))
    # The line above has a short question already.
    return _answer(display, width, asked=len(question) > SHORT_QUESTION or "\n" in question)


def special(display: Display | None) -> bool:
    """Whether a result has a view that stands in place of its text."""
    match (display or {}).get("type"):
        case "todo" | "answers":
            return True
        case "diff":
            return isinstance((display or {}).get("diff"), str)
        case "diffs":
            return bool(_items((display or {}).get("files")))
        case _:
            return False


def bounded(display: Display, most: int) -> tuple[Display, int]:
    """The result with at most so many lines of its diffs, and how many are left out."""
    if display.get("type") == "diff":
        diff, hidden = _beginning(str(display.get("diff", "")), most)
        return ({**display, "diff": diff}, hidden) if hidden else (display, 0)
    if display.get("type") != "diffs":
        return display, 0
    files: list[object] = []
    left_out = 0
    for file in map(_mapping, _items(display.get("files"))):
        diff, hidden = _beginning(str(file.get("diff", "")), most)
        most -= diff.count("\n")
        left_out += hidden
        files.append({**file, "diff": diff})
    return ({**display, "files": files}, left_out) if left_out else (display, 0)


def _beginning(text: str, most: int) -> tuple[str, int]:
    rows = text.removesuffix("\n").split("\n")
    hidden = len(rows) - max(0, most)
    return ("\n".join(rows[: max(0, most)]), hidden) if text and hidden > 1 else (text, 0)


def special_lines(display: Display | None, width: int) -> list[Line] | None:
    """The view of a result, or of what is asked for, that stands in place of its text; None where the text does."""
    entries = entries_of(display)
    if entries is not None:
        return checklist(entries, width, whole=True)
    match (display or {}).get("type"):
        case "answers":
            return _answer(display or {}, width, asked=True)
        case "diff":
            diff = (display or {}).get("diff")
            return diff_lines(clean(diff), width, prefix=INDENT) if isinstance(diff, str) else None
        case "diffs":
            return _diffs(display or {}, width)
        case _:
            return None


def _answer(display: Display, width: int, *, asked: bool) -> list[Line]:
    lines = _pair("? ", str(display.get("question", "")), _TEXT, width) if asked else []
    answers = [str(answer) for answer in _items(display.get("answers"))]
    for answer in answers:
        lines.extend(_pair("→ ", answer or "(empty)", Ink("text.user"), width))
    if not answers:
        reason = str(display.get("reason", ""))
        lines.extend(_pair("→ ", f"no answer: {reason}" if reason else "no answer", MUTED, width))
    return lines


def _pair(sign: str, text: str, ink: Ink, width: int) -> list[Line]:
    lines: list[Line] = []
    for index, row in enumerate(clean(text).strip("\n").split("\n")):
        begin = [Span(Clean("  " if index else sign), MUTED)]
        lines.extend(wrapped([*begin, *spans_of(Clean(row), ink)], width, first=INDENT, rest=_DEEPER))
    return lines


def _diffs(display: Display, width: int) -> list[Line] | None:
    files = [_mapping(file) for file in _items(display.get("files"))]
    if not files:
        return None
    lines: list[Line] = []
    for file in files:
        new = " (new file)" if file.get("new_file") else ""
        path = words.one_line(str(file.get("path", "?")))
        counts = f" +{file.get('added', '?')} -{file.get('removed', '?')}{new}"
        spans = [*spans_of(clean(path), _FILE), *spans_of(clean(counts), MUTED)]
        lines.extend(wrapped(spans, width, first=INDENT))
        lines.extend(diff_lines(clean(_without_names(str(file.get("diff", "")))), width, prefix=INDENT))
    return lines


def _without_names(diff: str) -> str:
    """The file's name stands above already."""
    parts = diff.split("\n", 2)
    named = len(parts) == 3 and parts[0].startswith("--- ") and parts[1].startswith("+++ ")
    return parts[2] if named else diff


def facts_of(display: Display) -> list[str]:
    """What the header of a finished call tells of its result; not clean."""
    match display.get("type"):
        case "diff":
            return [f"+{display.get('added', 0)} -{display.get('removed', 0)}"]
        case "diffs":
            files = [_mapping(file) for file in _items(display.get("files"))]
            added, removed = (sum(_number(file.get(name)) for file in files) for name in ("added", "removed"))
            return [f"+{added} -{removed}"]
        case "page":
            moved = ["redirects elsewhere"] if display.get("moved") else []
            return [f"HTTP {display.get('status', '?')}", *moved, _size(_number(display.get("bytes")))]
        case "media":
            pixels = f" {display['width']}x{display['height']}" if "width" in display and "height" in display else ""
            return [f"{display.get('what', 'a binary file')}{pixels}, not shown"]
        case _:
            return []


def _size(number: int) -> str:
    return f"{number / 1000:,.0f} kB" if number >= 10_000 else f"{number:,} bytes"


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _mapping(value: object) -> Display:
    return cast("Display", value) if isinstance(value, dict) else {}


def _lines(text: str, ink: Ink, width: int) -> list[Line]:
    return wrapped(spans_of(clean(text), ink), width, first=INDENT)
