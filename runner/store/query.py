"""Which sessions are meant: filters typed as text, such as `model:opus cost>1 since:7d -tag:old two words`. Pure.

A filter is a name, a sign and a value. Several values with commas between them: one of them is enough. Several
filters: each of them must fit. A minus before a filter: what does not fit it. Quotes hold blanks and commas together;
what stands in quotes without a name is words, whatever is in it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias, cast

TextField = Literal["model", "agent", "tool", "ended", "tag", "file", "project", "id", "is"]
NumberField = Literal["cost", "turns", "tokens", "calls"]
Sign = Literal[">", ">=", "<", "<=", "="]

LONGEST: Final = 1000
"""Characters of a filter that are read."""

STATES: Final = ("pinned", "imported", "fork", "live", "tagged", "noted", "deleted")
"""What can be asked for with `is:`."""

ENDS: Final = (
    *("complete", "completed", "cancelled", "stopped", "aborted", "failed", "error", "interrupted", "refused"),
    *("max_turns_exceeded", "budget_exceeded", "token_limit_exceeded", "time_exceeded", "request_limit_exceeded"),
    *("tool_call_limit_exceeded", "guardrail_tripped", "approval_terminated", "context_overflow", "output_invalid"),
    *("running", "queued", "waiting_approval", "paused", "stopping"),
)
"""How a session can have ended or can stand: `ended:` takes any part of one of them."""

FIELDS: Final[Mapping[str, str]] = {
    "model": "a part of a model's name: model:opus",
    "agent": "a part of an agent's name: agent:reviewer",
    "tool": "a tool that was called: tool:shell",
    "file": "a part of the path of a file that was read or changed: file:main.py",
    "ended": "how it ended: ended:failed, ended:interrupted",
    "tag": "a tag: tag:release",
    "project": "a part of the folder it worked in: project:site",
    "cost": "in US dollars: cost>1, cost<0.5 (an unknown cost never fits)",
    "tokens": "input and output together: tokens>10k, tokens<1.5M",
    "turns": "answers of the model: turns>3",
    "calls": "tool calls: calls>20",
    "since": "active since: since:7d, since:2h, since:2026-01-31",
    "until": "last active until: until:2026-01-31, until:4w",
    "is": f"one of {', '.join(STATES)}: is:pinned",
    "id": "the beginning of a session's id",
}
"""The filters, and for people what each takes."""

_ALIASES: Final[Mapping[str, str]] = {
    "models": "model",
    "agents": "agent",
    "tools": "tool",
    "files": "file",
    "path": "file",
    "tags": "tag",
    "status": "ended",
    "reason": "ended",
    "folder": "project",
    "dir": "project",
    "cwd": "project",
    "workspace": "project",
    "after": "since",
    "before": "until",
    "session": "id",
    "turn": "turns",
    "call": "calls",
    "token": "tokens",
}
_END_WORDS: Final[Mapping[str, str]] = {
    "ok": "complete",
    "done": "complete",
    "crashed": "interrupted",
    "limit": "exceeded",
    "live": "running",
    "open": "running",
}
_NUMBERS: Final = frozenset({"cost", "turns", "tokens", "calls"})
_DATES: Final = frozenset({"since", "until"})
_SIZES: Final[Mapping[str, int]] = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_MOST: Final[Mapping[str, Decimal]] = {"cost": Decimal(10**6)}
_MOST_ELSE: Final = Decimal(10**15)

_TOKEN: Final = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_FILTER: Final = re.compile(r"(-?)([A-Za-z_]{2,20})(:|>=|<=|>|<|=)(.*)", re.DOTALL)
_COMPARED: Final = re.compile(r"(>=|<=|>|<|=)?(.*)", re.DOTALL)
_VALUE: Final = re.compile(r'"([^"]*)"?|([^",]+)|(,)')
_NUMBER: Final = re.compile(r"\$?(\d{1,15}(?:\.\d{0,12})?|\.\d{1,12})([kmgb]?)", re.IGNORECASE | re.ASCII)
_AGE: Final = re.compile(r"(\d{1,6})([hdw])", re.ASCII)
_TYPING: Final = re.compile(r'(-?)([A-Za-z_]*)$|(-?)([A-Za-z_]+):([^\s"]*)$')


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One of the values must fit, or none of them where excluded. The values are as they were typed."""

    field: TextField
    values: tuple[str, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A number and how it is compared; what is not known fits neither this nor its contrary."""

    field: NumberField
    sign: Sign
    value: Decimal
    excluded: bool = False


Condition: TypeAlias = Term | Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the text: characters [start, end)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """words: for the name, the first messages, the folder and the full text; a blank at its end says that its last
    word is typed to the end. since, until: when it was last active, from and up to before. deleted: what is in the
    trash, in the place of what is not.

    problems: what could not be understood, in words; such a filter filters nothing. places: where each of them stands.
    """

    words: str = ""
    conditions: tuple[Condition, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    deleted: bool = False
    problems: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether it leaves nothing out but the trash."""
        return not (self.words.strip() or self.conditions or self.since or self.until or self.deleted)

    @property
    def reads_index(self) -> bool:
        """Whether the search index is needed to answer it."""
        fields = {condition.field for condition in self.conditions}
        return bool(self.words.strip() or fields & {"tool", "file"})

    @property
    def text(self) -> str:
        """The filter as it could have been typed: parse reads it back to the same one, but for the problems."""
        parts = [_typed(condition) for condition in self.conditions]
        if self.deleted:
            parts.append("is:deleted")
        if self.since is not None:
            parts.append(f"since:{self.since.astimezone(UTC).isoformat()}")
        if self.until is not None:
            parts.append(f"until:{self.until.astimezone(UTC).isoformat()}")
        if self.words:
            parts.append(self.words)
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What could stand in the place of characters [start, end): each with what it is for."""

    start: int
    end: int
    options: tuple[tuple[str, str], ...]


def parse(text: str, now: datetime) -> SessionFilter:
    """Read what was typed; what cannot be understood is among the problems, and everything else counts.

    now: days are those of the local calendar at this moment.
    """
    text = text[:LONGEST]
    reading = _Reading(now)
    for found in _TOKEN.finditer(text):
        reading.take(found.group(), found.start(), followed=found.end() < len(text))
    return reading.done()


def completions(text: str, cursor: int) -> Completion | None:
    """The names of filters, and the values that are known beforehand, that fit what stands before the cursor."""
    before = text[:cursor]
    if before.count('"') % 2:
        return None
    start = max(before.rfind(blank) for blank in (" ", "\t", "\n")) + 1
    found = _TYPING.match(before[start:])
    if found is None:
        return None
    if found.group(2) is not None:
        begun = found.group(2).casefold()
        start += len(found.group(1))
        options = [(f"{name}{'>' if name in _NUMBERS else ':'}", FIELDS[name]) for name in FIELDS]
    else:
        begun = found.group(5).rpartition(",")[2].casefold()
        start = cursor - len(begun)
        name = _ALIASES.get(found.group(4).casefold(), found.group(4).casefold())
        known = {"is": STATES, "ended": ENDS, "since": ("today", "24h", "7d", "4w"), "until": ("today", "7d", "4w")}
        options = [(value, "") for value in known.get(name, ())]
    fitting = tuple(option for option in options if option[0].startswith(begun) and option[0] != begun)
    return Completion(start=start, end=cursor, options=fitting) if fitting else None


class _Reading:
    """What was read so far."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._words: list[str] = []
        self._conditions: list[Condition] = []
        self._since: datetime | None = None
        self._until: datetime | None = None
        self._deleted = False
        self._problems: list[str] = []
        self._places: list[Place] = []
        self._followed = False

    def take(self, token: str, start: int, *, followed: bool) -> None:
        found = _FILTER.fullmatch(token)
        name = "" if found is None else _field(found.group(2), found.group(3), found.group(4))
        if found is None or not name:
            self._words.append(token)
            self._followed = followed
            return
        try:
            if name not in FIELDS:
                raise ValueError(_unknown(name))
            self._read(name, found.group(3), found.group(4), excluded=bool(found.group(1)))
        except ValueError as error:
            self._problems.append(f"{error} (at character {start + 1})")
            self._places.append(Place(start=start, end=start + len(token)))

    def done(self) -> SessionFilter:
        words = " ".join(self._words)
        return SessionFilter(
            words=f"{words} " if words and self._followed else words,
            conditions=tuple(self._conditions),
            since=self._since,
            until=self._until,
            deleted=self._deleted,
            problems=tuple(self._problems),
            places=tuple(self._places),
        )

    def _read(self, name: str, sign: str, value: str, *, excluded: bool) -> None:
        if name in _NUMBERS:
            found = _COMPARED.fullmatch(value)
            if sign == ":" and found is not None:
                sign, value = found.group(1) or "=", found.group(2)
            limit = Limit(
                field=cast("NumberField", name),
                sign=cast("Sign", sign),
                value=_number(name, value.strip('"')),
                excluded=excluded,
            )
            self._conditions.append(limit)
        elif sign not in (":", "="):
            raise ValueError(f"{name} is not a number; write {name}: and what you look for")
        elif name in _DATES:
            self._date(name, value.strip('"'), excluded=excluded)
        else:
            self._text(cast("TextField", name), _values(value), excluded=excluded)

    def _text(self, field: TextField, values: tuple[str, ...], *, excluded: bool) -> None:
        if not values:
            raise ValueError(f"{field} needs a value: {FIELDS[field]}")
        if field == "is":
            values = tuple(_one_of(value, STATES, "is") for value in values)
            if "deleted" in values:
                if len(values) > 1:
                    raise ValueError("is:deleted stands alone: what is in the trash is in no other list")
                self._deleted = not excluded
                return
        if field == "ended":
            values = tuple(_end(value) for value in values)
        self._conditions.append(Term(field=field, values=values, excluded=excluded))

    def _date(self, name: str, value: str, *, excluded: bool) -> None:
        # What is not since a moment was before it; the day that `until` names is part of it.
        is_since = (name == "since") is not excluded
        moment = _moment(name, value, self._now, end_of_day=name == "until")
        if is_since:
            self._since = moment if self._since is None else max(self._since, moment)
        else:
            self._until = moment if self._until is None else min(self._until, moment)


def _field(name: str, sign: str, value: str) -> str:
    """The field that is meant, an unknown name itself, or "" for what is no filter: `12:30`, `a::b`, `http://`."""
    known = name.casefold()
    known = _ALIASES.get(known, known)
    if known in FIELDS:
        return known
    if sign != ":":
        return known if sign != "=" and _near(known) else ""
    # A name of a program's own (TypeError:), or a path or an address, is text like any other.
    return known if name.islower() and value and value[0] not in ":/\\" else ""


def _near(name: str) -> list[str]:
    names = [*FIELDS, *_ALIASES]
    return list(dict.fromkeys(_ALIASES.get(each, each) for each in difflib.get_close_matches(name, names, 1, 0.6)))


def _unknown(name: str) -> str:
    near = _near(name)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"there is no filter {name}{meant or '; in quotes it is searched for as it stands'}"


def _values(text: str) -> tuple[str, ...]:
    """The values between commas, without their quotes; empty ones are left out."""
    values = [""]
    for quoted, plain, comma in _VALUE.findall(text):
        if comma:
            values.append("")
        else:
            values[-1] += quoted or plain
    return tuple(dict.fromkeys(value for value in values if value.strip()))


def _one_of(value: str, known: tuple[str, ...], field: str) -> str:
    name = value.casefold()
    singular = {"forks": "fork", "forked": "fork", "running": "live", "trashed": "deleted"}
    name = singular.get(name, name)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1, 0.6)
    meant = f"; did you mean {near[0]}?" if near else f"; for example {', '.join(known[:7])}"
    raise ValueError(f"{field} cannot be {_shown(value)}{meant}")


