"""Text of a server's on its way to a model or to a screen: bounded, and without what nobody can see."""

from __future__ import annotations

import re
import unicodedata

# An escape sequence goes as a whole, or its parameters would stay behind as text.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]{0,1024}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Invisible, though Unicode counts them among letters and marks: fillers and variation selectors.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_LONGEST_READ = 4


def plain(text: str, limit: int) -> str:
    """Without control characters but newlines and tabs, without invisible ones, and at most limit characters."""
    # What is cut off anyway is not looked at: a description may have megabytes.
    whole = text[: limit * _LONGEST_READ]
    if not (whole.isascii() and whole.isprintable()):
        whole = _BLANK.sub("", _SEQUENCE.sub("", whole.replace("\r\n", "\n")))
        whole = "".join(one for one in whole if one in "\n\t" or unicodedata.category(one) not in _HIDDEN)
    whole = whole.strip()
    if len(whole) <= limit and len(text) <= limit * _LONGEST_READ:
        return whole
    mark = f" [... cut here: it has {len(text):,} characters]"
    return whole[: max(limit - len(mark), 0)].rstrip() + mark


def one_line(text: str, limit: int) -> str:
    """The same on one line, cut with an ellipsis."""
    whole = " ".join(plain(text[: limit * _LONGEST_READ], limit * _LONGEST_READ).split())
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def size_words(size: int) -> str:
    return f"{size:,} bytes"
