"""Keys: the registry has no clash of its own, and a wrong keymap is refused with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from tests.tui.cockpit import cockpit
from tui.actions import ACTIONS, BY_ID
from tui.keymap import keymap, shown
from tui.screens.help import help_rows


def test_the_defaults_are_a_valid_keymap_and_ids_are_unique() -> None:
    assert keymap().of("stop") == ("ctrl+c", "escape")
    assert len(BY_ID) == len(ACTIONS)


def test_every_default_key_can_be_written_in_a_configuration() -> None:
    for action in ACTIONS:
        assert keymap({action.id: ",".join(action.keys)}).of(action.id) == action.keys


def test_a_key_is_changed_and_several_are_given() -> None:
    keys = keymap({"model": "f7, alt+shift+m"})
    assert keys.of("model") == ("f7", "alt+shift+m")
    assert keys.show("model") == "f7"


def test_a_key_that_a_person_gives_away_is_taken_from_a_default_that_has_another_one() -> None:
    keys = keymap({"model": "f7"})
    assert keys.of("model") == ("f7",)
    assert keys.of("cancel_tool") == ("alt+x",)


def test_an_action_can_lose_its_key() -> None:
    assert keymap({"theme": ""}).of("theme") == ()
    assert keymap({"theme": ""}).show("theme") == ""


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"modle": "f7"}, 'did you mean "model"'),
        ({"model": "ctrl+r"}, "means both"),
        ({"model": "ctrl+q"}, "reserved for quit"),
        ({"theme": "escape"}, "reserved for stop"),
        ({"abort": "ctrl+c"}, "reserved for"),
        ({"stop": ""}, "cannot be left without a key"),
        ({"model": "m"}, "needed for writing"),
        ({"model": "shift+m"}, "needed for writing"),
        ({"model": "M"}, "needed for writing"),
        ({"model": "f7", "theme": "f7"}, "means both"),
        ({"limit.off": "r"}, "means both"),
        ({"model": "space"}, "needed for writing"),
        ({"model": "ctrl+i"}, "terminals send ctrl+i as tab"),
        ({"model": "ctrl+nonsense"}, "is not a key"),
        ({"model": "hyper+x"}, "is not a key"),
        ({"approval.allow": "n"}, "means both"),
        ({"approval.allow": "ctrl+o"}, "means both"),
    ],
)
def test_a_wrong_keymap_is_refused(changes: dict[str, str], wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        keymap(changes)
    assert wrong in str(caught.value)
    assert str(caught.value).startswith("keys.")


def test_letters_may_be_used_on_the_cards_and_in_the_list_of_messages() -> None:
    assert keymap({"approval.allow": "o"}).of("approval.allow") == ("o",)
    assert keymap({"limit.raise": "h"}).of("limit.raise") == ("h",)
    assert keymap({"queue.earlier": "U"}).of("queue.earlier") == ("U",)


def test_remapping_stop_keeps_abort() -> None:
    keys = keymap({"stop": "f10"})
    assert keys.of("abort") == ("f9", "ctrl+backslash")


def test_keys_are_shown_as_people_write_them() -> None:
    assert shown("ctrl+backslash") == "ctrl+\\"
    assert shown("pageup") == "page up"
    assert shown("escape") == "esc"


def test_the_help_lists_every_action_once() -> None:
    rows = [row for row in help_rows(keymap()) if row.action_id]
    assert sorted(row.action_id for row in rows) == sorted(BY_ID)


async def test_a_changed_key_works_and_is_shown(tmp_path: Path) -> None:
    async with cockpit(tmp_path, options={"keys.model": "f7"}) as deck:
        assert "f7 model" in deck.screen_text()
        await deck.pilot.press("f7")
        await deck.until(lambda: "Models" in deck.screen_text())


async def test_the_help_is_searched_and_its_line_carried_out(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press("?")
        await deck.until(lambda: "Keys and commands" in deck.screen_text())
        await deck.pilot.press(*"colour theme")
        await deck.until(lambda: "Next colour theme" in deck.screen_text() and "Approve" not in deck.screen_text())
        before = deck.app.theme
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.app.theme != before)


async def test_commands_are_found_by_name(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press("ctrl+p")
        await deck.until(lambda: "what can be done now" in deck.screen_text())
        assert "Abort now" not in deck.screen_text()
        await deck.pilot.press(*"sess", "enter")
        await deck.until(lambda: "There is no session yet" in deck.screen_text())


def test_a_question_cannot_take_a_key_of_every_card() -> None:
    with pytest.raises(ConfigError, match="means both"):
        keymap({"question.write": "x"})
    assert keymap({"question.write": "y"}).of("question.write") == ("y",)


def test_a_letter_alone_is_no_key_of_a_form() -> None:
    with pytest.raises(ConfigError, match="needed for writing"):
        keymap({"form.save": "s"})
    assert keymap({"form.save": "f11"}).show("form.save") == "f11"
