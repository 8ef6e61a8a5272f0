"""The one sanitiser: untrusted text on its way to the screen (SEMANTICS section 13).

What a terminal would obey or a person could not see is replaced by a visible mark: the control pictures U+2400 to
U+2421 ("␛" stands for one escape sequence), or "⟦U+202E⟧" for an invisible character. Two things go without a mark,
because they carry no meaning: the emoji presentation selector right after a symbol, and the joiner between two emoji.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

Clean = NewType("Clean", str)
"""Text that holds no control character but the newline, no bidi control, and nothing invisible but spaces."""

LONGEST_SEQUENCE = 1024
"""Characters an OSC, DCS, APC, PM or SOS may have before it is shown as text instead of being swallowed."""

COMBINING_KEPT = 6
"""Combining marks shown in a row; written languages need at most four on one letter."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_SUSPECT = re.compile(f"[{_CONTROL}{_INVISIBLE}]")
_UNSEEN_CHARACTER = re.compile(f"[{_INVISIBLE}]")
_ASCII_SUSPECT = re.compile("[\x00-\x08\x0b-\x1f\x7f]")

# Parameters and intermediates before the final byte, as ECMA-48 has them, and the text of a string sequence.
_CSI_BODY = r"[0-?]{0,64}[ -/]{0,8}"
_STRING_OPEN = r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])"
_STRING_BODY = rf"[^\x00-\x1f\x7f-\x9f]{{0,{LONGEST_SEQUENCE}}}"
_ESCAPE = re.compile(
    rf"(?:\x1b\[|\x9b){_CSI_BODY}[@-~]"
    rf"|{_STRING_OPEN}{_STRING_BODY}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{1,8}[0-~]"
    r"|\x1b[0-Z\\`-~]"
)
_UNFINISHED = re.compile(rf"(?:(?:\x1b\[|\x9b){_CSI_BODY}|{_STRING_OPEN}{_STRING_BODY}\x1b?|\x1b[ -/]{{0,8}})\Z")
_STRING_OPENER = re.compile(_STRING_OPEN)
_OPENERS = "\x1b\x90\x98\x9b\x9d\x9e\x9f"
_COLOUR = re.compile(r"(?:\x1b\[|\x9b)[0-9;:]{0,64}m|(?:\x1b\[|\x9b)[0-2]?K")
_PICTOGRAPH = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u23ff\u24c2\u25a0-\u27e5\u27f0-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_EMOJI = re.compile(f"[{_PICTOGRAPH}\u200d\ufe0f]")
_TAKES_SELECTOR = re.compile(f"[{_PICTOGRAPH}0-9#*]")
_EMOJI_GLUE = re.compile(
    f"(?<=[{_PICTOGRAPH}0-9#*])\ufe0f|(?<=[{_PICTOGRAPH}])\u200d(?=[{_PICTOGRAPH}])"
    f"|(?<=[{_PICTOGRAPH}]\ufe0f)\u200d(?=[{_PICTOGRAPH}])"
)
_LONGEST_CLUSTER = 4096
# Only characters outside letters, spaces and frames can be a run of combining marks; the category decides.
_MAYBE_COMBINING = re.compile(rf"[^\w\s\x00-\u02ff\u2500-\u259f]{{{COMBINING_KEPT + 1},}}")
MARKS = re.compile(r"[␀-␡]|⟦(?:U\+[0-9A-F]{4,6}|\+\d+ marks)⟧")
"""What the sanitiser leaves in place of a character, for styling it as changed."""

_LINE_ENDS = re.compile(r"\r\n?")
_NETWORK_LINE_END = re.compile(r"\r+\n")
_NOT_PLAIN = re.compile(r"[^\n -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482]")


def clean(text: str, *, tab: int = 8) -> Clean:
    """The text with every dangerous or invisible character marked; line ends become newlines, tabs spaces.

    tab: cells between tab stops.
    """
    if "\r" in text:
        text = _overwritten(_NETWORK_LINE_END.sub("\n", text))
    return _marked(text, tab, 0)


