"""A shell command in the place of a message: "!command" runs it, "!!command" gives it to the model as well. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SIGN = "shell command, run by you, not by the model"
SHARED = "the model gets it and its output"
PRIVATE = "!! also gives it to the model"
FREE = "your environment, no sandbox, nothing asks"


@dataclass(frozen=True, slots=True)
class Shell:
    """share: the model gets the command and what it printed."""

    command: str
    share: bool

    @property
    def text(self) -> str:
        """As it was written."""
        return f"{'!!' if self.share else '!'}{self.command}"


def read_shell(text: str) -> Shell | None:
    """The shell command that a whole message is, None where it is none; a space before the sign makes it a message."""
    if not text.startswith("!"):
        return None
    share = text.startswith("!!")
    command = text[2:] if share else text[1:]
    return Shell(command.strip(), share) if command.strip() else None


def sign_words(text: str) -> tuple[str, str]:
    """What the composer says while a shell command is being written: what it is, and what that means."""
    return SIGN, f"{SHARED if text.startswith('!!') else PRIVATE} · {FREE}"
