"""What a word comes to, where that can be known without running anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.policy.shell.grammar import text_of
from runner.policy.shell.model import Word

if TYPE_CHECKING:
    from tree_sitter import Node

_GLOB = frozenset("*?[")
_IN_QUOTES = frozenset('$`"\\')
_ANSI = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))", re.DOTALL)
_ANSI_LETTERS = {
    **{"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"},
    **{"\\": "\\", "'": "'", '"': '"', "?": "?"},
}


class _Unknown(Exception):
    """Only the shell can know."""


def word_of(node: Node) -> Word:
    """A word, quotes removed. Expansions, patterns that match files, and braces leave it unknown."""
    raw = text_of(node)
    if node.type == "process_substitution":
        # The shell puts the name of a pipe here, whatever the commands in it say.
        return Word("/dev/fd/63", raw)
    try:
        pieces = list(_pieces(node))
        _refuse_braces(pieces)
    except _Unknown:
        return Word(None, raw)
    home = raw.startswith("~")
    return Word("".join(text for text, _ in pieces), raw, home)


def _pieces(node: Node) -> list[tuple[str, bool]]:
    """The characters, each with whether it was quoted. Raises _Unknown."""
    match node.type:
        case "word" | "number" | "command_name" | "variable_name" | "special_variable_name" if not node.named_children:
            return _bare(text_of(node))
        case "command_name" | "concatenation":
            return [piece for child in node.children for piece in _pieces(child)]
        case "string":
            return _quoted(node)
        case "raw_string":
            return [(char, True) for char in text_of(node)[1:-1]]
        case "ansi_c_string":
            return [(char, True) for char in _ansi(text_of(node)[2:-1])]
        case _:
            raise _Unknown


def _bare(text: str) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 1
            if text[at] != "\n":
                found.append((text[at], True))
        elif char in _GLOB or char in "$`" or (char == "~" and found and found[-1][0] in ":="):
            raise _Unknown
        else:
            found.append((char, False))
        at += 1
    return found


def _quoted(node: Node) -> list[tuple[str, bool]]:
    if any(child.type not in ('"', "string_content") for child in node.children):
        raise _Unknown
    return [(char, True) for char in unescaped(text_of(node)[1:-1])]


def unescaped(text: str) -> str:
    """The inside of double quotes. Raises where an expansion is in it."""
    found: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 1
            if text[at] == "\n":
                pass
            else:
                found.append(text[at] if text[at] in _IN_QUOTES else char + text[at])
        elif char in "$`":
            raise _Unknown
        else:
            found.append(char)
        at += 1
    return "".join(found)


def _ansi(text: str) -> str:
    def char(found: re.Match[str]) -> str:
        hexadecimal, octal, short, long, letter = found.groups()
        if letter is not None:
            if letter not in _ANSI_LETTERS:
                raise _Unknown
            return _ANSI_LETTERS[letter]
        code = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
        # A byte of its own is half a character, and a NUL ends the word: neither is known text.
        if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000 or ((octal or hexadecimal) and code > 0x7F):
            raise _Unknown
        return chr(code)

    return _ANSI.sub(char, text)


def _refuse_braces(pieces: list[tuple[str, bool]]) -> None:
    bare = "".join(char if not quoted else "_" for char, quoted in pieces)
    if "{" in bare and "}" in bare and ("," in bare or ".." in bare):
        raise _Unknown


def static_text(text: str, *, quoted: bool) -> str | None:
    """The text of a here-document, None where the shell would expand it first."""
    if quoted:
        return text
    try:
        return unescaped(text.replace('"', "\0")).replace("\0", '"')
    except _Unknown:
        return None
