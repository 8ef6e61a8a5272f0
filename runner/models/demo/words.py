"""What the tables of phrases are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from runner.models.demo.intents import CURRENT, Intent
from runner.models.demo.marking import ATOM, Marked

Found: TypeAlias = re.Match[str]

NAME = rf"(?:{ATOM}|[^\s,;]+)"
FILE = rf"(?:{ATOM}|[^\s,;:]+)"
FOLDER = (
    rf"(?:{ATOM}|(?:the |this |our |my )?(?:current |working |whole )?[^\s,;]+"
    r"(?: (?:folder|directory|dir|repo|project))?)"
)
SHOW = r"(?:show(?: me)?|open|display|print|view|cat|read|look at|see|give me|type)"

_HERE = re.compile(
    r"(?:here|there|everything|(?:the |this |our |my )?(?:current |working |whole )?"
    r"(?:folder|directory|dir|repo|repository|project|workspace|place|code ?base|code|files))",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:it|that|that file|the file|this file)", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|this|our|my)\s+|\s+(?:folder|directory|dir|repo|project)$", re.IGNORECASE)
_KNOWN = frozenset({"readme", "license", "licence", "makefile", "dockerfile", "changelog", "notice", "authors"})
_MARKS = "?!.,:"


def pattern(*parts: str) -> re.Pattern[str]:
    """A phrase: a space in it stands for any white space; it must cover all of a wish but its end mark."""
    return re.compile("".join(parts).replace(" ", r"\s+") + r"\s*[.?!]*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Words:
    """The quotes of a request, and the file spoken of last, which is what "it" means."""

    marked: Marked
    last_path: str | None = None

    def path(self, part: str | None, default: str | None = None) -> str | None:
        """The path that a part names; the default where there is no part, None where "it" means nothing."""
        if part is None or not part.strip():
            return default
        name = bare(part)
        if self.marked.quote(name) is not None:
            return self.marked.value(name)
        if self.is_pronoun(name):
            return self.last_path
        if _HERE.fullmatch(name):
            return CURRENT
        return self.marked.value(_ARTICLE.sub("", name))

    def is_pronoun(self, part: str) -> bool:
        return _PRONOUN.fullmatch(bare(part)) is not None

    def looks_like_file(self, part: str) -> bool:
        """Whether a part names a file by its look: a dot, a slash, quotes, or a name that everybody knows."""
        name = bare(part)
        if self.is_pronoun(name):
            return self.last_path is not None
        if self.marked.quote(name) is not None:
            return True
        return bool(re.search(r"\w\.\w|^\.\w|/", name)) or name.lower() in _KNOWN


def bare(part: str) -> str:
    """A part without the marks that end a sentence, unless it is nothing but marks, such as the folder "."."""
    return part.strip().rstrip(_MARKS) or part.strip()


Builder: TypeAlias = Callable[[Words, Found], Intent | None]
Table: TypeAlias = tuple[tuple[re.Pattern[str], Builder], ...]


def first_fit(tables: Iterable[Table], text: str, words: Words) -> Intent | None:
    for table in tables:
        for phrase, build in table:
            found = phrase.fullmatch(text)
            intent = build(words, found) if found is not None else None
            if intent is not None:
                return intent
    return None
