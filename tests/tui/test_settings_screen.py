"""The settings screen, the theme, and the first start: what a person sees and what is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

import themes
from runner.folders import data_dir
from tests.tui.cockpit import Deck, cockpit
from tui.remembered import Remembered
from tui.screens.local_models import LocalModels
from tui.screens.setting_form import SettingForm
from tui.screens.settings import SettingsScreen
from tui.settings.load import load_settings, user_file
from tui.theming import first_theme
from tui.widgets.rows import Rows
from tui.widgets.welcome import Welcome

FILE = """\
# mine
model = "demo/pilot"

[limits]
max_turns = 40 # turns

[mcp.git]
command = "true"
enabled = false
env = { T = "hunter2" }
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def open_settings(deck: Deck, search: str) -> SettingsScreen:
    deck.conductor.submit(f"/settings {search}")
    await deck.until(lambda: isinstance(deck.app.screen, SettingsScreen) and "esc closes" in deck.screen_text())
    screen = deck.app.screen
    assert isinstance(screen, SettingsScreen)
    await deck.until(lambda: screen.items and screen.query_one(Rows).row is not None, "the settings")
    return screen


async def test_a_setting_is_found_changed_refused_and_taken_back(tmp_path: Path) -> None:
    file = write(user_file(os.environ), FILE)
    async with cockpit(tmp_path, size=(110, 40)) as deck:
        screen = await open_settings(deck, "max_turns")
        await deck.until(lambda: "your file, line 5" in deck.screen_text(), "the source of the value")
        assert "hunter2" not in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, SettingForm))
        await deck.pilot.press(*"many")
        await deck.until(
            lambda: '"many"; expected a whole number' in deck.screen_text(), "the error while it is written"
        )
        await deck.pilot.press("enter")
        await deck.pilot.press("ctrl+u", *"41")
        await deck.until(lambda: '"many"' not in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.until(lambda: "41 saved to" in deck.screen_text(), "the change")
        assert file.read_text() == FILE.replace("= 40", "= 41")
        assert deck.app.screen is screen
        await deck.pilot.press("ctrl+d")
        await deck.until(lambda: "max_turns =" not in file.read_text(), "the default")
        await deck.until(lambda: "counts from the next run on" in deck.screen_text())
        await deck.pilot.press("tab")
        await deck.until(lambda: "saved to this project's file" in deck.screen_text())
        await deck.pilot.press("ctrl+u", *"stop_on")
        await deck.until(lambda: "stop_on_tool_error" in deck.screen_text())
        await deck.pilot.press("enter")
        project = tmp_path / ".quarterdeck" / "config.toml"
        await deck.until(lambda: project.exists() and "true" in project.read_text(), "a switch, toggled at once")
        await deck.pilot.press("ctrl+u", *"mcp.git.env")
        await deck.until(lambda: "set: T" in deck.screen_text(), "names of variables, no values")
        assert "hunter2" not in deck.screen_text()


async def test_a_theme_is_chosen_kept_configured_and_read_again_when_its_file_changes(tmp_path: Path) -> None:
    file = write(user_file(os.environ), 'theme = "dusk"\n')
    own = write(file.parent / "themes" / "sea.toml", 'name = "sea"\ntitle = "Sea"\nextends = "fjord"\n')
    remembered = Remembered(data_dir(os.environ))

    def begins_with() -> str:
        return first_theme(load_settings(tmp_path, os.environ), remembered)

    async with cockpit(tmp_path, size=(110, 40)) as deck:
        assert deck.app.theme == "dusk"
        deck.conductor.submit("/theme nosuch")
        await deck.until(lambda: "there is no theme nosuch" in deck.screen_text())
        deck.conductor.submit("/theme se")
        await deck.until(lambda: deck.app.theme == "sea" and "theme Sea, also at the next start" in deck.screen_text())
        assert deck.app.remembered.flush()
        assert begins_with() == "sea"
        own.write_text('name = "sea"\ntitle = "Deep Sea"\nextends = "fjord"\n[base]\nmuted = "#aabbcc"\n')
        await deck.until(lambda: deck.app.theme_now.base["muted"] == "#aabbcc", "the theme as its file is now")
        assert deck.app.get_css_variables()["muted"].lower() == "#aabbcc"
        own.write_text('name = "sea"\ntitle = "Sea"\nextends = "fjord"\n\n[base]\nmuted = "blau"\n')
        await deck.conductor.looks.look()
        await deck.until(lambda: "sea.toml:6: base.muted: expected a colour" in deck.screen_text(), "file and line")
        assert deck.app.theme_now.base["muted"] == "#aabbcc", "the old look is kept"
        own.unlink()
        await deck.conductor.looks.look()
        assert deck.app.theme == "sea"
        # The configuration names another one later: it wins, and nothing is remembered beside it.
        await open_settings(deck, "theme")
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, SettingForm))
        await deck.pilot.press("home", "enter")
        first = next(iter(themes.load_all()))
        await deck.until(lambda: deck.app.theme == first, "the theme of the settings, at once")
        assert file.read_text() == f'theme = "{first}"\n'
        assert deck.app.remembered.flush()
        assert begins_with() == first


