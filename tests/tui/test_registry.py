"""A walk through the registry: whatever can be done is reachable in each way, and does something or says why not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from runner.errors import ConfigError
from runner.testing import calls, reply
from tests.tui.cockpit import PATIENCE, Deck, cockpit
from tui.actions import ACTIONS, BY_ID, WRITING, Action
from tui.app import app_bindings
from tui.key_presets import PRESETS
from tui.keymap import Keymap, keymap
from tui.screens.commands import CommandPicker
from tui.screens.help import help_rows
from tui.settings.values import PresetName
from tui.slash import BY_SLASH, read_slash

NAMES: tuple[PresetName, ...] = get_args(PresetName)
NOT_HERE = {"suspend", "read.pager", "read.pager_all", "read.editor", "editor", "tour", "quit"}
"""They lend the terminal to something else, or start something that lasts."""

LONG = "\n\n".join([*(f"Paragraph {number}." for number in range(60)), "```python\nprint(1)\n```"])
LISTED = [action for action in ACTIONS if action.listed]


def test_every_action_has_a_name_help_and_a_place_in_the_help() -> None:
    helped = [row.action_id for row in help_rows(keymap()) if row.action_id]
    assert helped == [action.id for group in dict.fromkeys(a.group for a in ACTIONS) for action in _of(group)]
    for action in ACTIONS:
        assert action.name, action.id
        assert action.help[:1].isupper(), action.id
        assert not action.help.endswith("."), action.id


def _of(group: str) -> Iterator[Action]:
    return (action for action in ACTIONS if action.group == group)


@pytest.mark.parametrize("preset", NAMES)
def test_every_action_has_a_key_and_what_works_everywhere_a_command_too(preset: PresetName) -> None:
    keys = keymap(preset=preset)
    for action in ACTIONS:
        assert keys.of(action.id), action.id
        if action.scope == "app":
            assert BY_SLASH[action.slash] is action, action.id
            found = read_slash(f"/{action.slash}")
            assert found is not None
            assert found.action_id == action.id
    assert len(BY_SLASH) == len(LISTED)
    bound = {(binding.key, binding.action.split("'")[1]) for binding in app_bindings(keys)}
    wanted = {(key, action.id) for action in ACTIONS if action.scope == "app" for key in keys.of(action.id)}
    assert bound == wanted


@pytest.mark.parametrize("preset", NAMES)
def test_a_preset_names_only_what_exists_and_loses_nothing_that_is_reserved(preset: PresetName) -> None:
    assert set(PRESETS[preset]) <= set(BY_ID)
    keys = keymap(preset=preset)
    reserved = [action for action in ACTIONS if action.reserved]
    assert {action.id for action in reserved} == {"stop", "abort", "quit"}
    for action in reserved:
        with pytest.raises(ConfigError, match=r"reserved|cannot be left without"):
            keymap({"model": keys.of(action.id)[0]}, preset=preset)
        with pytest.raises(ConfigError, match="cannot be left without a key"):
            keymap({action.id: ""}, preset=preset)
    # What a preset says can be written down as a change of one's own, and says the same.
    assert keymap({name: ",".join(own) for name, own in PRESETS[preset].items()}).keys == keys.keys


@pytest.mark.parametrize("preset", NAMES)
def test_no_list_hides_a_key_that_moves_in_lists(preset: PresetName) -> None:
    keys = keymap(preset=preset)
    moves = {key for name in ("up", "down", "page_up", "page_down", "first", "last") for key in keys.of(f"list.{name}")}
    own = keys.meanings("queue")
    assert {key: own[key] for key in moves & set(own)} == ({"n": "queue.now"} if preset == "vim" else {})


def test_a_change_of_ones_own_goes_over_the_preset_and_is_told_from_it() -> None:
    keys = keymap({"list.down": "down,alt+j", "model": "f7"}, preset="vim")
    assert keys.of("list.down") == ("down", "alt+j")
    assert keys.of("list.up") == ("up", "k", "N")
    origins = {name: keys.origins.get(name, "default") for name in ("list.down", "list.up", "cancel_tool", "quit")}
    assert origins == {"list.down": "changed", "list.up": "preset", "cancel_tool": "made way", "quit": "default"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"read.find": "alt+f"}, "terminals send alt\\+f as ctrl\\+right"),
        ({"list.down": "ctrl+q"}, "reserved for quit"),
        ({"list.down": "up"}, "means both"),
        ({"read.focus": "escape"}, "reserved for stop"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, str], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        keymap(changes)


def test_escape_may_mean_one_thing_in_a_list_and_another_everywhere_else() -> None:
    assert keymap({"list.close": "escape,f7"}).of("list.close") == ("escape", "f7")
    # Where lists have a screen of their own, what works in the cockpit only does not clash with them.
    assert keymap({"list.delete": "f5"}).of("list.delete") == ("f5",)


async def test_every_command_does_something_or_says_why_not(tmp_path: Path) -> None:
    """By its slash command, with and without a run to do something with; the palette lists it exactly where it can."""
    steps = [reply(calls(("list_files", {}))), LONG]
    async with cockpit(tmp_path, steps, size=(100, 28)) as deck:
        for ran in (False, True):
            if ran:
                await deck.send("look")
                await deck.ended()
            offered = _offered(deck.app.keys, deck)
            for action in LISTED:
                assert (action.id in offered) == (deck.conductor.can(action.id) and action.id != "palette")
                if action.id not in NOT_HERE and (ran or not deck.conductor.can(action.id)):
                    await _invoke(deck, action)
        deck.conductor.submit("/quit")
        assert deck.view.quitting


def _offered(keys: Keymap, deck: Deck) -> set[str]:
    picker = CommandPicker(keys, deck.view)
    return {action.id for action in picker.usable}


async def _invoke(deck: Deck, action: Action) -> None:
    refusal = action.refusal(deck.view)
    deck.app.cockpit.query_one("#timeline").focus()
    deck.conductor.deck.say(f"before /{action.slash}")
    before = _signs(deck)
    deck.conductor.submit(f"/{action.slash}")
    if refusal:
        assert deck.view.notice is not None, action.id
        assert deck.view.notice.text == refusal, action.id
        return
    await _soon(lambda: _signs(deck) != before, f"/{action.slash} does nothing and says nothing")
    while len(deck.app.screen_stack) > 1:
        # A key that closes it would come after it is there, too.
        await _soon(lambda: deck.app.screen.is_mounted, f"the screen of /{action.slash} does not come")
        await deck.app.pop_screen()
    deck.conductor.deck.forget_confirm()
    deck.composer.clear()
    deck.conductor.escape()


async def _soon(condition: Callable[[], object], otherwise: str) -> None:
    """Looks by itself: a pause of the pilot after each of so many would be most of what this costs."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, otherwise
        await asyncio.sleep(0.002)


def _signs(deck: Deck) -> str:
    """What a person would notice."""
    screen = deck.app.cockpit
    view = deck.view
    notice = view.notice.text if view.notice else ""
    panes = deck.conductor.panes.layout.kept()
    focused = screen.focused.id if screen.focused is not None else None
    run = view.run.run_id if view.run is not None else None
    found = (len(deck.app.screen_stack), notice, view.confirm, panes, focused, run, deck.app.theme)
    transcript = [(widget.scroll_y, widget.has_focus) for widget in screen.query("#transcript")]
    return json.dumps([*found, transcript, deck.composer.text, sorted(screen.classes), view.quitting], default=str)


def test_what_can_be_listed_is_what_can_be_carried_out_from_a_list() -> None:
    assert all(action.scope in WRITING or action.scope == "transcript" for action in LISTED)
