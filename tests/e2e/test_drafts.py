"""A message that was not sent comes back after the program died."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.e2e.terminal import PATIENCE, OpenTerminal, composer


def test_sigkill_keeps_the_draft_with_its_folded_paste(terminal: OpenTerminal, environ: dict[str, str]) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.type("half a thought ")
    deck.paste(b"a line\n" * 40)
    drafts = Path(environ["QUARTERDECK_DATA"]) / "ui" / "drafts"
    deck.until(lambda: any("half a thought a line" in file.read_text() for file in drafts.glob("*.json")), "a draft")
    program = deck.running()
    program.send_signal(signal.SIGKILL)
    program.wait(PATIENCE)
    again = terminal()
    again.start()
    screen = again.wait_for("your unsent message is back")
    assert "half a thought [pasted 40 lines, 280 B]" in composer(screen)
    again.press("C-q")
    assert again.left() == 0
