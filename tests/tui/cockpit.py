"""The real screen with the real runner, store and tools, and a scripted model in the place of a provider."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from runner.agent import Agent
from runner.config import RunConfig
from runner.mcp.config import McpServer
from runner.models.registry import ModelRegistry
from runner.testing import ScriptedModel
from runner.testing.scripted import Response
from runner.tools.base import Tool
from runner.usage import Price
from tui.app import QuarterdeckApp
from tui.conductor import Conductor
from tui.settings.load import load_settings
from tui.settings.values import PresetName, Settings, Source, TerminalSettings
from tui.view import View
from tui.widgets.approval import ApprovalCard
from tui.widgets.composer import Composer

MODEL = "test/scripted"
PATIENCE = 20.0
"""Seconds until a state that does not come is a failure; never waited for in a passing test."""


@dataclass(frozen=True)
class ScriptedSettings:
    """Settings of an empty folder, with a scripted model that is chosen by default."""

    real: Settings
    model: ScriptedModel
    others: Mapping[str, ScriptedModel] = field(default_factory=dict[str, ScriptedModel])
    limits: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tools: Sequence[Tool] = ()

    @property
    def cwd(self) -> Path:
        return self.real.cwd

    @property
    def environ(self) -> Mapping[str, str]:
        return self.real.environ

    @property
    def theme(self) -> str:
        return self.real.theme

    def source(self, key: str) -> Source:
        return self.real.source(key)

    @property
    def themes_dir(self) -> Path:
        return self.real.themes_dir

    @property
    def keymap(self) -> PresetName:
        return self.real.keymap

    @property
    def keys(self) -> Mapping[str, str]:
        return self.real.keys

    @property
    def models(self) -> Mapping[str, object]:
        return self.real.models

    @property
    def default_agent(self) -> str:
        return self.real.default_agent

    def agent_names(self) -> Sequence[str]:
        return self.real.agent_names()

    @property
    def terminal(self) -> TerminalSettings:
        return TerminalSettings()

    @property
    def withheld(self) -> Sequence[object]:
        return self.real.withheld

    def registry(self) -> ModelRegistry:
        return ModelRegistry(extra={MODEL: self.model, **self.others}, environ=self.environ)

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]:
        return MODEL, "the tests chose it"

    def mcp_servers(self) -> tuple[McpServer, ...]:
        return self.real.mcp_servers()

    def agent_servers(self, name: str | None = None) -> Sequence[str]:
        return self.real.agent_servers(name)

    def agent(self, name: str | None = None) -> Agent:
        agent = self.real.agent(name)
        return replace(agent, tools=(*agent.tools, *self.tools)) if self.tools else agent

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig:
        return self.real.run_config(attended=attended, **{**self.limits, **changes})


@dataclass
class Deck:
    """An open screen, and what tests do with it."""

    app: QuarterdeckApp
    pilot: Pilot[int]
    model: ScriptedModel
    folder: Path

    @property
    def conductor(self) -> Conductor:
        assert self.app.conductor is not None
        return self.app.conductor

    @property
    def view(self) -> View:
        return self.conductor.deck.view()

    @property
    def composer(self) -> Composer:
        return self.app.cockpit.composer

    @property
    def card(self) -> ApprovalCard:
        return self.app.cockpit.query_one(ApprovalCard)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for a state that is still there when all that came with it is done.

        The pilot's pause asks every widget, so there is one at the end rather than one for each look.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            if condition():
                await self.pilot.pause(0)
                if condition():
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"never came: {what or condition}\n{self.screen_text()}")
            await asyncio.sleep(0.01)

    async def send(self, text: str) -> None:
        self.composer.replace_all(text)
        self.composer.focus()
        await self.pilot.press("enter")

    async def open_form(self, key: str, answering: str) -> None:
        """A key of the armed card, and its form."""
        await self.armed()
        await self.pilot.press(key)
        await self.until(lambda: self.card.answering == answering, f"the form {answering}")
        await self.settle()

    async def save_form(self, key: str = "ctrl+s") -> None:
        """Save, once what was written before cannot be taken for the same paste."""
        await self.until(lambda: self.card.settled)
        await self.pilot.press(key)

    async def undecided(self) -> None:
        """What was pressed has had its chance to decide."""
        await self.settle()
        await self.until(lambda: not self.card.deciding)
        await self.settle()

    async def ended(self) -> None:
        await self.until(lambda: self.view.run is not None and self.view.run.finished and not self.view.starting)
        await self.settle()

    async def waiting(self) -> None:
        """An approval is shown."""
        await self.until(lambda: bool(self.view.waiting) and self.card.display, "an approval")
        await self.settle()

    async def armed(self) -> None:
        """The card has the focus and its keys count."""
        await self.until(lambda: self.card.has_focus and self.card.arming.armed, "an armed card")
        await self.settle()

    async def settle(self) -> None:
        """Let what was decided be painted."""
        await self.pilot.pause(0)
        self.conductor.repaint()
        await self.pilot.pause(0)

    def screen_text(self) -> str:
        """What is on the screen now, line by line."""
        return screen_text(self.app)


def screen_text(app: QuarterdeckApp) -> str:
    strips = app.screen._compositor.render_strips(app.size)  # pyright: ignore[reportPrivateUsage]
    if len(strips) != app.size.height:
        # A screen that was opened a moment ago has no layout yet.
        return ""
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def settings_for(
    folder: Path, model: ScriptedModel, options: Mapping[str, object], limits: Mapping[str, Any] | None = None
) -> ScriptedSettings:
    return ScriptedSettings(load_settings(folder, os.environ, options), model, limits=limits or {})


@asynccontextmanager
async def cockpit(
    folder: Path,
    responses: Iterable[Response] = (),
    *,
    size: tuple[int, int] = (120, 40),
    price: Price | None = None,
    others: Mapping[str, ScriptedModel] | None = None,
    limits: Mapping[str, Any] | None = None,
    prompt: str | None = None,
    session: str | None = None,
    resume: bool = False,
    options: Mapping[str, object] | None = None,
    tools: Sequence[Tool] = (),
) -> AsyncGenerator[Deck]:
    """A running screen whose store is open. tools: besides the built-in ones."""
    model = ScriptedModel(responses, name=MODEL, price=price)
    settings = ScriptedSettings(
        load_settings(folder, os.environ, options or {}),
        model,
        others=others or {},
        limits=limits or {},
        tools=tools,
    )
    app = QuarterdeckApp(settings, prompt=prompt, session=session, resume=resume)
    try:
        async with app.run_test(size=size) as pilot:
            deck = Deck(app, pilot, model, folder)
            await deck.until(lambda: app.conductor is not None and app.conductor.deck.view().store_open, "the store")
            await deck.settle()
            yield deck
    finally:
        await asyncio.wrap_future(app.engine.shutdown())
