"""Large pastes in a message: one token on the screen that stands for the whole text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

LINES = 12
CHARACTERS = 2000
"""A paste with more than either is folded."""

REMEMBERED = 32
"""Texts whose tokens are known, the newest; a message is rarely made of more."""

_TOKEN = re.compile(r"\[pasted [^\[\]\n]{1,60}\]")


def is_large(text: str) -> bool:
    return len(text) > CHARACTERS or text.count("\n") >= LINES


def size_words(text: str) -> str:
    """ "400 lines, 12.3 kB": kilobytes as they are sent."""
    lines = text.count("\n") + (not text.endswith("\n"))
    size = len(text.encode("utf-8", "replace"))
    amount = f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"
    return f"{lines:,} line{'' if lines == 1 else 's'}, {amount}"


class Pastes:
    """Which token stands for which text."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def fold(self, text: str) -> str:
        """The token of a text, which is its own: another text of the same size gets another one."""
        number = 1
        while True:
            token = f"[pasted {size_words(text)}{f', {number}' if number > 1 else ''}]"
            if self._texts.get(token, text) == text:
                break
            number += 1
        self._texts.pop(token, None)
        self._texts[token] = text
        while len(self._texts) > REMEMBERED:
            del self._texts[next(iter(self._texts))]
        return token

    def unfold(self, message: str) -> str:
        """The message with the whole texts, as it is sent."""
        return _TOKEN.sub(lambda found: self._texts.get(found[0], found[0]), message) if self._texts else message

    def refold(self, message: str) -> str:
        """The message with the large texts that are known as their tokens: the first one first, then the longest."""
        known = [(text, token) for token, text in self._texts.items() if is_large(text) and text in message]
        known.sort(key=lambda pair: -len(pair[0]))
        parts: list[str] = []
        at = 0
        while True:
            found = [(place, text, token) for text, token in known if (place := message.find(text, at)) >= 0]
            if not found:
                return "".join([*parts, message[at:]])
            place, text, token = min(found, key=lambda match: match[0])
            parts += [message[at:place], token]
            at = place + len(text)

    def folded_in(self, message: str) -> list[str]:
        """The texts whose tokens stand in a message."""
        return [self._texts[found[0]] for found in _TOKEN.finditer(message) if found[0] in self._texts]

    def know(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.fold(text)

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where tokens stand in a line."""
        if not self._texts or "[pasted " not in line:
            return []
        return [found.span() for found in _TOKEN.finditer(line) if found[0] in self._texts]

    def text_of(self, token: str) -> str | None:
        return self._texts.get(token)

    def around(self, message: str, offset: int) -> tuple[int, int, str] | None:
        """The known text that stands unfolded around a place in the message: from, to, its token."""
        for token, text in sorted(self._texts.items(), key=lambda entry: -len(entry[1])):
            start = message.find(text)
            while start >= 0:
                if start <= offset <= start + len(text):
                    return start, start + len(text), token
                start = message.find(text, start + 1)
        return None
