"""Painting what changed and nothing else.

Textual asks every widget on the screen for its lines at every update, and throws most of them away. A stream that is
shown many times a second pays for that with more than for the text itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class LeanCompositor(Compositor):
    """Asks only the widgets that are seen in a region that changed: from the front, until the region is filled."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: list[Region] | None = None

    def render_partial_update(self) -> ChopsUpdate | None:
        screen = self.size.region
        self._changed = [region.intersection(screen) for region in self._dirty_regions]
        try:
            return super().render_partial_update()
        finally:
            self._changed = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if self._changed is None:
            yield from super()._get_renders(crop)
            return
        left = [region for region in self._changed if region]
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if not seen or not any(seen.overlaps(each) for each in left):
                continue
            lines = widget.render_lines(Region(seen.x - region.x, seen.y - region.y, seen.width, seen.height))
            yield region, clip, lines
            if len(lines) == seen.height:
                left = [each for each in left if not seen.contains_region(each)]
                if not left:
                    return
