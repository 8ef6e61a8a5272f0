"""What may follow a "/command": words that complete, and where there are none, what it is about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from tui.fuzzy import best
from tui.render.clean import visible
from tui.slash import BY_SLASH, TAKES_ARGUMENT
from tui.widgets.completion import Candidate, Remark
from tui.words import one_line

MOST = 50

Words = Mapping[str, str]
"""Words, and what each is, "" where that says itself."""

HELP: Final[Mapping[str, str]] = {
    "model": "a model's name; alone it opens the list",
    "effort": "how much the model reasons: none, minimal, low, medium, high, … or default",
    "temperature": "a number from 0 to 2, or default",
    "theme": "a theme's name, or how it begins",
    "limit": "a limit and its new value: turns 80, cost 2, time off",
    "send_now": "the message that interrupts the run",
    "grants": "what to look for among what is allowed",
    "decisions": "what to look for: words, tool:shell by:you decision:deny since:7d",
    "try": "a rule in one line: allow shell prefix git status",
    "servers": "a server to look for",
    "undo": "a file to begin with",
    "ledger": "what to look for: a model, an agent, discarded",
    "read.find": "what to look for in the transcript",
    "settings": "a setting to look for",
    "usage": "since when: 7d, 90d, all, or a day such as 2026-01-31",
    "tag": "tags for the turn of the current item, else for the session; -NAME takes one away",
    "note": "the note; alone it shows the one that is there",
    "turns": "the number of a turn, or the id of another session; alone it begins with the last turn",
    "agent": "an agent's name; alone it takes the next one",
    "replay": "the id of a session, or how it begins; alone it takes the one on the screen",
}
"""By the id of the action."""

DECISIONS: Final[Words] = {
    "by:you": "decided by you",
    "by:rule": "decided by a rule",
    "by:grant": "decided by a grant",
    "decision:deny": "denied",
    "decision:allow": "allowed",
    "since:1d": "since yesterday",
    "since:7d": "the last week",
    "tool:shell": "commands",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where words come from; models blocks and is called in a thread, the others are quick."""

    models: Callable[[], Words]
    themes: Callable[[], Words]
    servers: Callable[[], Words]
    efforts: Callable[[], Words]
    agents: Callable[[], Words]


class ArgumentWords:
    def __init__(self, sources: Sources, background: Callable[[Callable[[], Words]], Future[Words]]) -> None:
        self._sources = sources
        self._background = background
        self._models: Words | None = None

    async def candidates(self, command: str, query: str) -> Sequence[Candidate | Remark]:
        """For the word behind "/command "."""
        action = BY_SLASH.get(command)
        if action is None:
            return ()
        if action.id not in TAKES_ARGUMENT:
            return (Remark("this command takes nothing more"),) if not query else ()
        found = completed(query, await self._words(action.id))
        return found or (Remark(HELP.get(action.id, action.help)),)

    async def _words(self, action_id: str) -> Words:
        match action_id:
            case "model":
                if self._models is None:
                    self._models = await asyncio.wrap_future(self._background(self._sources.models))
                return self._models
            case "theme":
                return self._sources.themes()
            case "servers":
                return self._sources.servers()
            case "effort":
                return self._sources.efforts()
            case "agent":
                return self._sources.agents()
            case "temperature":
                return {"default": "as the provider has it"}
            case "decisions":
                return DECISIONS
            case _:
                return {}


def completed(query: str, words: Words) -> list[Candidate]:
    """What is written out already, then those that begin so in their order, then those that have it in them."""
    begins = [query] if query in words else []
    begins += [word for word in words if word.startswith(query)]
    listed: Iterable[str] = dict.fromkeys([*begins, *best(query, words, str, MOST)])
    return [Candidate(word, word, visible(one_line(words[word]))) for word in list(listed)[:MOST]]
