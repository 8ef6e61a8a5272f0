"""Our themes as Textual themes: every token becomes a CSS variable, so widgets name tokens and never a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.theme import Theme as TextualTheme

if TYPE_CHECKING:
    from themes import Theme

ANSI_THEME = "terminal"
"""The theme that uses the terminal's own colours; taken where NO_COLOR is set."""


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
        "input-cursor-text-style": "none",
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


def choose(wanted: str, found: Mapping[str, Theme], environ: Mapping[str, str], default: str) -> str:
    """The name of the theme to start with. NO_COLOR wins over everything, as its users expect."""
    if environ.get("NO_COLOR") and ANSI_THEME in found:
        return ANSI_THEME
    return wanted if wanted in found else default
