"""The smallest Textual app with an input: what the first frame is compared with."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class BareApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("bare-app-marker", markup=False)
        yield Input(placeholder="type here")


if __name__ == "__main__":
    BareApp().run()