def test_a_theme_of_the_configuration_that_changed_later_wins(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path)

    def begins_with(**options: object) -> str:
        return first_theme(load_settings(tmp_path, os.environ, options), remembered)

    remembered.write("theme", {"name": "fjord", "over": ""})
    assert begins_with() == "fjord"
    assert begins_with(theme="paper") == "paper", "an option is about this start"
    write(user_file(os.environ), 'theme = "dusk"\n')
    assert begins_with() == "dusk", "named after the choice was made"
    remembered.write("theme", {"name": "fjord", "over": "dusk"})
    assert begins_with() == "fjord"
    remembered.write("theme", {"name": "gone", "over": "dusk"})
    assert begins_with() == "dusk"
    remembered.write("theme", {"name": 3, "over": "dusk"})
    assert begins_with() == "dusk"
    remembered.flush()


async def test_the_first_start_says_what_it_found_and_offers_the_tour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-hunter2")
    asked: list[Mapping[str, str]] = []

    def nobody(environ: Mapping[str, str], _configured: Mapping[str, str]) -> list[object]:
        asked.append(environ)
        return []

    monkeypatch.setattr("tui.local_servers.local_servers", nobody)
    async with cockpit(tmp_path, size=(100, 36)) as deck:
        await deck.until(lambda: "found: ANTHROPIC_API_KEY (Anthropic)" in deck.screen_text())
        shown = deck.screen_text()
        assert "hunter2" not in shown
        assert all(offer in shown for offer in ("/tour", "/probe", "config.toml"))
        assert deck.composer.has_focus
        await deck.pilot.press("p")
        assert (deck.composer.text, asked) == ("p", []), "typing is never taken for an answer"
        await deck.pilot.press("backspace")
        welcome = deck.app.cockpit.query_one(Welcome)
        await deck.pilot.press("tab")
        await deck.until(lambda: welcome.has_focus)
        await deck.pilot.press("x")
        await deck.until(lambda: deck.composer.text == "x" and deck.composer.has_focus)
        await deck.pilot.press("backspace", "tab", "p")
        await deck.until(lambda: isinstance(deck.app.screen, LocalModels) and bool(asked), "asked on a key press")
        await deck.pilot.press("escape")
        await deck.until(lambda: "no model server answers" in deck.screen_text())
        await deck.pilot.press("tab")
        await deck.until(lambda: welcome.has_focus)
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.view.run is not None and deck.view.model == "demo/pilot", "the tour")
        assert deck.composer.has_focus
        await deck.pilot.press("f9")
        await deck.until(lambda: deck.view.model == "test/scripted", "after the tour the model is what it was")
    async with cockpit(tmp_path, size=(100, 36)) as deck:
        await deck.settle()
        assert "found: ANTHROPIC_API_KEY" not in deck.screen_text()
        assert "Try" in deck.screen_text()
        assert not deck.app.cockpit.query_one(Welcome).can_focus
