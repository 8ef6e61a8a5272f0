"""Quoted parts of a request, taken out before its words are looked at, so that nothing in quotes is read as a wish."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Private-use characters stand for quotes; a text that already has them is left unmarked.
OPEN, CLOSE = "\ue000", "\ue001"
ATOM = f"{OPEN}\\d+{CLOSE}"

_FENCE = r"(?P<ticks>`{3,})[^\n`]*\n(?P<fence>.*?)\n?[ \t]*(?P=ticks)"
_CODE = r"(?P<triple>`{3,}(?P<inline>[^`\n]+)`{3,})|`(?P<code>[^`\n]+)`"
_BEFORE, _AFTER = r"(?<![\w\\])", r"(?![\w])"
_DOUBLE = rf"{_BEFORE}\"(?P<double>(?:[^\"\\]|\\.)*)\"{_AFTER}"
# Typographic quotes: low or left double, left single, left angle, each with its partner.
_CURLY = (
    "[\u201c\u201e](?P<curly>[^\u201c\u201d]*)[\u201c\u201d]"
    "|\u2018(?P<single_curly>[^\u2019]*)\u2019|\u00ab(?P<angle>[^\u00bb]*)\u00bb"
)
_SINGLE = rf"{_BEFORE}'(?P<single>(?:[^'\n]|(?<=\w)'(?=\w))+)'{_AFTER}"
_QUOTE = re.compile("|".join((_FENCE, _CODE, _DOUBLE, _CURLY, _SINGLE)), re.DOTALL)
_ESCAPE = re.compile(r'\\([nt"\\])')
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Quote:
    """raw: with its quotes, as written. inner: what it means. fenced: a block of lines."""

    raw: str
    inner: str
    fenced: bool


class Marked:
    """A text whose quoted parts are replaced by atoms."""

    def __init__(self, text: str) -> None:
        self.quotes: list[Quote] = []
        self.text = text if OPEN in text or CLOSE in text else _QUOTE.sub(self._take, text)

    def _take(self, found: re.Match[str]) -> str:
        fence = found["fence"]
        if fence is not None:
            inner = fence + "\n" if fence else ""
        elif found["double"] is not None:
            inner = _ESCAPE.sub(lambda escape: _ESCAPES[escape[1]], found["double"])
        else:
            names = ("inline", "code", "curly", "single_curly", "angle", "single")
            inner = next((found[name] for name in names if found[name] is not None), "")
        self.quotes.append(Quote(raw=found[0], inner=inner, fenced=fence is not None))
        return f"{OPEN}{len(self.quotes) - 1}{CLOSE}"

    def raw(self, part: str) -> str:
        """The part as the person wrote it."""
        return re.sub(ATOM, lambda atom: self.quotes[_number(atom[0])].raw, part).strip()

    def value(self, part: str) -> str:
        """What the part means: the inside of a quote that is all of it, else as written."""
        quote = self.quote(part)
        return quote.inner if quote is not None else self.raw(part)

    def quote(self, part: str) -> Quote | None:
        stripped = part.strip()
        return self.quotes[_number(stripped)] if re.fullmatch(ATOM, stripped) else None


def _number(atom: str) -> int:
    return int(atom[1:-1])
