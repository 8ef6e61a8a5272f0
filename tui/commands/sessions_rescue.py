"""`quarterdeck sessions rescue`."""

from __future__ import annotations

from runner.store.paths import database_path
from runner.store.rescue import DAMAGED, Rescued, is_whole, rescue
from tui import words
from tui.cli import tell
from tui.render.clean import clean


def run() -> int:
    """0: all is well, now or as before. 1: something is gone for good."""
    path = database_path(None)
    if is_whole(path):
        print(f"{path} is not damaged; nothing was changed.")
        return 0
    tell(f"{path} is damaged; all of it is read now, which can take minutes")
    done = rescue(path)
    print(
        f"Saved {words.count(done.sessions, 'session')} with {words.count(done.runs, 'run')}, "
        f"{words.count(done.events, 'event')} and {words.count(done.artifacts, 'whole output')}."
    )
    print(f"The damaged file is kept as {done.kept}")
    print("What you had allowed for whole sessions is asked again.")
    for line in lost_lines(done):
        tell(line)
    return 1 if done.missing or done.lost or done.unreadable else 0


def lost_lines(done: Rescued) -> list[str]:
    lines = [
        f"session {session_id}: {words.count(number, 'event')} or more could not be read; it has the tag #{DAMAGED} now"
        for session_id, number in done.missing.items()
    ]
    lines += [
        f"session {session_id} ({words.cut(words.one_line(clean(title)), 60)}): nothing of it could be read"
        for session_id, title in done.lost.items()
    ]
    if done.unreadable:
        lines.append(f"{words.count(done.unreadable, 'row')} could be read in part only and were left out")
    return [*lines, "there may have been more, of which nothing is left"]
