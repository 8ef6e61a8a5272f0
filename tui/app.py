"""The application: composes the parts and routes between them. What is heavy is loaded after the first frame."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, TextArea

import themes
from runner.folders import data_dir
from tui.actions import ACTIONS, BY_ID
from tui.engine import Engine, EngineFault, Notice, Warm
from tui.hardened_app import HardenedApp
from tui.keymap import Keymap, keymap
from tui.remembered import Remembered
from tui.render.clean import clean
from tui.screens.cockpit import BY_HEIGHT, BY_WIDTH, CockpitScreen
from tui.theming import colourless, first_theme, load_first, renew, textual_theme, variables

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from tui.conductor import Conductor
    from tui.manners.telling import Telling
    from tui.ports import AppSettings
    from tui.view import View

WARM = ("tui.cockpit_parts",)
"""What the engine's thread imports first: all that the screen needs to show runs."""

LATER_CSS = Path(__file__).with_name("later.tcss")
"""The styles of all that is mounted after the first frame."""


class QuarterdeckApp(HardenedApp):
    CSS_PATH = "app.tcss"
    TITLE = "Quarterdeck"
    HORIZONTAL_BREAKPOINTS = BY_WIDTH
    VERTICAL_BREAKPOINTS = BY_HEIGHT
    ENABLE_COMMAND_PALETTE = False

    class Heard(Message):
        """The engine says something."""

        def __init__(self, notice: Notice) -> None:
            super().__init__()
            self.notice = notice

    def __init__(
        self,
        settings: AppSettings,
        *,
        prompt: str | None = None,
        session: str | None = None,
        resume: bool = False,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Raises ConfigError where the keymap in the settings cannot be used."""
        self.keys: Keymap = keymap(settings.keys, preset=settings.keymap)
        super().__init__(driver_class=driver_class)
        self.settings = settings
        self.remembered = Remembered(data_dir(settings.environ))
        self.prompt, self.session, self.resume = prompt, session, resume
        self.last_input = 0.0
        self.was_live = False
        self.conductor: Conductor | None = None
        self.engine = Engine(settings, self._post_notice, warm=WARM)
        self._telling: Telling | None = None
        self._bindings = BindingsMap(app_bindings(self.keys))
        self.our_themes: dict[str, themes.Theme] = {}
        self.theme_problems: list[themes.ThemeError] = []
        self._set_up_themes()
        if colourless(settings.environ):
            from tui.colourless import Colourless

            self.colourless = Colourless(self.theme_now)

    def _set_up_themes(self) -> None:
        """The theme of the first frame alone; the others come after it."""
        wanted = first_theme(self.settings, self.remembered)
        first = load_first(wanted, self.settings.themes_dir, self.settings.environ)
        self.our_themes = {first.name: first}
        for name in self.available_themes:
            self.unregister_theme(name)
        self.register_theme(textual_theme(first))
        name = first.name
        self.set_reactive(App.theme, name)
        self.set_class(self.current_theme.dark, "-dark-mode", update=False)
        self.set_class(not self.current_theme.dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables(themes.load(themes.DEFAULT))

    def get_default_screen(self) -> CockpitScreen:
        return CockpitScreen(self.keys, str(self.settings.cwd))

    @property
    def cockpit(self) -> CockpitScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, CockpitScreen)
        return screen

    @property
    def theme_now(self) -> themes.Theme:
        return self.our_themes[self.theme]

    def quiet_since(self) -> float:
        """When the person last did something, in seconds of the monotonic clock."""
        return self.last_input

    def on_mount(self) -> None:
        self.call_after_refresh(self._first_frame_done)

    def _first_frame_done(self) -> None:
        # The library's driver for browsers takes some of them when it starts.
        self.take_signals()
        self.engine.start()

    def ended_by_signal(self, code: int) -> None:
        """End in order: the runs are aborted with their state saved, the terminal is given back."""
        if self.conductor is None:
            self.leave(code)
        else:
            self.conductor.quitting.quit(code)

    def _post_notice(self, notice: Notice) -> None:
        self.post_message(self.Heard(notice))

    @on(Heard)
    async def _heard(self, event: Heard) -> None:
        if isinstance(event.notice, EngineFault) and (error := event.notice.error) is not None:
            if isinstance(error, Exception) and (event.notice.fatal or self.conductor is None):
                return self._handle_exception(error)
            self.note_fault(error)
        if isinstance(event.notice, Warm):
            from tui.cockpit_parts import build
            from tui.manners.outside import make_telling

            self.stylesheet.read(LATER_CSS)
            self.renew_themes(themes.load_all(self.settings.themes_dir, problems=self.theme_problems))
            self._telling = make_telling(self)
            self.conductor = await build(self)
            self.cockpit.attach(self.conductor)
            self.conductor.begin(prompt=self.prompt, session=self.session, resume=self.resume)
            self.conductor.hearing.withheld(len(self.settings.withheld))
            _rest_the_collector()
        elif self.conductor is not None:
            self.conductor.hearing.heard(event.notice)
        else:
            self.cockpit.status.put(Content.styled(clean(str(event.notice)), "$error"))

    async def on_event(self, event: events.Event) -> None:
        """Note when the person last did something, before anything looks at it."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.last_input = time.monotonic()
        await super().on_event(event)

    def action_invoke(self, action_id: str, copies: bool = False) -> None:
        """A key of the registry. Where the action cannot be done, the status line says why; on another screen, which
        hides that line, the key passes on.

        copies: the key is also the usual one for copying, so it copies first what is selected.
        """
        if copies and self._copy_selection():
            return
        elsewhere = self.screen is not self.cockpit
        if self.conductor is None and action_id == "quit":
            self.leave(0)
        elif self.conductor is None or (elsewhere and not BY_ID[action_id].elsewhere):
            raise SkipAction
        elif action_id == "stop" and self.conductor.forget_confirm():
            return
        elif not self.conductor.do(action_id) and elsewhere:
            raise SkipAction

    def _copy_selection(self) -> bool:
        focused = self.focused
        text = focused.selected_text if isinstance(focused, TextArea | Input) else ""
        text = text or self.screen.get_selected_text() or ""
        if text and self.conductor is not None:
            self.conductor.reading.copy(text, "the selection")
            self.conductor.repaint()
        elif text:
            self.copy(text)
        return bool(text)

    def show_screen(self, screen: Screen[Any], then: Callable[[Any], None] | None = None) -> None:
        self.push_screen(screen, then)

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None:
        self.run_worker(job, group=group, exclusive=group == "complete")

    def use_theme(self, name: str) -> themes.Theme:
        self.theme = name
        return self.theme_now

    def renew_themes(self, found: dict[str, themes.Theme]) -> None:
        self.our_themes = found
        renew(self, found)

    def copy(self, text: str) -> None:
        self.copy_to_clipboard(text)

    def leave(self, code: int) -> None:
        self.exit(return_code=code)

    def tell(self, view: View) -> None:
        """What is shown, for the terminal around the screen."""
        if self._telling is not None:
            self._telling.show(view)

    @property
    def session_now(self) -> str | None:
        """The session on the screen; None where it has no run yet."""
        view = None if self.conductor is None else self.conductor.deck.view()
        return view.session_id if view is not None and view.runs else None

    def failed(self) -> None:
        self.was_live = self.conductor is not None and self.conductor.deck.any_live

    def note_fault(self, error: BaseException) -> None:
        """A fault that the program outlives: it is kept in a log, and nothing is printed over the screen."""
        from tui.manners.crash import write_log

        write_log(error, data_dir(self.settings.environ), self.settings.environ, note="The program went on.")


def app_bindings(keys: Keymap) -> list[Binding]:
    """App-wide keys come before the focused widget's own; escape comes after them, because lists close with it."""
    found: list[Binding] = []
    for action in ACTIONS:
        if action.scope != "app":
            continue
        for key in keys.of(action.id):
            copies = ", True" if key == "ctrl+c" else ""
            target = f"invoke('{action.id}'{copies})"
            found.append(Binding(key, target, action.name, show=False, priority=key != "escape"))
    return found


def _rest_the_collector() -> None:
    """What was made so far lives as long as the program; later collections need not look at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 4, 0)
    gc.enable()