def visible(text: str, *, tab: int = 8) -> Clean:
    """As clean(), for what a person is asked to approve: nothing is swallowed, joined or overwritten.

    Each character of an escape sequence stays readable, a carriage return, a tab and an unusual space get a mark.
    """
    if text.isascii() and text.replace("\n", " ").isprintable():
        return Clean(text)
    shown = _NOT_PLAIN.sub(lambda found: _visible(found[0], tab), text)
    return _thin_combining(shown)


def without_unseen(text: str) -> tuple[str, int]:
    """The text without the characters that nobody can see, and how many they were: for what a person pastes.

    Joiners stay where writing needs them, between letters that are not ASCII and in emoji.
    """
    if text.isascii():
        return text, 0
    kept = _UNSEEN_CHARACTER.sub(_if_needed, text)
    return kept, len(text) - len(kept)


def _if_needed(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    if found[0] in "\u200c\u200d":
        between_letters = not before.isascii() and not after.isascii() and before.isalpha() and after.isalpha()
        # A virama is a mark, not a letter, and is what a joiner follows in the scripts of India.
        joins = between_letters or unicodedata.category(before or " ")[0] == "M"
        return found[0] if joins or _EMOJI_GLUE.match(text, start) else ""
    return found[0] if _EMOJI_GLUE.match(text, start) else ""


def _visible(character: str, tab: int) -> str:
    if character == "\t":
        return "⇥" + " " * (tab - 1)
    if character in "\u2800\u3000" or (not character.isprintable() and character != " "):
        return _mark(character)
    return _mark(character) if _SUSPECT.match(character) else character


def _overwritten(text: str) -> str:
    """Each line as a terminal leaves it after carriage returns: "10 %\\r20 %" shows "20 %"."""
    if "\r" not in text:
        return text
    return "\n".join(_last_writing(line) for line in text.split("\n"))


def _last_writing(line: str) -> str:
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part), "")


def _marked(text: str, tab: int, column: int) -> Clean:
    """column: where on its line the text begins, for the tab stops."""
    if text.isascii():
        if _ASCII_SUSPECT.search(text) is not None:
            text = _ESCAPE.sub("␛", text)
            text = _ASCII_SUSPECT.sub(lambda found: _mark(found[0]), text)
    else:
        if _SUSPECT.search(text) is not None:
            text = _ESCAPE.sub("␛", text)
            text = _EMOJI_GLUE.sub("", text)
            text = _SUSPECT.sub(lambda found: _mark(found[0]), text)
        text = _thin_combining(text)
    if "\t" in text:
        text = (" " * column + text).expandtabs(tab)[column:]
    return Clean(text)


def _thin_combining(text: str) -> Clean:
    return Clean(_MAYBE_COMBINING.sub(_thin, text))


def _thin(found: re.Match[str]) -> str:
    kept: list[str] = []
    run = dropped = 0
    for character in found[0]:
        run = run + 1 if unicodedata.category(character)[0] == "M" else 0
        if run > COMBINING_KEPT:
            dropped += 1
            continue
        if dropped:
            kept.append(f"⟦+{dropped} marks⟧")
            dropped = 0
        kept.append(character)
    if dropped:
        kept.append(f"⟦+{dropped} marks⟧")
    return "".join(kept)


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟦U+{code:04X}⟧"


