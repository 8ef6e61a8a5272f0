"""A shell line as the policy sees it: plain data, made by `take_apart`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command after quote removal. text None: only the shell can know what it comes to.

    raw: as it is written. home: an unquoted ~ begins it. holed: the text with $HOLE where something unknown is put
    into it before it is read.
    """

    text: str | None
    raw: str
    home: bool = False
    holed: str | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """Why a grant must name the word at index to cover the command: it runs code, say, or writes a file."""

    index: int
    why: str


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command. outer: the place in Line.commands of the command that runs this one.

    offset: where its words begin among those of the outer one, None where they stand inside one word of it.
    harmless: it does nothing but end or skip (true, exit), so that no grant is needed.
    """

    words: tuple[Word, ...]
    raw: str
    risks: tuple[Risk, ...] = ()
    outer: int | None = None
    offset: int | None = None
    harmless: bool = False

    @property
    def name(self) -> str | None:
        return self.words[0].text if self.words else None

    @property
    def argv(self) -> tuple[str | None, ...]:
        return tuple(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class FileUse:
    """A redirection that opens a file. path None: only the shell can know which. enters: a folder that cd goes to."""

    path: str | None
    raw: str
    writes: bool
    enters: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What no grant of a part can cover. hides: a command may be in it that cannot be seen, a denied one too."""

    why: str
    raw: str
    hides: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    commands: tuple[Simple, ...] = ()
    files: tuple[FileUse, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def hides(self) -> bool:
        return any(problem.hides for problem in self.problems)
