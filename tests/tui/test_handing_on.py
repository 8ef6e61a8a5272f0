"""The export on its screen: what is masked is shown before, and the file is new and its owner's alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from runner.store import Store
from tests.store.making import write
from tests.store.test_export import SECRETS, leaky_run
from tests.tui.cockpit import Deck, cockpit
from tui.handing.files import ENDINGS, file_name, free_name
from tui.screens.handing_on import HandingOn

TOKEN = SECRETS["github"]


async def seen(deck: Deck, words: str) -> str:
    await deck.until(lambda: words in " ".join(deck.screen_text().split()), words)
    return " ".join(deck.screen_text().split())


async def opened(deck: Deck, *words: str) -> Input:
    await deck.send(" ".join(("/export", *words)))
    await deck.until(lambda: isinstance(deck.app.screen, HandingOn), "the export")
    await seen(deck, "1 secret in")
    return deck.app.screen.query_one(Input)


async def test_a_session_is_written_masked_or_not_and_copied(tmp_path: Path) -> None:
    with Store.open() as store:
        write(store, leaky_run(TOKEN).events)
    async with cockpit(tmp_path, size=(100, 34), session="quarterdeck://session/session-1#run-1.1") as deck:
        await deck.until(lambda: deck.view.session_id == "session-1", "the session")
        field = await opened(deck)
        text = " ".join(deck.screen_text().split())
        assert f"GitHub token {TOKEN[:4]}…{TOKEN[-4:]}, {len(TOKEN)} characters" in text
        assert "run 1: your message My key is ▒▒▒" in text
        assert 'run 1, turn 1: arguments of shell echo "▒▒▒"' in text
        assert "Export My key is [masked: GitHub token]" in text
        # The title holds the secret, so the file is not called after it.
        assert field.value == "session-ssion1.md"
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "it is written")
        file = tmp_path / "session-ssion1.md"
        await seen(deck, "wrote session-ssion1.md")
        await seen(deck, "places masked")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "My key is [masked: GitHub token]" in file.read_text()
        assert TOKEN not in file.read_text()
        # Never over what is there, also when it is named.
        field = await opened(deck, "html")
        assert field.value == "session-ssion1.html"
        field.value = "session-ssion1.md"
        await deck.pilot.press("enter")
        await seen(deck, "exists; remove it")
        field.value = "nowhere/x.html"
        await deck.pilot.press("enter")
        await seen(deck, "No such file or directory")
        await deck.pilot.press("shift+tab")
        assert field.value == "nowhere/x.html"
        field.value = "plain.md"
        await deck.pilot.press("ctrl+o")
        await seen(deck, "NOT masked. 1 secret in")
        assert f"Export  My key is {TOKEN}" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "it is written")
        await seen(deck, "with nothing masked")
        assert f"My key is {TOKEN}" in (tmp_path / "plain.md").read_text()
        copied: list[str] = []
        deck.app.copy_to_clipboard = copied.append  # pyright: ignore[reportAttributeAccessIssue]
        await opened(deck, "jsonl")
        await deck.pilot.press("ctrl+y")
        await seen(deck, "Markdown can be copied")
        await deck.pilot.press("tab", "ctrl+y")
        await deck.until(lambda: copied, "the copy")
        assert copied[0] == file.read_text()
        field = await opened(deck)
        assert field.value == "session-ssion1-2.md"
        await deck.pilot.press("escape")
    assert sorted(each for each in os.listdir(tmp_path) if "." in each) == ["plain.md", "session-ssion1.md"]


@given(title=st.text(max_size=80), session_id=st.text(max_size=40), format=st.sampled_from(sorted(ENDINGS)))
def test_a_name_from_any_title_is_the_name_of_a_file(title: str, session_id: str, format: str) -> None:
    assert format in ("html", "jsonl", "markdown")
    name = file_name(title, session_id, format)
    assert name == os.path.basename(name)
    assert name.endswith(f".{ENDINGS[format]}")
    assert len(name) < 80
    assert not name.startswith((".", "-"))
    assert name.isprintable()


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    first = tmp_path / "a.md"
    names = list[str]()
    for _ in range(4):
        path = free_name(first)
        names.append(path.name)
        path.touch()
    (tmp_path / "dangling.md").symlink_to(tmp_path / "nothing")
    assert names == ["a.md", "a-2.md", "a-3.md", "a-4.md"]
    assert free_name(tmp_path / "dangling.md").name == "dangling-2.md"
