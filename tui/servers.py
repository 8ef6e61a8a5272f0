"""The servers as the screen knows them, and what a person asks of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from runner.errors import QuarterdeckError
from tui.mentions import (
    Attached,
    Mention,
    PromptCall,
    arguments_of,
    mentions,
    missing,
    read_prompt,
    with_attached,
)
from tui.render.clean import visible
from tui.server_words import failed_words
from tui.words import one_line

if TYPE_CHECKING:
    from runner.mcp.hub import McpHub
    from runner.mcp.state import PromptInfo, ResourceInfo, ServerState
    from tui.deck import Deck
    from tui.engine import Engine

Filled: TypeAlias = "Callable[[dict[str, str] | None], None]"

PROMPT_MOST = 200_000
"""Characters of a prompt that go into the message."""


class Worker(Protocol):
    """Where a task of ours is kept until it is done."""

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None: ...


class Servers:
    """Lives on the screen's thread. offer: puts a text into the message. ask_arguments: opens a form for a prompt and
    gives its values, None where it was left. repaint: shows what changed.
    """

    def __init__(
        self,
        *,
        host: Worker,
        deck: Deck,
        engine: Engine,
        offer: Callable[[str], None],
        ask_arguments: Callable[[PromptInfo, Mapping[str, str], Filled], None],
        repaint: Callable[[], None],
    ) -> None:
        self._host = host
        self._deck = deck
        self._engine = engine
        self._offer = offer
        self._ask_arguments = ask_arguments
        self._repaint = repaint
        self._watchers: list[Callable[[], None]] = []
        self.states: tuple[ServerState, ...] = ()

    def heard(self, states: tuple[ServerState, ...]) -> None:
        """Servers changed; one that failed just now is said once."""
        before = {state.name for state in self.states if state.phase == "failed"}
        self.states = states
        failed = tuple(state.name for state in states if state.phase == "failed")
        new = tuple(name for name in failed if name not in before)
        self._deck.failed_servers = failed
        if new:
            self._deck.say(f"{failed_words(new)}; /mcp says why", "warning")
        for watcher in tuple(self._watchers):
            watcher()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have changed called whenever a server changed; returns what ends that."""
        self._watchers.append(changed)
        return partial(self._watchers.remove, changed)

    def state(self, name: str) -> ServerState | None:
        return next((state for state in self.states if state.name == name), None)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(state.name for state in self.states)

    @property
    def prompts(self) -> tuple[PromptInfo, ...]:
        """Those whose names can be written as a command."""
        listed = (prompt for state in self.states for prompt in state.prompts)
        return tuple(prompt for prompt in listed if _writable(prompt.name))

    @property
    def resources(self) -> tuple[ResourceInfo, ...]:
        """Those whose addresses can be written in a message."""
        listed = (resource for state in self.states for resource in state.resources)
        return tuple(resource for resource in listed if _writable(resource.uri))

    def restart(self, name: str) -> None:
        self._ask(lambda hub: hub.restart(name))

    def switch(self, name: str, *, on: bool) -> None:
        self._ask(lambda hub: hub.switch(name, on))

    def _ask(self, what: Callable[[McpHub], Coroutine[Any, Any, None]]) -> None:
        async def ask() -> None:
            try:
                await asyncio.wrap_future(self._engine.on_hub(what))
            except QuarterdeckError as error:
                self._say(str(error))

        self._host.work(ask(), "servers")

    def _say(self, text: str) -> None:
        self._deck.say(one_line(visible(text)), "warning", stay=True)
        self._repaint()

    def read_prompt(self, text: str) -> PromptCall | None:
        return read_prompt(text, self.names)

    def run_prompt(self, call: PromptCall) -> bool:
        """Have a prompt written into the message, asking for what it needs; False where it is not understood."""
        prompt = next((one for one in self.prompts if (one.server, one.name) == (call.server, call.name)), None)
        state = self.state(call.server)
        if prompt is None:
            ready = state is not None and state.phase == "ready"
            why = "has no such prompt" if ready else "is not ready"
            self._say(f"/{call.server}:{call.name}: the server {call.server} {why}; begin with a space to send it")
            return False
        try:
            given = arguments_of(call.rest, prompt.arguments)
        except ValueError as error:
            self._say(f"/{call.server}:{call.name}: {error}")
            return False
        if missing(given, prompt.arguments) or (prompt.arguments and not given):
            self._open_form(prompt, given)
        else:
            self._fetch(prompt, given)
        return True

    def _open_form(self, prompt: PromptInfo, given: Mapping[str, str]) -> None:
        def filled(values: dict[str, str] | None) -> None:
            if values is not None:
                self._fetch(prompt, values)

        self._ask_arguments(prompt, given, filled)

    def _fetch(self, prompt: PromptInfo, given: Mapping[str, str]) -> None:
        name = f"/{prompt.server}:{prompt.name}"

        async def fetch() -> None:
            try:
                text = await asyncio.wrap_future(
                    self._engine.on_hub(lambda hub: hub.prompt_text(prompt.server, prompt.name, dict(given)))
                )
            except QuarterdeckError as error:
                self._say(f"{name}: {error}")
                return
            # It is a server's text until the person has read it and sends it.
            self._offer(text[:PROMPT_MOST])
            self._deck.say(f"written by the server {prompt.server}: read it before you send it")
            self._repaint()

        self._deck.say(f"{name}: asking the server")
        self._host.work(fetch(), "prompt")

    def mentions(self, text: str) -> list[Mention]:
        """The resources that a message mentions."""
        known = {f"{resource.server}:{resource.uri}" for resource in self.resources}
        return mentions(text, self.names, known)

    async def attach(self, text: str, wanted: list[Mention]) -> str:
        """The message with what it mentions. Raises McpError for the first resource that cannot be had."""
        attached: list[Attached] = []
        for mention in wanted:
            body = await asyncio.wrap_future(
                self._engine.on_hub(partial(_read, server=mention.server, uri=mention.uri))
            )
            attached.append(Attached(mention, body))
        return with_attached(text, attached)


async def _read(hub: McpHub, *, server: str, uri: str) -> str:
    return await hub.read_resource(server, uri)


def _writable(name: str) -> bool:
    """Whether a name can be written in a message, and seen there."""
    return bool(name) and name.isprintable() and not any(char.isspace() for char in name) and visible(name) == name
