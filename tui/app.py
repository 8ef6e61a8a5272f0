"""The application: composes the parts and routes between them. What is heavy is loaded after the first frame."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.content import Content
from textual.filter import LineFilter
from textual.message import Message
from textual.widgets import Input, TextArea

import themes
from tui.actions import ACTIONS
from tui.engine import Engine, Notice, Warm
from tui.keymap import Keymap, keymap
from tui.render.clean import clean
from tui.screens.cockpit import BY_HEIGHT, BY_WIDTH, CockpitScreen
from tui.terminal import restore
from tui.theming import choose, textual_theme, variables
from tui.wall import Wall

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from tui.conductor import Conductor
    from tui.ports import AppSettings

WARM = ("tui.cockpit_parts",)
"""What the engine's thread imports first: all that the screen needs to show runs."""

ALSO_ELSEWHERE = frozenset({"stop", "abort", "quit", "theme"})
"""Actions that work while a list or another screen is open."""

_SIGNALS = {signal.SIGTERM: 143, signal.SIGHUP: 129}


class QuarterdeckApp(App[int]):
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
        self.keys: Keymap = keymap(settings.keys)
        super().__init__(driver_class=driver_class)
        self.settings = settings
        self.prompt, self.session, self.resume = prompt, session, resume
        self.last_input = 0.0
        self.fault = ""
        self.conductor: Conductor | None = None
        self.engine = Engine(settings, self._post_notice, warm=WARM)
        self._wall = Wall()
        self._bindings = BindingsMap(_bindings(self.keys))
        self.our_themes: dict[str, themes.Theme] = {}
        self._set_up_themes()

    def _set_up_themes(self) -> None:
        problems: list[themes.ThemeError] = []
        self.our_themes = themes.load_all(self.settings.themes_dir, problems=problems)
        for name in self.available_themes:
            self.unregister_theme(name)
        for theme in self.our_themes.values():
            self.register_theme(textual_theme(theme))
        name = choose(self.settings.theme, self.our_themes, self.settings.environ, themes.DEFAULT)
        self.set_reactive(App.theme, name)
        self.set_class(self.current_theme.dark, "-dark-mode", update=False)
        self.set_class(not self.current_theme.dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())
        self._problems = [str(problem) for problem in problems]

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

    def terminal_behind(self) -> bool:
        return bool(getattr(self._driver, "behind", False))

    def on_mount(self) -> None:
        self.call_after_refresh(self._first_frame_done)

    def _first_frame_done(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in _SIGNALS.items():
            loop.add_signal_handler(number, self._on_signal, code)
        self.engine.start()

    def _on_signal(self, code: int) -> None:
        """End in order: the runs are aborted with their state saved, the terminal is given back."""
        if self.conductor is None:
            self.leave(code)
        else:
            self.conductor.quit(code)

    def _post_notice(self, notice: Notice) -> None:
        self.post_message(self.Heard(notice))

    @on(Heard)
    async def _heard(self, event: Heard) -> None:
        if isinstance(event.notice, Warm):
            from tui.cockpit_parts import build

            self.conductor = await build(self)
            self.cockpit.attach(self.conductor)
            self.conductor.begin(prompt=self.prompt, session=self.session, resume=self.resume)
            self.conductor.tell_withheld(len(self.settings.withheld))
            _rest_the_collector()
        elif self.conductor is not None:
            self.conductor.heard(event.notice)
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
        elif self.conductor is None or (elsewhere and action_id not in ALSO_ELSEWHERE):
            raise SkipAction
        elif action_id == "stop" and self.conductor.forget_confirm():
            return
        elif not self.conductor.do(action_id) and elsewhere:
            raise SkipAction

    def _copy_selection(self) -> bool:
        focused = self.focused
        text = focused.selected_text if isinstance(focused, TextArea | Input) else ""
        text = text or self.screen.get_selected_text() or ""
        if text:
            self.copy(text)
        return bool(text)

    def show_screen(self, screen: Screen[Any], then: Callable[[Any], None] | None = None) -> None:
        self.push_screen(screen, then)

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None:
        self.run_worker(job, group=group, exclusive=group == "complete")

    def next_theme(self) -> themes.Theme:
        names = list(self.our_themes)
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        return self.theme_now

    def copy(self, text: str) -> None:
        self.copy_to_clipboard(text)

    def leave(self, code: int) -> None:
        self.exit(return_code=code)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._wall]

    def _fatal_error(self) -> None:
        """A bug of ours, said in one line: a traceback with its locals could show secrets."""
        self.fault = describe(sys.exc_info()[1])
        self._close_messages_no_wait()


def describe(error: BaseException | None) -> str:
    """An error and where it was raised, in one line without any value of the program's."""
    if error is None:
        return "an unknown fault"
    place = ""
    if error.__traceback__ is not None:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f" ({Path(frame.filename).name}, line {frame.lineno})"
    return f"{type(error).__name__}: {error}{place}"


def _bindings(keys: Keymap) -> list[Binding]:
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


def run_app(
    settings: AppSettings, *, prompt: str | None = None, session: str | None = None, resume: bool = False
) -> int:
    """Open the screen and stay until it is left; returns the exit code. Raises ConfigError for a broken keymap."""
    from tui.driver import HardenedDriver

    gc.disable()
    app = QuarterdeckApp(settings, prompt=prompt, session=session, resume=resume, driver_class=HardenedDriver)
    try:
        app.run()
    finally:
        gc.enable()
        app.engine.shutdown().result(timeout=30)
        if sys.__stderr__ is not None and app.fault:
            restore(sys.__stderr__.fileno())
    if app.fault:
        print(f"quarterdeck: a fault of the program ended it: {clean(app.fault)}", file=sys.stderr)
    return app.return_code or 0
