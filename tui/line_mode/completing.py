"""What Tab completes, and the messages of before, in the words of prompt_toolkit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import History

from tui import history
from tui.argument_words import completed
from tui.completer import MOST, limits
from tui.completer import values as limit_values
from tui.files import gather
from tui.fuzzy import best
from tui.line_mode.arguments import Known, words_after
from tui.line_mode.commands import names
from tui.render.clean import visible
from tui.widgets.completion import Word
from tui.widgets.composer import word_at

if TYPE_CHECKING:
    from tui.completer import Offers
    from tui.view import View

MODEL = "/model "


class LineCompleter(Completer):
    """models: names to complete after /model. view: what goes on. known: what may follow the other commands."""

    def __init__(
        self,
        workspace: Path,
        view: Callable[[], View],
        models: Callable[[], list[str]],
        known: Known,
        offers: Callable[[], Offers],
    ) -> None:
        self._workspace = workspace
        self._view = view
        self._models = models
        self._known = known
        self._offers = offers

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        del complete_event
        before = document.current_line_before_cursor
        first = document.cursor_position_row == 0
        if first and before.startswith(MODEL):
            query = before.removeprefix(MODEL)
            return [Completion(name, start_position=-len(query)) for name in best(query, self._models(), str, MOST)]
        command, *words = before.split(" ")
        if first and command.startswith("/") and words:
            query = words.pop()
            if found := words_after(command[1:], [word for word in words if word], self._known):
                values = [each.value for each in completed(query, found)]
                begun = [value for value in values if value.startswith(query)]
                return [Completion(value, start_position=-len(query)) for value in begun or values]
        word = word_at(before, len(before), first_line=first)
        return [] if word is None else self._of(word, len(before))

    def _of(self, word: Word, column: int) -> Iterator[Completion]:
        for value in self._candidates(word):
            yield Completion(value, start_position=word.start - column)

    def _candidates(self, word: Word) -> Iterable[str]:
        match word.kind:
            case "command":
                offered = sorted([*names(), *(f"{each.server}:{each.name}" for each in self._offers().prompts)])
                return [f"/{name}" for name in offered if name.startswith(word.query)]
            case "limit":
                return [candidate.value for candidate in limits(word.query, self._view())]
            case "value":
                return [candidate.value for candidate in limit_values(word.of, word.query, self._view())]
            case "argument" | "shell" | "history":
                return []
            case "file":
                resources = (f"{each.server}:{each.uri.partition('{')[0]}" for each in self._offers().resources)
                found = [*gather(self._workspace), *resources]
                begun = [name for name in found if name.startswith(word.query)]
                return [f"@{name}" for name in (begun or best(word.query, found, str, MOST))[:MOST]]


class ProjectHistory(History):
    """The messages that were written in a folder, in the file that the screen keeps them in too; None: nowhere."""

    def __init__(self, file: Path | None) -> None:
        super().__init__()
        self._file = file

    def load_history_strings(self) -> Iterable[str]:
        found = [] if self._file is None else history.load(self._file)
        # What could not be seen in the line is not brought back into it.
        return [text for text in reversed(found) if visible(text) == text]

    def store_string(self, string: str) -> None:
        if self._file is not None:
            # Losing an entry of the input history is no reason to disturb anybody.
            with suppress(OSError):
                history.append(self._file, string)
