"""A question of a running call while a person answers it: which answers are marked and taken. Knows no widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from runner.control.commands import Decide
from tui.words import count

if TYPE_CHECKING:
    from runner.state import ApprovalView
    from tui.keymap import Keymap

from tui.widgets.call_choices import card_options
from tui.widgets.choices import Option

PICK = "pick:"
"""A choice that takes the answer of this number, from 0."""


@dataclass(slots=True)
class Question:
    """at: the marked answer, -1 for none. taken: those chosen, where several may be."""

    approval: ApprovalView
    at: int = -1
    taken: set[int] = field(default_factory=set[int])

    @property
    def choices(self) -> list[str]:
        found = self.approval.preview.get("choices")
        return [str(each) for each in cast("list[object]", found)] if isinstance(found, list | tuple) else []

    @property
    def several(self) -> bool:
        return bool(self.approval.preview.get("several")) and bool(self.choices)

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Of a form."""
        found = self.approval.preview.get("schema")
        form = self.approval.preview.get("type") == "form"
        return cast("Mapping[str, Any]", found) if form and isinstance(found, dict) else {} if form else None

    @property
    def free(self) -> bool:
        """Whether an answer may be written."""
        return self.schema is not None or not self.choices or self.approval.preview.get("free") is not False

    def options(self, keys: Keymap, *, waiting: bool) -> list[Option]:
        """waiting: others wait too."""
        found: list[Option] = []
        if self.several:
            words = f"send {count(len(self.taken), 'answer')}" if self.taken else "send"
            found.append(Option("submit", keys.show("question.submit"), words, "send"))
        if self.free:
            words = "fill in the form" if self.schema is not None else "write an answer"
            found.append(Option("write", keys.show("question.write"), words, "write"))
        found.append(Option("decline", keys.show("question.decline"), "give no answer", "none"))
        return [*found, *card_options(self.approval, keys, several=waiting)]

    def hint(self, *, short: bool) -> str:
        """What else answers."""
        if not self.choices:
            return ""
        most = min(9, len(self.choices))
        keys = f"1 to {most}" if most > 1 else "1"
        if short:
            return f"{keys} {'take' if self.several else 'answer'}"
        return f"{keys} or space takes, again leaves" if self.several else f"{keys} or arrows and enter answer it"

    def move(self, by: int) -> None:
        if self.choices:
            self.at = max(0, min(len(self.choices) - 1, self.at + by)) if self.at >= 0 else 0

    def toggle(self, index: int) -> bool:
        """Take an answer of several, or leave it; whether there is such a one."""
        if not self.several or not 0 <= index < len(self.choices):
            return False
        self.at = index
        self.taken ^= {index}
        return True

    def choice_of(self, key: str) -> str | None:
        """The choice that a key of its own means, where one answer is wanted."""
        if self.several:
            return "submit" if key == "enter" else None
        if key.isdecimal() and 0 < int(key) <= len(self.choices):
            return f"{PICK}{int(key) - 1}"
        if key in ("enter", "space") and self.at >= 0:
            return f"{PICK}{self.at}"
        return None

    def answer(self, choice: str) -> Decide | None:
        """The answer that a choice comes to; None where nothing is chosen."""
        if choice == "submit":
            taken = [text for index, text in enumerate(self.choices) if index in self.taken]
            return self.written(*taken) if taken else None
        if choice.startswith(PICK):
            return self.written(self.choices[int(choice.removeprefix(PICK))])
        return None

    def written(self, *answers: str) -> Decide:
        return Decide(request_id=self.approval.request_id, decision="answer", arguments={"answers": list(answers)})
