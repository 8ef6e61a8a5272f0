"""Everything that allows or denies calls beyond the one that is asked about: grants, and the rules of the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tui.grant_words import LEVELS, covers, grant_covers, left_words, rule_covers
from tui.settings import load_settings
from tui.settings.build import policy_rules

if TYPE_CHECKING:
    from runner.policy import GrantFile
    from runner.policy.live import LiveGrant
    from runner.store import Store

Place = Literal["session", "file", "rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """group: the heading that it stands under. which: what of the tool it covers. left: how far it still goes.

    place, key, session_id: how it is taken back; a rule has no key and is not. used, last: calls allowed so far, None =
    not counted. source: the file, for a rule with its line. find: what finds its decisions in the ledger. scope: of
    a grant.
    """

    group: str
    place: Place
    effect: str
    tool: str
    which: str
    left: str = ""
    used: int | None = None
    last: datetime | None = None
    made: datetime | None = None
    key: str = ""
    session_id: str = ""
    source: str = ""
    note: str = ""
    find: str = ""
    scope: str = ""

    @property
    def words(self) -> str:
        return covers(self.tool, self.which)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """problem: what could not be read; the rest is there all the same."""

    entries: tuple[Entry, ...] = ()
    problem: str = ""

    @property
    def grants(self) -> tuple[Entry, ...]:
        """Those that can be taken back."""
        return tuple(entry for entry in self.entries if entry.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is asked about. sessions: the one shown first, then others with a live run. spent: what runs have cost."""

    cwd: Path
    environ: Mapping[str, str]
    sessions: Sequence[str] = ()
    spent: Mapping[str, Decimal | None] = field(default_factory=dict[str, Decimal | None])


def gather(store: Store | None, file: GrantFile, where: Where, now: datetime) -> Standing:
    """All that counts now. Blocks. store: None where there is none."""
    from runner.errors import QuarterdeckError

    problems: list[str] = []

    def tried(look: Callable[[], Sequence[Entry]]) -> Sequence[Entry]:
        try:
            return look()
        except QuarterdeckError as error:
            problems.append(str(error))
            return ()

    entries: list[Entry] = []
    if store is not None:
        for place, session_id in enumerate(where.sessions):
            entries += tried(lambda s=session_id, other=place > 0: _of_session(store, s, other, where, now))
    lasting = tried(lambda: [_granted(grant, _lasting_group(grant), where, now) for grant in file.entries(where.cwd)])
    entries += sorted(lasting, key=lambda entry: entry.group != "this project")
    entries += tried(lambda: _rules(where, now))
    if store is not None:
        entries = list(tried(lambda: _counted(store, entries)) or entries)
    return Standing(entries=tuple(entries), problem="; ".join(problems))


def _counted(store: Store, entries: Sequence[Entry]) -> list[Entry]:
    """With what the lasting grants have allowed, in whatever session."""
    uses = store.grant_uses([entry.key for entry in entries if entry.place == "file"])
    found: list[Entry] = []
    for entry in entries:
        use = uses.get(entry.key)
        if entry.place == "file":
            found.append(replace(entry, used=0 if use is None else use.calls, last=None if use is None else use.last))
        else:
            found.append(entry)
    return found


def _of_session(store: Store, session_id: str, other: bool, where: Where, now: datetime) -> list[Entry]:
    found: list[Entry] = []
    for grant in store.live_grants(session_id, now):
        group = "this run" if grant.grant.scope == "run" else "this session"
        if other:
            group = "another session that runs"
        found.append(replace(_granted(grant, group, where, now), session_id=session_id))
    return sorted(found, key=lambda entry: entry.group != "this run")


def _lasting_group(grant: LiveGrant) -> str:
    return "this project" if grant.grant.scope == "project" else "every project"


def _granted(live: LiveGrant, group: str, where: Where, now: datetime) -> Entry:
    grant = live.grant
    session = grant.scope in ("run", "session")
    return Entry(
        group=group,
        place="session" if session else "file",
        effect=grant.effect,
        tool=grant.tool,
        which=grant_covers(grant, where.cwd),
        left=left_words(grant.bound, now, used=live.calls_allowed, spent=where.spent.get(live.run_id)),
        used=live.calls_allowed if session else None,
        last=live.last_used,
        made=live.made,
        key=live.key,
        source=live.source,
        find=f"grant:{live.key}",
        scope=grant.scope,
    )


def _rules(where: Where, now: datetime) -> list[Entry]:
    settings = load_settings(where.cwd, where.environ)
    entries: list[Entry] = []
    for rule, written in zip(policy_rules(settings.rules, where.cwd), settings.rules, strict=True):
        left = ""
        if rule.expires is not None:
            left = "over" if rule.expires <= now else f"until {rule.expires.astimezone():%Y-%m-%d}"
        entries.append(
            Entry(
                group=LEVELS.get(written.level, written.level),
                place="rules",
                effect=rule.effect,
                tool=rule.tool,
                which=rule_covers(rule, where.cwd),
                left=left,
                source=rule.source,
                note=rule.note,
                find=f"by:rule ({rule.source})",
            )
        )
    for item in settings.withheld:
        if item.key == "rules":
            effect, _, rest = item.text.removeprefix("adds the rule: ").partition(" ")
            entries.append(
                Entry(
                    group=LEVELS["project"],
                    place="rules",
                    effect=effect,
                    tool=rest,
                    which="not yet",
                    left="ignored until trusted",
                    source=item.where,
                )
            )
    return entries
