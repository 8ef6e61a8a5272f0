"""Our themes as Textual themes: every token becomes a CSS variable, so widgets name tokens and never a colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from textual.theme import Theme as TextualTheme

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App

    from themes import Theme, ThemeError
    from tui.remembered import Remembered
    from tui.settings.values import Source

REMEMBERED: Final = "theme"
"""What the theme that a person chose is remembered as: its name, and over which configured one it was chosen."""

ANSI_THEME = "terminal"
"""The theme that uses the terminal's own colours; taken where NO_COLOR is set."""


class HasTheme(Protocol):
    """Settings, as far as they are about the theme."""

    @property
    def theme(self) -> str: ...

    @property
    def themes_dir(self) -> Path: ...

    def source(self, key: str) -> Source: ...


def variables(theme: Theme) -> dict[str, str]:
    """CSS variables of a theme: "state.running" is "$state-running", "border_focus" is "$border-focus"."""
    found = {name.replace(".", "-").replace("_", "-"): colour for name, colour in theme.tokens.items()}
    for name in ("muted", "border", "border_focus", "selection", "selection_text"):
        found[name.replace("_", "-")] = theme.base[name]
    base = theme.base
    found |= {
        "ansi-background": "ansi_black" if theme.dark else "ansi_white",
        "ansi-foreground": "ansi_white" if theme.dark else "ansi_black",
        "border-blurred": base["border"],
        "block-cursor-background": base["selection"],
        "block-cursor-foreground": base["selection_text"],
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": base["panel"],
        "block-cursor-blurred-foreground": base["foreground"],
        "block-cursor-blurred-text-style": "none",
        "block-hover-background": base["panel"],
        "input-cursor-background": base["foreground"],
        "input-cursor-foreground": base["background"],
        # Where text and ground are both the terminal's own, nothing else would show the cursor.
        "input-cursor-text-style": "reverse" if theme.ansi else "none",
        "input-selection-background": base["selection"],
        "input-selection-foreground": base["selection_text"],
        "screen-selection-background": base["selection"],
        "screen-selection-foreground": base["selection_text"],
        "scrollbar": base["border"],
        "scrollbar-hover": base["border_focus"],
        "scrollbar-active": base["border_focus"],
        "scrollbar-background": base["background"],
        "scrollbar-background-hover": base["background"],
        "scrollbar-background-active": base["background"],
        "scrollbar-corner-color": base["background"],
        "text-muted": base["muted"],
        "footer-key-foreground": theme.tokens["key.name"],
        "link-color": theme.tokens["md.link"],
    }
    return found


def textual_theme(theme: Theme) -> TextualTheme:
    base = theme.base
    return TextualTheme(
        name=theme.name,
        primary=base["primary"],
        secondary=base["secondary"],
        warning=base["warning"],
        error=base["error"],
        success=base["success"],
        accent=base["accent"],
        foreground=base["foreground"],
        background=base["background"],
        surface=base["surface"],
        panel=base["panel"],
        boost=base["surface"],
        dark=theme.dark,
        ansi=theme.ansi,
        variables=variables(theme),
    )


def load_first(wanted: str, folder: Path | None, environ: Mapping[str, str]) -> Theme:
    """The theme to start with, without reading the others. NO_COLOR wins over everything, as its users expect.

    A file of the person's that cannot be used is told when all are read; until then the built-in one stands in.
    """
    import themes

    name = ANSI_THEME if colourless(environ) else wanted
    for place in (folder, None):
        try:
            return themes.load(name, place)
        except themes.ThemeError:
            continue
    return themes.load(themes.DEFAULT)


def colourless(environ: Mapping[str, str]) -> bool:
    """Whether no colour at all may be shown: NO_COLOR is set, to whatever."""
    return bool(environ.get("NO_COLOR"))


def first_theme(settings: HasTheme, remembered: Remembered) -> str:
    """The theme to start with: the one that was chosen on the screen, unless something else was said since.

    An option or a variable is about this very start. A configuration that names another theme than it did when the
    person chose was changed later, so it wins.
    """
    source = settings.source("theme").kind
    kept = remembered.read(REMEMBERED)
    name = kept.get("name")
    said_now = source in ("environment", "flag")
    if said_now or not isinstance(name, str) or kept.get("over") != configured(settings):
        return settings.theme
    from themes.loader import BUILT_IN

    # A file of the person's own may be gone since.
    there = any((folder / f"{name}.toml").is_file() for folder in (settings.themes_dir, BUILT_IN))
    return name if there else settings.theme


def configured(settings: HasTheme) -> str:
    """The theme that a file of settings names, "" where none does."""
    return settings.theme if settings.source("theme").kind in ("user", "project") else ""


def renew(app: App[Any], found: Mapping[str, Theme]) -> None:
    """Register themes that were read again; what is on the screen is drawn anew where its own one changed."""
    from textual.app import App

    for name in app.available_themes:
        if name not in found:
            app.unregister_theme(name)
    before = app.available_themes.get(app.theme)
    for theme in found.values():
        app.register_theme(textual_theme(theme))
    if app.available_themes[app.theme] != before:
        app.mutate_reactive(App.theme)


def problem_words(error: ThemeError, *, short: bool = False) -> str:
    """What is wrong with a theme, after its file and line. short: the file without its folder."""
    if error.file is None:
        return str(error)
    found = re.search(r" \(at line (\d+), column \d+\)$", error.expected)
    line = int(found[1]) if found else _line(error.file, error.key, at_end="(at end of document)" in error.expected)
    said = re.sub(r" \(at [^)]*\)$", "", error.expected)
    file = error.file.name if short else str(error.file)
    place = f"{file}:{line}" if line else file
    return ": ".join(part for part in (place, error.key, said) if part)


def _line(file: Path, key: str, *, at_end: bool) -> int:
    from tui.settings.locate import key_lines, line_of

    try:
        text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
        if at_end:
            return len(text.splitlines())
        lines = key_lines(text)
    except (OSError, ValueError):
        return 0
    return line_of(lines, tuple(key.split("."))) or 0