def _end(value: str) -> str:
    name = value.casefold().replace(" ", "_").replace("-", "_")
    name = _END_WORDS.get(name, name)
    if any(name in end for end in ENDS):
        return name
    return _one_of(value, ENDS, "ended")


def _number(name: str, text: str) -> Decimal:
    found = _NUMBER.fullmatch(text)
    if found is None:
        given = f", not {_shown(text)}" if text else ""
        example = "1 or 0.5" if name == "cost" else "20 or 10k"
        raise ValueError(f"{name} needs a number{given}, such as {example}")
    value = Decimal(found.group(1)) * _SIZES[found.group(2).casefold()]
    return min(value, _MOST.get(name, _MOST_ELSE))


def _moment(name: str, text: str, now: datetime, *, end_of_day: bool) -> datetime:
    """The beginning of a day, or for until: the one of the day after it; hours are counted from now."""
    try:
        midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        day = timedelta(days=1)
        named = {"today": midnight, "yesterday": midnight - day}.get(text.casefold())
        age = _AGE.fullmatch(text.casefold())
        if age is not None and age.group(2) == "h":
            return now.astimezone(UTC) - timedelta(hours=int(age.group(1)))
        if age is not None:
            # Counted on the calendar (a day may have 23 or 25 hours), today being the first of the days.
            days = int(age.group(1)) * (7 if age.group(2) == "w" else 1)
            return (midnight - day * (days - 1)).astimezone(UTC)
        moment = datetime.fromisoformat(text) if named is None else named
        if end_of_day and (named is not None or len(text) <= len("2026-01-31")):
            moment += day
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        given = f", not {_shown(text)}" if text else ""
        raise ValueError(f"{name} needs a day or an age{given}: 2026-01-31, today, 7d, 2h, 4w") from error


def _shown(text: str) -> str:
    short = text if len(text) <= 30 else f"{text[:29]}…"
    return f"'{short}'"


def _typed(condition: Condition) -> str:
    minus = "-" if condition.excluded else ""
    if isinstance(condition, Limit):
        return f"{minus}{condition.field}{condition.sign}{condition.value:f}"
    values = (f'"{value}"' if re.search(r"[\s,]", value) else value for value in condition.values)
    return f"{minus}{condition.field}:{','.join(values)}"
