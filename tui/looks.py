"""The theme on the screen: another one, the one of the last start, and files of themes that change meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from tui.theme_files import Signature, read_all, signature
from tui.theming import REMEMBERED, colourless, configured, problem_words

if TYPE_CHECKING:
    from themes import Theme, ThemeError
    from tui.deck import Deck
    from tui.ports import AppSettings, Host
    from tui.widgets.transcript import Transcript

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the folder of themes: one listing of a folder that rarely has a file."""


class Looks:
    """watch() once; lives on the screen's thread."""

    def __init__(
        self, host: Host, deck: Deck, settings: AppSettings, transcript: Transcript, repaint: Callable[[], None]
    ) -> None:
        self._host = host
        self._deck = deck
        self._settings = settings
        self._transcript = transcript
        self._repaint = repaint
        self._seen: Signature | None = None

    def next(self) -> None:
        names = list(self._host.our_themes)
        self._choose(names[(names.index(self._host.theme_now.name) + 1) % len(names)])

    def use(self, name: str) -> None:
        """The theme of that name, or of a name that begins so."""
        found = self._host.our_themes
        begins = [known for known in found if known.startswith(name)]
        if name in found or len(begins) == 1:
            self._choose(name if name in found else begins[0])
            return
        near = get_close_matches(name, found, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(begins or found)}"
        self._deck.say(f"there is no theme {name}; {hint}", "warning")

    def _choose(self, name: str) -> None:
        if colourless(self._settings.environ):
            self._deck.say("no colours are shown, because NO_COLOR is set")
            return
        theme = self.show(name)
        said = configured(self._settings)
        self._host.remembered.write(REMEMBERED, {"name": name, "over": said})
        self._deck.say(f"theme {theme.title}{self._next_time(name, said)}")

    def _next_time(self, name: str, said: str) -> str:
        source = self._settings.source("theme")
        if source.kind in ("environment", "flag"):
            return f"; a start with {source.where} has {self._settings.theme} again"
        if said and said != name:
            return f", also at the next start; {source.where} says {said}, and wins once it says another one"
        return ", also at the next start"

    def show(self, name: str) -> Theme:
        """Show a theme without remembering it."""
        theme = self._host.use_theme(name)
        self._transcript.set_theme(theme)
        return theme

    def configure(self, name: str) -> None:
        """The settings were saved with a theme, so it is shown and nothing is remembered beside them."""
        self._host.remembered.write(REMEMBERED, {})
        if name in self._host.our_themes and not colourless(self._settings.environ):
            self.show(name)

    def watch(self) -> None:
        """Say what was wrong with the files at the start, and look at them from now on."""
        self._tell(self._host.theme_problems)
        self._host.work(self._watch(), "themes")

    async def _watch(self) -> None:
        self._seen = await asyncio.to_thread(signature, self._settings.themes_dir)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Take in what changed since the last look. A file that is still being written is left for the next one."""
        now = await asyncio.to_thread(signature, self._settings.themes_dir)
        if now == self._seen:
            return
        found, problems = await asyncio.to_thread(read_all, self._settings.themes_dir)
        if await asyncio.to_thread(signature, self._settings.themes_dir) == now:
            self._seen = now
            self._renewed(found, problems)

    def _renewed(self, found: dict[str, Theme], problems: list[ThemeError]) -> None:
        before = self._host.theme_now
        # A theme in use stays as it was while its file is broken or gone.
        found.setdefault(before.name, before)
        broken = {error.file.stem for error in problems if error.file is not None}
        if before.name in broken:
            found[before.name] = before
        self._host.renew_themes(found)
        after = self._host.theme_now
        if after != before:
            self._transcript.set_theme(after)
            self._deck.say(f"theme {after.title}, as its file is now")
        self._tell(problems)
        self._repaint()

    def _tell(self, problems: list[ThemeError]) -> None:
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self._deck.say(f"theme not used: {problem_words(problems[0], short=True)}{more}", "warning", stay=True)
