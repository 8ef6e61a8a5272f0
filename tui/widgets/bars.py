"""Lines of fixed height whose text changes often without a new layout."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Bar(Static):
    """What is shown is put there from outside, and only painted where it changed."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(Content.styled(text, "$muted"), id=id, markup=False)
        self._shown: Content | None = None

    @property
    def room(self) -> int:
        """Cells in a line; a guess before the first layout."""
        return self.content_size.width or 80

    @property
    def lines(self) -> int:
        """Lines there is room for; plenty before the first layout."""
        return self.content_size.height or 100

    def put(self, content: Content) -> None:
        if self._shown is None or content != self._shown or self._shown.spans != content.spans:
            self._shown = content
            self.update(content, layout=False)
