"""Untrusted text as content for widgets, with whatever was changed for display standing out. Pure."""

from __future__ import annotations

from textual.content import Content

from tui.render.clean import MARKS, visible


def marked(text: str, style: str) -> Content:
    """Untrusted text with every invisible or dangerous character replaced by a mark that stands out."""
    shown = visible(text)
    content = Content.styled(shown, style)
    for found in MARKS.finditer(shown):
        content = content.stylize("bold $risk-high reverse", found.start(), found.end())
    return content
