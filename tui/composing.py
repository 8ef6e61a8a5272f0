"""What a person may do with the message besides sending it: search, the editor, large pastes, names of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.argument_words import ArgumentWords, Sources, Words
from tui.naming import ONLY_NAMED, name_paste
from tui.recall import Recall
from tui.server_words import PHASES
from tui.widgets.composer import pasted

if TYPE_CHECKING:
    from tui.desk import Desk
    from tui.writing import Writing


def argument_words(desk: Desk) -> ArgumentWords:
    """What completes behind a "/command"."""

    def models() -> Words:
        return {info.name: "" for info in desk.settings.registry().catalogue()}

    def efforts() -> Words:
        from runner.models.fitting import DEFAULT, LEVELS

        return {**dict.fromkeys(LEVELS, ""), DEFAULT: "as the provider has it"}

    sources = Sources(
        models=models,
        themes=lambda: {name: theme.title for name, theme in desk.host.our_themes.items()},
        servers=lambda: {server.name: PHASES[server.phase][0] for server in desk.engine.servers},
        efforts=efforts,
        agents=lambda: dict.fromkeys(desk.branching.agents, ""),
    )
    return ArgumentWords(sources, desk.engine.background)


class Composing:
    def __init__(self, desk: Desk, writing: Writing) -> None:
        self._desk = desk
        self._deck = desk.deck
        self._composer = writing.composer
        self._workspace = Path(desk.deck.view().workspace)
        self._recall = writing.recall = Recall(writing, desk.engine, desk.keys.show("history"))
        self._composer.name_paste = self.name_paste

    def search_history(self) -> None:
        self._recall.begin()

    def edit_outside(self) -> None:
        """Lend the terminal to the person's editor; what comes back is not sent."""
        from tui.outside_editor import EditorError, edit

        before = self._composer.message
        try:
            text = edit(before, ".md", self._desk.settings.environ, self._desk.host.suspend)
        except EditorError as error:
            self._deck.say(str(error), "error", stay=True)
            return
        kept, left_out = pasted(text.removesuffix("\n"))
        if kept != before:
            self._composer.replace_all(kept)
        if left_out:
            self._composer.post_message(self._composer.LeftOut(left_out))
        self._composer.focus()

    def fold(self) -> None:
        if not self._composer.toggle_fold():
            self._deck.say("there is no large paste at the cursor")

    def name_paste(self, text: str) -> str:
        """A pasted path of a picture or the like as it is named in the message, "" for any other text."""
        words = name_paste(text, self._workspace)
        if words:
            self._deck.say(ONLY_NAMED, seconds=8.0)
            self._desk.repaint()
        return words