class Sanitiser:
    """clean() for a text that arrives in pieces; where the pieces are cut changes nothing.

    Escape sequences and line ends that are cut by the end of a piece are held back until the next one or finish().
    progress: the text is a program's output. Each line is held back until it ends, because a carriage return may
    still overwrite it (`partial` is the line so far), and colours are dropped without a mark but counted in `colours`.
    """

    __slots__ = ("_before", "_column", "_held", "_line", "_progress", "_tab", "colours")

    def __init__(self, *, tab: int = 4, progress: bool = False) -> None:
        self._tab = tab
        self._progress = progress
        self._held = ""
        self._line = ""
        self._column = 0
        self._before = ""
        self.colours = 0

    def feed(self, text: str) -> Clean:
        """What can be shown now; in progress mode only whole lines, each with its newline."""
        if self._held:
            text = self._held + text
            self._held = ""
        text = self._hold_back(text)
        return self._feed_lines(text) if self._progress else self._feed_text(text)

    def finish(self) -> Clean:
        """The rest, with nothing held back any more; in progress mode without a newline of its own."""
        held, self._held = self._held, ""
        if not self._progress:
            return self._show("\n" if held == "\r" else held)
        line, self._line = self._line + held, ""
        return self._show(_last_writing(line))

    @property
    def partial(self) -> Clean:
        """The line that has not ended yet, as it stands; always empty without progress."""
        return _marked(_last_writing(self._line), self._tab, 0)

    def _hold_back(self, text: str) -> str:
        last = text[-1:]
        if last == "\r" and not self._progress:
            start = len(text) - 1
        elif last.isascii():
            start = _escape_start(text)
        else:
            start = min(_escape_start(text), _cluster_start(text))
        self._held = text[start:]
        return text[:start]

    def _feed_text(self, text: str) -> Clean:
        if "\r" in text:
            text = _LINE_ENDS.sub("\n", text)
        return self._show(text)

    def _show(self, text: str) -> Clean:
        if text.startswith("\ufe0f") and _TAKES_SELECTOR.match(self._before):
            text = text[1:]
        shown = _marked(text, self._tab, self._column)
        self._before = shown[-1:] or self._before
        newline = shown.rfind("\n")
        self._column = self._column + len(shown) if newline < 0 else len(shown) - newline - 1
        return shown

    def _feed_lines(self, text: str) -> Clean:
        if "\x1b" in text or "\x9b" in text:
            text, colours = _COLOUR.subn("", text)
            self.colours += colours
        if "\n" not in text:
            self._line = _last_line(self._line + text)
            return Clean("")
        whole, _, rest = (self._line + text).rpartition("\n")
        self._line = _last_line(rest)
        shown = _marked(_overwritten(_NETWORK_LINE_END.sub("\n", whole + "\n")), self._tab, 0)
        return shown


def _last_line(line: str) -> str:
    """What may still be seen of a line, so that an endless progress line does not grow."""
    if line.count("\r") < 2:
        return line
    parts = [part for part in line.split("\r") if part]
    tail = "\r" if line.endswith("\r") else ""
    return (parts[-1] if parts else "") + tail


def _cluster_start(text: str) -> int:
    """Where the emoji or combining marks at the end begin: the next piece may hold what belongs to them."""
    start = len(text)
    lowest = max(0, start - _LONGEST_CLUSTER)
    while start > lowest:
        character = text[start - 1]
        if character.isascii() or not (_EMOJI.match(character) or unicodedata.category(character)[0] == "M"):
            break
        start -= 1
    return start


def _escape_start(text: str) -> int:
    """Where an escape sequence begins that the end of the text cuts; the length of the text where none does."""
    opener = max(text.rfind(character) for character in _OPENERS)
    if opener < 0:
        return len(text)
    # The last escape may be the first half of a string's terminator, and then belongs to that string.
    if opener == len(text) - 1:
        for found in _STRING_OPENER.finditer(text, max(0, opener - LONGEST_SEQUENCE - 2), opener):
            if _UNFINISHED.match(text, found.start()):
                return found.start()
    return opener if _UNFINISHED.match(text, opener) else len(text)


def clean_output(text: str) -> Clean:
    """A program's whole output: clean(), with colours dropped and overwritten progress lines gone."""
    sanitiser = Sanitiser(tab=8, progress=True)
    return Clean(sanitiser.feed(text) + sanitiser.finish())


def copied(text: str) -> Clean:
    """The text as it may go to the clipboard or into another program: clean, but with its tabs."""
    text = _LINE_ENDS.sub("\n", text)
    return Clean("\t".join(clean(part) for part in text.split("\t")))
