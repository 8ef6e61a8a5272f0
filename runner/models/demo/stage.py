"""How the demo model works through a request: a script that yields the calls it wants and is sent what came of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias

from runner.messages import JsonObject
from runner.models.demo.outcome import Outcome

MOST_SHOWN = 12
"""Lines of a tool's output that an answer repeats; the person can open the call to see all of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    tool: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Turn:
    """One response: thoughts, words, and calls; a response without calls ends the request."""

    reasoning: str
    text: str
    calls: tuple[Wanted, ...] = ()


Script: TypeAlias = Generator[Turn, tuple[Outcome, ...], bool]
"""Returns whether what follows in the same request still makes sense."""


@dataclass(slots=True)
class Stage:
    """tools: the names that this request offers. said: paragraphs that the next response begins with."""

    tools: frozenset[str]
    said: list[str] = field(default_factory=list[str])

    def say(self, paragraph: str) -> None:
        if paragraph:
            self.said.append(paragraph)

    def speak(self) -> str:
        """All that waits to be said, once."""
        text = "\n\n".join(self.said)
        self.said.clear()
        return text

    def missing(self, *tools: str) -> bool:
        """Say which of these tools are not offered; False where all are."""
        absent = [f"`{tool}`" for tool in tools if tool not in self.tools]
        if absent:
            names = " and ".join(absent)
            self.say(f"I would need {names} for that, and this agent does not offer me {names}.")
        return bool(absent)


def ask(
    stage: Stage, reasoning: str, intro: str, *wanted: Wanted
) -> Generator[Turn, tuple[Outcome, ...], tuple[Outcome, ...]]:
    stage.say(intro)
    return (yield Turn(reasoning, stage.speak(), wanted))


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def block(text: str, language: str = "", most: int = MOST_SHOWN) -> str:
    """The first lines in a fence that the text cannot close, and how many are not shown."""
    lines = text.rstrip("\n").splitlines()
    fence = "```"
    while any(fence in line for line in lines[:most]):
        fence += "`"
    shown = "\n".join([f"{fence}{language}", *lines[:most], fence])
    rest = len(lines) - most
    return f"{shown}\n\n… and {plural(rest, 'more line')}; the call above holds all of it." if rest > 0 else shown


def shorten(text: str, most: int) -> str:
    """On one line, with at most that many characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def code(text: str) -> str:
    """A piece of text inside a sentence."""
    flat = shorten(text, 80)
    ticks = "``" if "`" in flat else "`"
    pad = " " if "`" in flat else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"
