"""The store: one SQLite file for all sessions, opened by any number of programs at once."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import NotFoundError, StoreError
from runner.events import Event
from runner.messages import Message
from runner.state import RunState
from runner.state.compacted import effective_history
from runner.store import leases
from runner.store.base import ExportFormat, Problem, RecoveredRun, SessionSummary
from runner.store.history import valid_history
from runner.store.kept import Kept
from runner.store.leases import Lease
from runner.store.over_all import OverAll
from runner.store.paths import database_path, prepare
from runner.store.process import Owner, this_process
from runner.store.telling import Telling

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from runner.clock import Clock
    from runner.policy.base import Grant
    from runner.policy.live import LiveGrant
    from runner.policy.uses import Uses
    from runner.store.imports import Imported
    from runner.store.read import OnProblem, Reader
    from runner.store.recover import OpenRun
    from runner.store.search import SearchIndex
    from runner.store.writer import SqliteJournal

RECOVERY_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL for what a dead program's tools left running."""

LEASE_GRACE = 0.5
"""The same where somebody waits to run a session."""


class Store(Telling, Kept, OverAll):
    """Sessions on disk. Every method may be called from any thread and blocks for the disk; the journal does not.

    journal: stores and publishes events (runner.hub.Journal). path: the database file.
    """

    def __init__(self, *, path: Path, journal: SqliteJournal, reader: Reader, owner: Owner) -> None:
        self.path = path
        self.journal = journal
        self._reader = reader
        self._owner = owner
        self._problems: dict[tuple[str, str, int], Problem] = {}

    @classmethod
    def open(cls, path: Path | None = None) -> Store:
        """Open or create the store; path is the database file or an existing folder, None the user's data folder.

        Raises StoreError, for a file of a newer version or of another program too.
        """
        from runner.store.read import Reader
        from runner.store.schema import open_database
        from runner.store.write import EventWriter
        from runner.store.writer import SqliteJournal

        file = database_path(path).absolute()
        prepare(file)
        owner = this_process(uuid.uuid4().hex)
        connection = open_database(file)
        journal = SqliteJournal(connection, EventWriter(connection, owner))
        return cls(path=file, journal=journal, reader=Reader(file), owner=owner)

    def warm(self) -> None:
        """Load in the background what the first event needs, so that it need not wait. Returns at once."""
        self.journal.warm()

    def close(self) -> None:
        """Store all that waits, give up every lease, let go of the file. Raises StoreError where facts are lost."""
        try:
            self.journal.close()
        finally:
            if "search" in self.__dict__:
                self.search.close()
            self._reader.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def sessions(
        self, limit: int | None = 100, offset: int = 0, query: str = "", *, deleted: bool = False
    ) -> list[SessionSummary]:
        """The newest first. query: words that all occur in the name, the first messages, the folder or the agent.
        deleted: those in the trash in the place of all others."""
        from runner.store.sessions import listed

        with self._reader.connection() as connection:
            return listed(
                connection,
                limit=limit,
                offset=offset,
                query=query,
                deleted=deleted,
                now=time.time(),
                on_problem=self._remember,
            )

    def session(self, id_or_prefix: str) -> SessionSummary:
        """Raises NotFoundError where no session, or more than one, has an id that starts so."""
        from runner.store.sessions import found

        with self._reader.connection() as connection:
            return found(connection, id_or_prefix, time.time(), self._remember)

    def events(
        self, session_id: str, run_id: str | None = None, from_seq: int = 0, on_problem: OnProblem | None = None
    ) -> Iterator[Event]:
        """The stored events, run after run; of a run without an end also the deltas, at their places.

        A damaged row is passed over and told to on_problem and in `problems`; an unknown kind is an UnknownEvent.
        Raises NotFoundError where the session, or the run in it, does not exist.
        """
        runs = self._reader.run_ids(session_id, run_id)
        return (event for run in runs for event in self._events_of(session_id, run, from_seq, on_problem))

    def facts(self, session_id: str, kinds: Sequence[str]) -> list[Event]:
        """The stored facts of these kinds, run after run; damaged ones are passed over. Empty for no such session."""
        from runner.store.facts import facts

        return facts(self._reader, session_id, kinds, self._decode)

    def run_ids(self, session_id: str) -> list[str]:
        """Its runs, oldest first. Raises NotFoundError."""
        return self._reader.run_ids(session_id)

    def runs(self, session_id: str) -> list[RunState]:
        """Its runs as they ended, or as they stand, oldest first. Raises NotFoundError."""
        ids = self._reader.run_ids(session_id)
        self._miss_last_run(session_id, ids)
        return [self._fold(session_id, run_id) for run_id in ids]

    def history(self, session_id: str) -> tuple[Message, ...]:
        """The messages that the next run of the session continues from, valid for every provider, summaries in the
        place of what was compacted.

        Runs of sub-agents have a history of their own; a run that is going on now is not history yet. Empty where
        there is no such session.
        """
        from runner.store.recover import open_runs

        rows = self._reader.all(
            "SELECT run_id FROM runs WHERE session_id = ? AND parent_run_id IS NULL ORDER BY n", (session_id,)
        )
        # Looked at after the rows: a run that begins between the two reads is in neither.
        with self._reader.connection() as connection:
            going_on = {run.run_id for run in open_runs(connection, time.time()) if run.alive}
        messages: list[Message] = []
        for (run_id,) in rows:
            if run_id not in going_on:
                messages = valid_history(effective_history(messages, self._fold(session_id, run_id)))
        return tuple(messages)

    def grants(self, session_id: str) -> list[Grant]:
        """What a person allowed or denied for this whole session and did not take back, in order. Empty where there is
        no such session."""
        return self.grants_with_uses(session_id)[0]

    def grants_with_uses(self, session_id: str) -> tuple[list[Grant], Uses]:
        """The same, and how often each was used; one that is used up is among them and counts no more."""
        from runner.store.standing import standing

        found = standing(self._reader, session_id, self._decode)
        return found.grants(), found.uses

    def live_grants(self, session_id: str, now: datetime) -> list[LiveGrant]:
        """What counts in the session now: for all of it, and for its runs that have not ended."""
        from runner.store.standing import costs_of, standing

        found = standing(self._reader, session_id, self._decode)
        return list(found.live(now, costs_of(self._reader, session_id)))

    def revoke_grants(self, session_id: str, key: str = "") -> None:
        """Take back a grant of a session that nobody runs by its key; "" takes back all of them.

        Raises NotFoundError, and SessionBusyError while a program runs it: then the run is to be asked.
        """
        from runner.store.standing import revoke

        self.journal.call(lambda connection: revoke(connection, session_id, key, self._owner, time.time()))

    def export(self, session_id: str, format: ExportFormat, redact: bool = True) -> Iterator[str]:
        """The session in pieces of text. redact masks secrets. Raises NotFoundError."""
        from runner.store.export import jsonl, markdown
        from runner.store.redact import Redactor

        summary = self.session(session_id)
        redactor = Redactor(os.environ) if redact else None
        if format == "jsonl":
            from runner.store.own import described

            about = described(summary, self.annotations(summary.session_id))
            return jsonl(chain(about, self._lines(summary.session_id)), redactor)
        if redactor is not None:
            summary = redactor.summary(summary)
        change = None if redactor is None else redactor.row
        runs = (self._fold(summary.session_id, run, change) for run in self._reader.run_ids(summary.session_id))
        if format == "html":
            from runner.store.export_html import html

            return html(summary, runs, redactor)
        return markdown(summary, runs, redactor)

    def rename_session(self, session_id: str, name: str) -> None:
        """Give it a name; an empty one takes the name away. Raises NotFoundError."""
        from runner.store.admin import rename

        self.journal.call(lambda connection: rename(connection, session_id, name))

    def delete_session(self, session_id: str) -> None:
        """Remove it and all that belongs to it. Raises NotFoundError, SessionBusyError while a program runs it."""
        from runner.store.admin import delete

        self.journal.call(lambda connection: delete(connection, session_id, self._owner, time.time()))
        self.journal.shrink()
        self._unsearch(session_id)

    def bring_in(self, source: str, runs: Sequence[Sequence[Event]]) -> Imported:
        """Take in the runs of one session of another program (runner.importing), all or none. The same ones twice are
        taken once. Raises ConfigError where there are none, SessionBusyError while a program runs the session."""
        from runner.store.imports import bring_in

        done = self.journal.call(lambda connection: bring_in(connection, source, runs, self._owner, time.time()))
        if done.changed:
            self._unsearch(done.session_id)
        return done

    @cached_property
    def search(self) -> SearchIndex:
        """Full text of what is stored; it knows nothing newer than its last catch_up."""
        from runner.store.search import SearchIndex

        return SearchIndex(self.path.with_name("search.db"), self._reader)

    def _index(self) -> SearchIndex:
        return self.search

    def _unsearch(self, session_id: str) -> None:
        try:
            self.search.forget(session_id)
        except StoreError as error:
            # What is gone from the store leaves the index with its next catch_up at the latest.
            self._remember(Problem(session_id="", run_id="", seq=0, message=str(error)))

    def put_artifact(self, run_id: str, call_id: str, text: str) -> str:
        """Keep a tool's whole output; returns its id. It is stored before any event submitted later."""
        from runner.store.admin import insert_artifact

        artifact_id = f"artifact_{uuid.uuid4().hex}"
        self.journal.later(lambda connection: insert_artifact(connection, artifact_id, run_id, call_id, text))
        return artifact_id

    def artifact(self, artifact_id: str) -> str:
        """Raises NotFoundError."""
        sql = "SELECT content FROM artifacts WHERE artifact_id = ?"
        rows = self._reader.all(sql, (artifact_id,))
        if not rows:
            # It may have been put a moment ago.
            self.journal.barrier().result()
            rows = self._reader.all(sql, (artifact_id,))
        if not rows:
            raise NotFoundError(f"no artifact has the id {artifact_id!r}")
        return bytes(rows[0][0]).decode("utf-8", "surrogatepass")

    def lease(self, session_id: str) -> Lease:
        """The right to run the session, taken over from a dead program, whose runs in it are closed first.

        Raises SessionBusyError while a living program holds it, StoreError while it lies in the trash.
        """
        owner, journal = self._owner, self.journal

        def take(connection: sqlite3.Connection) -> list[OpenRun]:
            now = time.time()
            refuse_trashed(connection, session_id)
            leases.take(connection, session_id, owner, now)
            journal.register(connection)
            return recover.claim(connection, owner, now, session_id)

        def give_back() -> None:
            if not journal.closed:
                journal.later(lambda connection: leases.release(connection, session_id, owner))

        from runner.clock import SystemClock
        from runner.store import recover
        from runner.store.trash import refuse_trashed

        claimed = journal.call(take)
        try:
            recover.recover(journal, claimed, owner, SystemClock().now, LEASE_GRACE)
        except BaseException:
            give_back()
            raise
        return Lease(session_id, give_back)

    def recover(self, clock: Clock, grace: float = RECOVERY_GRACE) -> list[RecoveredRun]:
        """Close the runs that the death of their programs left open. Runs of living programs are left alone.

        What their tools had left running is ended first: SIGTERM, grace seconds, SIGKILL. What has been in the trash
        for long is deleted.
        """
        from runner.store import recover
        from runner.store.heal import heal, lost_sessions

        wall, owner, journal = time.time(), self._owner, self.journal

        def take(connection: sqlite3.Connection) -> list[OpenRun]:
            claimed = recover.claim(connection, owner, wall, None)
            if claimed:
                journal.register(connection)
            return claimed

        recovered = recover.recover(journal, journal.call(take), owner, clock.now, grace)
        journal.call(lambda db: recover.forget_the_dead(db, wall))
        with self._reader.connection() as connection:
            lost = lost_sessions(connection)
        for session_id in journal.call(heal) if lost else ():
            what = "its entry in the list was lost and was made anew from its events; a name or a pin it had is gone"
            self._remember(Problem(session_id=session_id, run_id="", seq=0, message=what))
        self.empty_trash()
        return recovered
