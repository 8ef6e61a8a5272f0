"""The lines around a recording: what it is, where it stands, what keys do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from tui.keymap import shown
from tui.render.clean import visible
from tui.replaying.strip import LEGEND, SHORT_LEGEND
from tui.replaying.words import cut_words, damage_words, place_words, speed_words
from tui.words import cut, imported_from, one_line

if TYPE_CHECKING:
    from tui.keymap import Keymap
    from tui.replaying.loading import Recording
    from tui.replaying.steering import Steering

_HINTS: Final = (
    ("plays", "play"),
    ("speed", "slower", "faster"),
    ("event", "event_back", "event_on"),
    ("turn", "turn_back", "turn_on"),
    ("message, approval, error", "mark_back", "mark_on"),
    ("5 %", "back", "on"),
    ("time", "go"),
    ("real waits", "waits"),
    ("unfolds", "unfold"),
)
"""What keys do, the most important first, and the actions."""


def title_line(recording: Recording | None, width: int) -> Content:
    """Whose recording, from when, what is to be known of it; and what the signs of the strip mean, where there is
    room."""
    name = Content.styled("Replay  ", "bold $primary")
    if recording is None:
        return name
    summary = recording.summary
    more = [f"{summary.created.astimezone():%Y-%m-%d %H:%M}"]
    if summary.imported:
        more.append(imported_from(summary.imported))
    if summary.forked_from:
        more.append("a fork")
    if recording.problems:
        more.append(damage_words(recording.problems))
    if summary.live:
        more.append("a run of it goes on; this is what was stored so far")
    behind = f"  {' · '.join(more)}"
    title = cut(visible(one_line(summary.title)) or "untitled", max(8, width - name.cell_length - len(behind)))
    line = name + Content.assemble((title, "$foreground"), (behind, "$muted"))
    spare = width - line.cell_length - 2
    legend = next((legend for legend in (LEGEND, SHORT_LEGEND) if len(legend) <= spare), "")
    if legend:
        line += Content.styled(legend.rjust(spare + 2), "$muted")
    return line.truncate(max(1, width), ellipsis=True)


def place_line(steering: Steering, width: int, key: str) -> Content:
    """Whether it plays, how fast, where it is, and what is left out. key: plays all of a pause."""
    player = steering.player
    state = ("‖", "$state-paused")
    if steering.playing:
        state = ("▶", "$state-running")
    elif player.at_end:
        state = ("■ the end", "$muted")
    speed = f" {speed_words(steering.speed)}  "
    note = steering.said or cut_words(player, key)
    behind = f" · {note}" if note else ""
    parts = place_words(player)
    while len(parts) > 1 and len(state[0] + speed + " · ".join(parts) + behind) > width:
        parts.pop()
    line = Content.assemble(
        state, (speed, "$foreground"), (" · ".join(parts), "$muted"), (behind, "$state-waiting")
    )  # fmt: skip
    return line.truncate(width, ellipsis=True)


def hint_line(keys: Keymap, width: int) -> Content:
    """As many as there is room for; the way back is always among them."""
    parts = [_hint(keys, does, *names) for does, *names in _HINTS]
    close = _hint(keys, "back", "close")
    found = [part for part in parts if part]
    while found and len(" · ".join([*found, close])) > width:
        found.pop()
    return Content.styled(" · ".join(filter(None, [*found, close])), "$key-label")


def _hint(keys: Keymap, does: str, *names: str) -> str:
    own = [shown(found[0]) for name in names if (found := keys.of(f"replay.{name}"))]
    return f"{' '.join(own)} {does}" if own else ""
