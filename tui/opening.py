"""Opens the screen, and closes it whatever happens: the terminal as it was, the runs saved, a fault told."""

from __future__ import annotations

import asyncio
import gc
import sys
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING

from runner.folders import data_dir
from tui.manners.faults import watching_threads

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui.app import QuarterdeckApp
    from tui.ports import AppSettings

SAVING = 30.0
"""Seconds that the engine gets to end the runs and to save them."""


def open_screen(
    settings: AppSettings,
    *,
    prompt: str | None = None,
    session: str | None = None,
    resume: bool = False,
    debug: bool = False,
    in_browser: bool = False,
    given_folder: str | None = None,
) -> int:
    """Open the screen and stay until it is left; returns the exit code. Raises ConfigError for a broken keymap.

    in_browser: the program's streams are those of `quarterdeck serve`. given_folder: the option --cwd.
    """
    from tui.app import QuarterdeckApp

    gc.disable()
    app = QuarterdeckApp(
        settings, prompt=prompt, session=session, resume=resume, driver_class=_driver_class(in_browser)
    )
    saved = True
    try:
        with watching_threads(app.end_for_fault, app.note_fault):
            app.run()
    finally:
        gc.enable()
        rescue = getattr(app.driver, "rescue", None)
        if rescue is not None:
            rescue()
        saved = _saved(app)
    if app.fault is not None:
        _tell(app, saved=saved, debug=debug, given_folder=given_folder)
        return 1
    return app.return_code or 0


def _driver_class(in_browser: bool) -> type[Driver]:
    if in_browser:
        from tui.web_driver import BrowserDriver

        return BrowserDriver
    from tui.driver import HardenedDriver

    return HardenedDriver


def _saved(app: QuarterdeckApp) -> bool:
    try:
        app.engine.shutdown().result(timeout=SAVING)
    except (FutureTimeoutError, TimeoutError, asyncio.CancelledError):
        return False
    return True


def _tell(app: QuarterdeckApp, *, saved: bool, debug: bool, given_folder: str | None) -> None:
    from tui.manners.crash import Crash, last_words, trace_of, write_log
    from tui.render.clean import clean

    error = app.fault
    assert error is not None
    settings = app.settings
    log = write_log(error, data_dir(settings.environ), settings.environ)
    folder = str(settings.cwd) if given_folder else None
    crash = Crash(error=error, session_id=app.session_now, live=app.was_live, saved=saved, folder=folder)
    first, *rest = last_words(crash, log)
    print(f"quarterdeck: {clean(first)}", *(f"  {clean(line)}" for line in rest), sep="\n", file=sys.stderr)
    if debug:
        print(clean(trace_of(error, settings.environ)), file=sys.stderr)
