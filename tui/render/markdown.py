"""One chunk of Markdown to lines: CommonMark by markdown-it, with tables, strikethrough and task lists.

The text is untrusted: HTML is shown as text, links show their real target and cannot be followed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from tui.render.clean import Clean, clean
from tui.render.code import code_lines
from tui.render.lines import (
    BLANK,
    MUTED,
    NEWLINE,
    PLAIN,
    SPACE,
    Ink,
    Line,
    Prefix,
    Span,
    spans_of,
    wrapped,
)
from tui.render.splitter import Chunk
from tui.render.table import Align, Table, table_lines

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BULLETS: Final = "•◦▪"
_QUOTE_BAR: Final = Span(Clean("▎ "), Ink("md.quote"))
_RULE: Final = Ink("md.rule")
_LINK: Final = Ink("md.link", underline=True)
_BULLET: Final = Ink("md.bullet")
_TASK = re.compile(r"\[([ xX])\] ")
# Text without any of these is one plain paragraph, which needs no parser.
_SYNTAX = re.compile(r"[\\`*_\[\]<>&!~|#=]|^ *(?:[-+]|\d{1,9}[.)])", re.MULTILINE)

_HEADINGS: Final = {
    "h1": Ink("md.heading", bold=True, underline=True),
    "h2": Ink("md.heading", bold=True),
    "h3": Ink("md.heading", bold=True, italic=True),
}
_HEADING_REST: Final = Ink("md.heading", italic=True)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # A definition of a link target would vanish from the text, and its uses may stand in another chunk.
    return parser.disable(["reference", "html_block", "html_inline"])


def warm() -> None:
    """Load the parser; 20 ms that a thread can spend before the first answer comes."""
    _parser().parse("*a*")


def chunk_lines(chunk: Chunk, width: int, base: Ink = PLAIN) -> list[Line]:
    """The lines of a chunk, without the gap above it."""
    margin = min(chunk.margin, width // 2)
    prefix: Prefix = (Span(Clean(SPACE * margin), base),) if margin else ()
    if chunk.kind == "code":
        lines = code_lines(chunk.text, chunk.info, width, label=chunk.first, prefix=prefix)
    elif _SYNTAX.search(chunk.text) is None:
        text = Clean("\n".join([line.strip(" ") for line in chunk.text.split("\n")]))
        lines = wrapped(spans_of(text, base), width, first=prefix, keep=True)
    else:
        writer = _Writer(width=width, base=base, depth=chunk.depth, hidden=chunk.hidden)
        writer.boxes.append(_Box(first=prefix, rest=prefix))
        writer.write(_parser().parse(chunk.text))
        lines = writer.lines
    if chunk.joiner != NEWLINE and lines:
        # Spaces at the end of the line above are not on the screen, those at the beginning of this one are.
        lines[0] = replace(lines[0], joiner=chunk.joiner)
    return lines


@dataclass(slots=True)
class _Box:
    """A quote or list item around what is written: the prefix of its first line, and of the others."""

    first: Prefix
    rest: Prefix
    used: bool = False


@dataclass(slots=True)
class _Writer:
    width: int
    base: Ink
    depth: int
    hidden: int
    lines: list[Line] = field(default_factory=list[Line])
    boxes: list[_Box] = field(default_factory=list[_Box])
    ended: int | None = None

    def write(self, tokens: Sequence[Token]) -> None:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            match token.type:
                case "paragraph_open" | "heading_open":
                    ink = self.base if token.type == "paragraph_open" else _HEADINGS.get(token.tag, _HEADING_REST)
                    self._gap(token)
                    self._paragraph(tokens[index + 1], ink)
                    index += 2
                case "fence" | "code_block":
                    self._gap(token)
                    text = clean(token.content.removesuffix("\n"))
                    self._add(code_lines(text, clean(token.info), self._room()))
                case "hr":
                    self._gap(token)
                    rule = Clean("─" * max(3, self._room()))
                    self._add([Line(spans=(Span(rule, _RULE),))])
                case "table_open":
                    self._gap(token)
                    index = self._table(tokens, index)
                case _:
                    self._container(token)
            index += 1

    def _container(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self.depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self.depth -= 1
            case "list_item_open":
                self._gap(token)
                self._open_item(token)
            case "blockquote_open":
                self._gap(token)
                self.boxes.append(_Box((_QUOTE_BAR,), (_QUOTE_BAR,)))
                self.base = self.base._replace(colour="md.quote")
            case "blockquote_close":
                self._close_box()
                if not self._quoted():
                    self.base = self.base._replace(colour=PLAIN.colour)
            case "list_item_close":
                self._close_box()
            case _:
                pass

    def _gap(self, token: Token) -> None:
        """Keep blank lines of the source between blocks of one chunk."""
        start, end = token.map or (0, 0)
        if self.ended is not None and start > self.ended:
            self._add([BLANK])
        if not token.type.endswith(("item_open", "quote_open")):
            self.ended = end

    def _prefixes(self) -> tuple[Prefix, Prefix]:
        first: list[Span] = []
        rest: list[Span] = []
        for box in self.boxes:
            first.extend(box.rest if box.used else box.first)
            rest.extend(box.rest)
            box.used = True
        return tuple(first), tuple(rest)

    def _room(self) -> int:
        return max(8, self.width - sum([len(span.text) for box in self.boxes for span in box.rest]))

    def _add(self, lines: list[Line]) -> None:
        first, rest = self._prefixes()
        for index, line in enumerate(lines):
            prefix = rest if index else first
            lead = line.lead + sum([len(span.text) for span in prefix])
            self.lines.append(replace(line, spans=(*prefix, *line.spans), lead=lead))

    def _paragraph(self, inline: Token, ink: Ink) -> None:
        spans = inline_spans(inline.children or [], ink)
        box = self.boxes[-1]
        if spans and not box.used and (task := _TASK.match(spans[0].text)) and box.first and len(self.boxes) > 1:
            done = task[1] != " "
            box.first = (Span(Clean("☑ " if done else "☐ "), _BULLET),)
            box.rest = (Span(Clean("  "), self.base),)
            spans[0] = Span(Clean(spans[0].text[task.end() :]), spans[0].ink)
        first, rest = self._prefixes()
        self.lines.extend(wrapped(spans, self.width, first=first, rest=rest, keep=not self._quoted()))

    def _quoted(self) -> bool:
        return any(box.rest == (_QUOTE_BAR,) for box in self.boxes)

    def _open_item(self, token: Token) -> None:
        depth = self.depth - 1
        mark = f"{token.info}{token.markup} " if token.info else f"{_BULLETS[depth % len(_BULLETS)]} "
        self.boxes.append(_Box((Span(Clean(mark), _BULLET),), (Span(Clean(" " * len(mark)), self.base),)))

    def _close_box(self) -> None:
        # An item without content still shows its marker.
        if not self.boxes[-1].used:
            first, _ = self._prefixes()
            self.lines.append(Line(spans=first))
        self.boxes.pop()

    def _table(self, tokens: Sequence[Token], index: int) -> int:
        rows: list[list[list[Span]]] = []
        align: list[Align] = []
        while tokens[index].type != "table_close":
            token = tokens[index]
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "th_open":
                style = str(token.attrGet("style") or "")
                align.append("right" if "right" in style else "center" if "center" in style else "left")
            elif token.type == "inline":
                rows[-1].append(inline_spans(token.children or [], self.base, one_line=True))
            index += 1
        head = [] if self.hidden else rows[0]
        table = Table(head=head, rows=rows[1:], align=align)
        self._add(table_lines(table, self._room()))
        return index


def inline_spans(tokens: Sequence[Token], base: Ink, *, one_line: bool = False) -> list[Span]:
    """Inline Markdown as spans; a line break of the source stays one."""
    spans: list[Span] = []
    inks: list[Ink] = [base]
    links: list[tuple[str, int]] = []
    newline = Clean(" " if one_line else "\n")
    for token in tokens:
        ink = inks[-1]
        match token.type:
            case "text" | "text_special" | "html_inline":
                # An entity may stand for a carriage return, which must not overwrite what is before it.
                spans.extend(spans_of(clean(token.content.replace("\r", " ")), ink))
            case "softbreak" | "hardbreak":
                spans.append(Span(newline, ink))
            case "code_inline":
                ground = "text.code_bg" if base.colour != "md.heading" else base.ground
                spans.extend(spans_of(clean(token.content), ink._replace(colour="text.code", ground=ground)))
            case "strong_open":
                inks.append(ink._replace(bold=True))
            case "em_open":
                inks.append(ink._replace(italic=True))
            case "s_open":
                inks.append(ink._replace(strike=True))
            case "link_open":
                inks.append(_LINK._replace(bold=ink.bold, italic=ink.italic))
                links.append((str(token.attrGet("href") or ""), len(spans)))
            case "link_close":
                inks.pop()
                target, start = links.pop()
                spans.extend(_target(target, spans[start:]))
            case "image":
                spans.extend(spans_of(clean(f"[image: {token.content}]"), ink))
                spans.extend(_target(str(token.attrGet("src") or ""), []))
            case "strong_close" | "em_close" | "s_close":
                inks.pop()
            case _:
                spans.extend(spans_of(clean(token.content), ink))
    return spans


def _target(href: str, shown: Sequence[Span]) -> list[Span]:
    """Where a link leads, unless that is its very text."""
    target = clean(href)
    text = "".join([span.text for span in shown])
    if not target or text in (target, target.removeprefix("mailto:")):
        return []
    return spans_of(Clean(f" ({target})"), MUTED)


def code_of(text: str) -> list[tuple[str, str]]:
    """The blocks of code of a whole text, as they are written: what stands behind the fence, and the code."""
    tokens = _parser().parse(text)
    return [(token.info, token.content.removesuffix("\n")) for token in tokens if token.type in ("fence", "code_block")]
