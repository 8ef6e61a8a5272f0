"""Lines of styled text, and how text becomes lines of a width. Colours are names here; a palette knows the values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len

from tui.render.clean import MARKS, Clean

NOTHING: Final = Clean("")
SPACE: Final = Clean(" ")
NEWLINE: Final = Clean("\n")


class Ink(NamedTuple):
    """How text looks: names of theme colours ("md.link", "muted"), never colours. ground "" is the widget's own."""

    colour: str = "text.assistant"
    ground: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False


PLAIN: Final = Ink()
MUTED: Final = Ink("muted")
CHANGED: Final = Ink("warning")
"""What the sanitiser put in place of a character; the mark itself says so without the colour."""


class Span(NamedTuple):
    text: Clean
    ink: Ink


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Line:
    """One line of the screen, without padding.

    lead: characters at the start that are decoration and are not copied.
    joiner: what stands between this line and the one above in a copy; a newline, except where a long line was wrapped.
    ground: theme colour that fills the rest of the line, "" for none. action: a click on this line folds or unfolds.
    more: a click on it shows what is left out here. aside: it is no part of the text, and a copy leaves it out.
    copied: what a copy of the whole line holds, where that is not what is seen.
    """

    spans: tuple[Span, ...] = ()
    lead: int = 0
    joiner: Clean = NEWLINE
    ground: str = ""
    action: bool = False
    more: bool = False
    aside: bool = False
    copied: Clean | None = None

    @property
    def text(self) -> Clean:
        """All that is seen, decoration included."""
        return Clean("".join([span.text for span in self.spans]))

    @property
    def plain(self) -> Clean:
        """What a copy of this line holds."""
        return Clean(self.text[self.lead :])

    @property
    def cells(self) -> int:
        return sum([cell_len(span.text) for span in self.spans])


BLANK: Final = Line()


def plain_text(lines: Iterable[Line]) -> Clean:
    """The lines as they are copied: no padding, no borders, wrapped lines joined again."""
    parts: list[str] = []
    for line in lines:
        if line.aside:
            continue
        if parts:
            parts.append(line.joiner)
        parts.append(line.plain if line.copied is None else line.copied)
    return Clean("".join(parts))


def spans_of(text: Clean, ink: Ink) -> list[Span]:
    """The text in one ink, with what the sanitiser marked set apart."""
    if not text:
        return []
    if text.isascii() or MARKS.search(text) is None:
        return [Span(text, ink)]
    found: list[Span] = []
    at = 0
    for mark in MARKS.finditer(text):
        if mark.start() > at:
            found.append(Span(Clean(text[at : mark.start()]), ink))
        found.append(Span(Clean(mark[0]), CHANGED._replace(ground=ink.ground)))
        at = mark.end()
    if at < len(text):
        found.append(Span(Clean(text[at:]), ink))
    return found


