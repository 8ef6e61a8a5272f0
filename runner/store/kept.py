"""What people do with sessions that are kept: mark them, throw them away, take them back, list and fork them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from runner.errors import NotFoundError, SessionBusyError
from runner.store.base import Annotation, Problem, SessionKey, SessionSummary

if TYPE_CHECKING:
    from runner.store.process import Owner
    from runner.store.query import SessionFilter
    from runner.store.read import Reader
    from runner.store.search import SearchIndex
    from runner.store.writer import SqliteJournal

KEPT_IN_TRASH = timedelta(days=7)


class Kept(Protocol):
    """A part of the store's own methods. Each may be called from any thread and blocks for the disk."""

    journal: SqliteJournal
    _reader: Reader
    _owner: Owner

    def _remember(self, problem: Problem) -> None: ...

    def _index(self) -> SearchIndex: ...

    def _unsearch(self, session_id: str) -> None: ...

    def delete_session(self, session_id: str) -> None: ...

    def session(self, id_or_prefix: str) -> SessionSummary: ...

    def summaries(self, ids: Sequence[str]) -> list[SessionSummary]:
        """Those of them that there are, in this order."""
        from runner.store.sessions import of_ids

        with self._reader.connection() as connection:
            return of_ids(connection, ids, time.time(), self._remember)

    def keys(self, filter: SessionFilter | None = None, *, limit: int | None = None) -> list[SessionKey]:
        """All sessions that the filter lets through, families with something new first, pinned ones before all, forks
        under what they were forked from. Those in the trash only where the filter asks for them. limit: only the
        beginning of it."""
        from runner.store.listing import keys

        with self._reader.connection() as connection:
            return keys(connection, filter, self._index(), now=time.time(), limit=limit)

    def fork(self, session_id: str, *, run_id: str, turn: int, name: str = "") -> str:
        """Begin a new session with a copy of this one up to the end of a turn; returns its id.

        run_id, turn: the last turn to take, which has to be finished; turn 0 means all that came before that run, and
        run_id "" nothing at all. It may be done while the session runs. The copied runs are marked as inherited
        (RunState.inherited): what they cost stays with the session that paid, and no grant is carried over. Deleting
        either session leaves the other as it is. Raises NotFoundError where there is no such session, run or turn.
        """
        from runner.store.fork import fork

        # What a running program of ours has said already may not be stored yet.
        self.journal.barrier().result()
        return fork(self.journal, self._reader, self.session(session_id), (run_id, turn), name, self._remember)

    def pin(self, session_id: str, on: bool = True) -> None:
        """Keep it above all others in lists. Raises NotFoundError."""
        from runner.store.admin import pin

        self.journal.call(lambda connection: pin(connection, session_id, on))

    def tag(self, session_id: str, *tags: str, run_id: str = "", turn: int = 0) -> None:
        """Give the session tags, or one of its runs, or a turn of that. Raises NotFoundError, ConfigError."""
        from runner.store.annotations import add_tags, tag_of

        kept, now = [tag_of(tag) for tag in tags], time.time_ns() // 1000
        self.journal.call(lambda connection: add_tags(connection, session_id, kept, run_id, turn, now))

    def untag(self, session_id: str, *tags: str, run_id: str = "", turn: int = 0) -> None:
        """Take tags away. Raises NotFoundError where there is no such tag, ConfigError."""
        from runner.store.annotations import remove_tags, tag_of

        kept = [tag_of(tag) for tag in tags]
        self.journal.call(lambda connection: remove_tags(connection, session_id, kept, run_id, turn))

    def set_note(self, session_id: str, text: str, run_id: str = "", turn: int = 0) -> None:
        """In the place of the note before; "" takes it away. Raises NotFoundError, ConfigError."""
        from runner.store.annotations import set_note

        now = time.time_ns() // 1000
        self.journal.call(lambda connection: set_note(connection, session_id, text, run_id, turn, now))

    def annotations(self, session_id: str = "", *, tag: str = "") -> list[Annotation]:
        """Tags and notes: of one session or of all that are not in the trash, all or only one tag."""
        from runner.store.annotations import listed, tag_of

        wanted = tag_of(tag) if tag else ""
        with self._reader.connection() as connection:
            return listed(connection, session_id, wanted)

    def trash(self, session_id: str) -> None:
        """Take it out of every list and search; it can be restored until the trash is emptied.

        Raises NotFoundError, SessionBusyError while a program runs it.
        """
        from runner.store.trash import trash

        self.journal.call(lambda connection: trash(connection, session_id, self._owner, time.time()))

    def restore(self, session_id: str) -> None:
        """Take it out of the trash. Raises NotFoundError where it does not lie there."""
        from runner.store.trash import restore

        self.journal.call(lambda connection: restore(connection, session_id))

    def empty_trash(self, older_than: timedelta = KEPT_IN_TRASH) -> list[str]:
        """Delete for good what was thrown away so long ago; returns the ids."""
        from runner.store.trash import older_than as thrown_away

        with self._reader.connection() as connection:
            gone = thrown_away(connection, time.time() - older_than.total_seconds())
        for session_id in gone:
            with contextlib.suppress(NotFoundError, SessionBusyError):
                # Another program has just deleted it, or still ends what ran in it.
                self.delete_session(session_id)
        return gone
