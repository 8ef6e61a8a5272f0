"""What completes a word: files of the folder, gathered in a thread, and the commands that work now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from runner.errors import QuarterdeckError
from tui.files import gather
from tui.fuzzy import best
from tui.limits import LIMITS, OFF, Limit, as_written, find_limit
from tui.naming import may_be_media, media_words, named
from tui.render.clean import visible
from tui.render.limits import quantity
from tui.slash import BY_SLASH
from tui.widgets.completion import Candidate, Remark, Word
from tui.words import one_line

if TYPE_CHECKING:
    from runner.mcp.state import PromptInfo, ResourceInfo
    from tui.argument_words import ArgumentWords
    from tui.view import View

T = TypeVar("T")

MOST = 50
FRESH = 15.0
"""Seconds after which the folder is looked at again."""


class Offers(Protocol):
    """What servers offer for a message."""

    @property
    def prompts(self) -> Sequence[PromptInfo]: ...

    @property
    def resources(self) -> Sequence[ResourceInfo]: ...


class Completer:
    def __init__(
        self,
        workspace: Path,
        background: Callable[[Callable[[], list[str]]], Future[list[str]]],
        now: Callable[[], float],
    ) -> None:
        self._workspace = workspace
        self._background = background
        self._now = now
        self._files: list[str] | None = None
        self._gathered = 0.0
        self.servers: Offers | None = None
        """Whose prompts and resources complete too."""
        self.arguments: ArgumentWords | None = None
        """What may follow a command."""

    async def candidates(self, word: Word, view: View) -> Sequence[Candidate | Remark]:
        """The best candidates for the word, best first; none while the program ends."""
        match word.kind:
            case "command":
                return [*commands(word.query, view), *self._prompts(word.query)]
            case "limit":
                return limits(word.query, view)
            case "value":
                return values(word.of, word.query, view)
            case "argument":
                return [] if self.arguments is None else await self._arguments(word)
            case "shell" | "history":
                return []
            case "file":
                pass
        with suppress(QuarterdeckError):
            return await self._file_candidates(word)
        return []

    async def _arguments(self, word: Word) -> Sequence[Candidate | Remark]:
        with suppress(QuarterdeckError):
            if self.arguments is not None:
                return await self.arguments.candidates(word.of, word.query)
        return ()

    async def _file_candidates(self, word: Word) -> list[Candidate]:
        if self._files is None or self._now() - self._gathered > FRESH:
            self._files = await asyncio.wrap_future(self._background(lambda: gather(self._workspace)))
            self._gathered = self._now()
        known, query = self._files, word.query
        found = await asyncio.wrap_future(self._background(lambda: best(query, known, str, MOST)))
        offered = self._resources(query)
        told = await asyncio.wrap_future(self._background(lambda: [self._media(name) for name in found]))
        files = [
            Candidate(f"{named(name, words) if words else name} ", name, words)
            for name, words in zip(found, told, strict=True)
        ]
        return [*offered, *files] if ":" in query else [*files, *offered]

    def _media(self, name: str) -> str:
        """What a picture or the like is, "" for text; its content is not sent with the message."""
        return media_words(self._workspace / name) if may_be_media(name) else ""

    def _prompts(self, query: str) -> list[Candidate]:
        prompts = self.servers.prompts if self.servers is not None else ()
        found = best(query, prompts, lambda prompt: f"{prompt.server}:{prompt.name}", MOST) if query else prompts
        return [
            Candidate(
                f"/{prompt.server}:{prompt.name}{' ' if prompt.arguments else ''}",
                f"/{prompt.server}:{prompt.name}",
                visible(one_line(prompt.description or prompt.title)) or "a prompt",
            )
            for prompt in found
        ]

    def _resources(self, query: str) -> list[Candidate]:
        """Resources by their server and address; of a template, what comes before its first gap."""
        resources = self.servers.resources if self.servers is not None else ()
        found = (
            best(query, resources, lambda resource: f"{resource.server}:{resource.uri}", MOST) if query else resources
        )
        return [
            Candidate(
                f"@{resource.server}:{resource.uri.partition('{')[0]}{'' if resource.template else ' '}",
                f"@{resource.server}:{resource.uri}",
                visible(one_line(resource.description or resource.title or resource.name)) or "a resource",
            )
            for resource in found
        ]


def commands(query: str, view: View) -> list[Candidate]:
    usable = [action for action in BY_SLASH.values() if action.enabled(view) or action.id == "model"]
    found = [action for action in usable if action.slash.startswith(query)]
    found += [action for action in best(query, usable, lambda action: action.slash, MOST) if action not in found]
    return [Candidate(f"/{action.slash}", f"/{action.slash}", action.help) for action in found]


def limits(query: str, view: View) -> list[Candidate]:
    """Limits that can be set, with what they are now where a run goes on."""
    found = [limit for limit in LIMITS if limit.word.startswith(query)]
    found += [limit for limit in best(query, LIMITS, lambda limit: limit.word, MOST) if limit not in found]
    return [Candidate(f"{limit.word} ", limit.word, f"{limit.what}{_now(limit, view)}") for limit in found]


def _now(limit: Limit, view: View) -> str:
    if view.live is None:
        return ""
    value = view.live.limits.get(limit.name)
    return f", now {OFF if value is None else quantity(limit.name, value)}"


def values(name: str, query: str, view: View) -> list[Candidate]:
    """Values that a limit may get: more of it, or none at all."""
    try:
        limit = find_limit(name)
    except ValueError:
        return []
    value = view.live.limits.get(limit.name) if view.live is not None else None
    found = [Candidate(OFF, OFF, "no such limit")]
    if value:
        higher = [("+50%", "half as much again"), (as_written(limit, value * 2), "twice as much")]
        found = [Candidate(written, written, does) for written, does in higher] + found
    elif query == "":
        first = as_written(limit, limit.first)
        found.insert(0, Candidate(first, first, f"{quantity(limit.name, limit.first)} of {limit.what}"))
    return [candidate for candidate in found if candidate.value.startswith(query)]
