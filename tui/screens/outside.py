"""Showing a text in the person's own program, which has the terminal until it ends; else on a screen of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from tui.render.clean import clean
from tui.words import one_line

if TYPE_CHECKING:
    from tui.desk import Desk

How: TypeAlias = Literal["pager", "editor"]


def open_outside(desk: Desk, text: str, what: str, how: How, complain: Callable[[str], object]) -> None:
    """text: clean. what: its name. complain: is told why it could not be shown there."""
    from tui.outside_editor import EditorError, editor_of, pager_of, show

    environ = desk.settings.environ
    try:
        command = editor_of(environ) if how == "editor" else pager_of(environ)
        if command:
            show(text, command, ".md" if how == "editor" else ".txt", environ, desk.host.suspend)
            return
    except EditorError as error:
        complain(one_line(clean(str(error))))
        if how == "editor":
            return
    _view(desk, text, what)


def _view(desk: Desk, text: str, what: str) -> None:
    from textual.content import Content

    from tui.screens.viewer import MOST_CHARACTERS, Viewer

    body = text[-MOST_CHARACTERS:]
    title = what if len(body) == len(text) else f"{what}, the last {MOST_CHARACTERS:,} characters"
    desk.host.show_screen(Viewer(Content.styled(title, "bold $foreground"), Content.styled(body, "$foreground")))
