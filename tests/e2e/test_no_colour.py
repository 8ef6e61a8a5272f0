"""NO_COLOR: nothing that the program writes to a terminal has a colour, and states are told apart all the same."""

from __future__ import annotations

import re

import pytest

from tests.e2e.terminal import ARMED, OpenTerminal, composer

_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
_COLOURLESS = frozenset({*map(str, range(10)), "", "21", "22", "23", "24", "25", "27", "28", "29", "39", "49"})


def colours(written: bytes) -> set[str]:
    """Every attribute that was set and is a colour; defaults and resets are none."""
    found = {part for each in _SGR.findall(written) for part in re.split("[;:]", each.decode())}
    return found - _COLOURLESS


@pytest.mark.timeout(120)
def test_no_colour_is_written_by_the_screen_line_mode_or_a_command(terminal: OpenTerminal) -> None:
    shell = terminal(90, 30, NO_COLOR="1", COLORTERM="truecolor")
    shell.start()
    shell.wait_for("ready", "Quarterdeck")
    shell.send('change "alpha" to "omega" in notes.txt')
    shell.wait_for("-alpha one", "+omega one", ARMED)
    shell.press("y")
    shell.wait_for("done in")
    shell.press("C-t")
    shell.wait_for("NO_COLOR is set")
    shell.press("M-c")
    shell.wait_for("General", "enter changes")
    shell.press("Escape")
    shell.wait_for(lambda screen: "enter changes" not in str(screen))
    shell.type("seen")
    shell.wait_for(lambda screen: "seen" in composer(screen))
    shell.press("C-q")
    assert shell.left() == 0
    screen = shell.written
    assert b"\x1b[7m" in screen or b";7m" in screen, "the selected line is told by reversal"
    assert b"\x1b[2m" in screen or b";2m" in screen, "what is secondary is dim"
    assert colours(screen) == set()
    shell.start("--plain")
    shell.wait_for("demo/pilot")
    shell.type("what is here?")
    shell.press("Enter")
    shell.wait_for("notes.txt", "completed: 2 turns")
    shell.press("C-d")
    assert shell.left() == 0
    for command in (("themes",), ("run", "what is here?")):
        shell.start(*command)
        assert shell.left() == 0
    assert colours(shell.written) == set()