def width_of(text: str) -> int:
    """Cells that the text takes; it has no newline."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: Clean, cells: int) -> Clean:
    """The text in at most that many cells, the end replaced by an ellipsis."""
    if width_of(text) <= cells:
        return text
    if cells <= 0:
        return NOTHING
    return Clean(text[: _fitting(text, 0, cells - 1)] + "…")


def fit_middle(text: Clean, cells: int) -> Clean:
    """The text in at most that many cells, the middle replaced, so that the end of a path stays readable."""
    if width_of(text) <= cells or cells < 8:
        return fit(text, cells)
    head = _fitting(text, 0, (cells - 1) // 3)
    room = cells - 1 - width_of(text[:head])
    tail = len(text)
    while tail > head and width_of(text[tail - 1 :]) <= room:
        tail -= 1
    return Clean(f"{text[:head]}…{text[tail:]}")


def _fitting(text: str, start: int, cells: int) -> int:
    """Where the characters from start end that fit into the cells."""
    if text.isascii():
        return min(len(text), start + cells)
    used = 0
    for index in range(start, len(text)):
        used += cell_len(text[index])
        if used > cells:
            return index
    return len(text)


_WIDE = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0001faff\U00020000-\U0003fffd"
)
# A wide character may end a line by itself; its combining marks and skin tone stay with it.
_TOKEN = re.compile(
    rf"[ ]+|[\U0001f1e6-\U0001f1ff]{{2}}|[{_WIDE}][\u0300-\u036f\u20d0-\u20ff\u3099\u309a\U0001f3fb-\U0001f3ff]*"
    rf"|[^ {_WIDE}\U0001f1e6-\U0001f1ff]+|."
)


class Cut(NamedTuple):
    """A line of wrapped text: characters start to end, and what was between it and the line before."""

    start: int
    end: int
    joiner: Clean


def cuts(text: Clean, width: int) -> list[Cut]:
    """Where to break a text so that no line is wider than width cells: at spaces, inside a word only if it must."""
    width = max(1, width)
    found: list[Cut] = []
    at = 0
    for line in text.split("\n"):
        if width_of(line) <= width:
            found.append(Cut(at, at + len(line), NEWLINE))
        else:
            _cut_line(line, at, width, found)
        at += len(line) + 1
    return found


def _cut_line(line: str, offset: int, width: int, found: list[Cut]) -> None:
    start = end = 0
    used = 0
    joiner = NEWLINE
    for token in _TOKEN.finditer(line):
        word = token[0]
        cells = width_of(word)
        if word[0] == " ":
            # Spaces at a break vanish from the screen and live on in the joiner; an indentation stays.
            used += cells
            if end == start == 0 and cells < width:
                end = token.end()
            continue
        if used + cells > width and end > start:
            found.append(Cut(offset + start, offset + end, joiner))
            joiner = Clean(line[end : token.start()])
            start, used = token.start(), 0
        elif used + cells > width:
            joiner = Clean(joiner + line[start : token.start()])
            start, used = token.start(), 0
        while cells > width and (cut := max(start + 1, _fitting(line, start, width))) < token.end():
            found.append(Cut(offset + start, offset + cut, joiner))
            joiner, start = NOTHING, cut
            cells = width_of(line[cut : token.end()])
        used += cells
        end = token.end()
    if end > start or not found or start == 0:
        found.append(Cut(offset + start, offset + end, joiner))


def wrap(spans: Sequence[Span], width: int) -> list[tuple[tuple[Span, ...], Clean]]:
    """Lines of at most width cells, each with its joiner. A newline in a span ends a line."""
    text = Clean("".join([span.text for span in spans]))
    if "\n" not in text and width_of(text) <= width:
        return [(tuple(span for span in spans if span.text), NEWLINE)]
    result: list[tuple[tuple[Span, ...], Clean]] = []
    index, passed = 0, 0
    for start, end, joiner in cuts(text, width):
        line: list[Span] = []
        while index < len(spans) and passed + len(spans[index].text) <= start:
            passed += len(spans[index].text)
            index += 1
        look, at = index, passed
        while look < len(spans) and at < end:
            span = spans[look]
            piece = span.text[max(0, start - at) : end - at]
            if piece:
                line.append(span if len(piece) == len(span.text) else Span(Clean(piece), span.ink))
            at += len(span.text)
            look += 1
        result.append((tuple(line), joiner))
    return result


Prefix = tuple[Span, ...]
"""Decoration at the start of a line."""


def wrapped(
    spans: Sequence[Span],
    width: int,
    *,
    first: Prefix = (),
    rest: Prefix | None = None,
    ground: str = "",
    keep: bool = False,
) -> list[Line]:
    """Wrapped lines behind a prefix: `first` on the first line, `rest` on the others, where it differs.

    keep: a copy holds the prefix too, where the line does not just go on from the one above.
    """
    rest = first if rest is None else rest
    room = width - sum([width_of(span.text) for span in first])
    lines: list[Line] = []
    for index, (content, joiner) in enumerate(wrap(spans, max(1, room))):
        prefix = rest if index else first
        lead = 0 if keep and joiner == NEWLINE else sum([len(span.text) for span in prefix])
        lines.append(Line(spans=(*prefix, *content), lead=lead, joiner=joiner, ground=ground))
    return lines
