"""A program that changes files under the keeper and is killed at a named point; what happened until then is printed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from runner.tools.base import ToolContext
from runner.tools.builtin import file_edits
from runner.tools.builtin.file_edits import look, replace_file
from runner.tools.files import book_of, write_whole
from runner.tools.workspace import locate
from tests.undo.support import Desk


def die() -> None:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    root, data, point = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    desk = Desk(root, data)
    ctx: ToolContext = desk.ctx()
    if point == "before the change":

        def only_die(*_: object, **_more: object) -> None:
            die()

        file_edits.write_whole = only_die
    elif point == "after the change":

        def write_and_die(*args: object, **more: object) -> None:
            write_whole(*args, **more)  # pyright: ignore[reportArgumentType]
            die()

        file_edits.write_whole = write_and_die
    if point == "in a command":
        desk.keeper.before_command(ctx)
        (root / "a.txt").write_text("by the command\n")
        (root / "new.txt").write_text("by the command\n")
        (root / "loose.txt").unlink(missing_ok=True)
        die()
    with book_of(ctx).lock:
        replace_file(ctx, book_of(ctx), look(locate(ctx, "a.txt")), b"by the tool\n")
    die()


main()
