"""What a request can ask of the demo model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

CURRENT = "."


@dataclass(frozen=True, slots=True)
class ListFiles:
    path: str = CURRENT


@dataclass(frozen=True, slots=True)
class ReadFile:
    path: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """A summary was asked for; what can be counted is all that it gets."""

    path: str


@dataclass(frozen=True, slots=True)
class Search:
    """pattern: a regular expression where is_regex, else plain text."""

    pattern: str
    path: str = CURRENT
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class WriteFile:
    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Change:
    path: str
    old: str
    new: str
    every: bool = False


@dataclass(frozen=True, slots=True)
class ChangeMany:
    """Every occurrence in each of the files."""

    paths: tuple[str, ...]
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """A question to be put to the person, to show how that goes."""

    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    url: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    command: str


@dataclass(frozen=True, slots=True)
class Tour:
    pass


@dataclass(frozen=True, slots=True)
class Say:
    """An answer from what the model knows about itself."""

    topic: Literal["greeting", "identity", "connect", "thanks", "nothing_left"]


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with what was left of the request before."""


@dataclass(frozen=True, slots=True)
class AllOfThem:
    """The answer to a question whether every occurrence is meant."""


@dataclass(frozen=True, slots=True)
class Unknown:
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Wishes that are to be written down as a list first and worked off one by one."""

    steps: tuple[Intent, ...]


Intent: TypeAlias = (
    ListFiles
    | ReadFile
    | Describe
    | Search
    | WriteFile
    | Change
    | ChangeMany
    | AskPerson
    | Fetch
    | Plan
    | RunCommand
    | Tour
    | Say
    | Resume
    | AllOfThem
    | Unknown
)
