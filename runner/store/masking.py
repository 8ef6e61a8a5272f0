"""What an export masks in a session: how much, of what kind, and where; never the secrets themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from runner.events.codec import dump_json
from runner.store.redact import Redactor, Secret

if TYPE_CHECKING:
    from runner.events import Event
    from runner.store import Store

AROUND: Final = 32
"""Characters of what stands before and after a secret."""

MOST_PLACES: Final = 50
"""Places kept of one secret; all of them are counted."""

_WHOLLY_HIDDEN: Final = frozenset({"private key", "password", "authorization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """run: its number in the session, from 1; 0 for the session's own name, tags and notes. kind: of the event. field:
    the way to the text in it, such as "arguments.command"."""

    run: int
    run_id: str
    seq: int
    turn: int
    kind: str
    tool: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """One secret. label: what it is, or the name of the variable that holds it. first, last: what may be shown of it.

    times: how often it occurs. places: the first ones.
    """

    label: str
    length: int
    first: str
    last: str
    times: int
    places: tuple[Place, ...]


@dataclass(slots=True)
class _Found:
    label: str
    text: str
    times: int = 0
    places: list[Place] = field(default_factory=list[Place])


class Preview:
    """Gathers secrets; each one once, however often it occurs."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._found: dict[str, _Found] = {}

    def take(self, event: Event, run: int) -> None:
        """An event of the run with this number."""
        data: dict[str, Any] = json.loads(dump_json(event))
        where = {
            "run": run,
            "run_id": event.run_id,
            "seq": event.seq,
            "turn": event.turn,
            "kind": event.kind,
            "tool": self._redactor.text(str(data.get("tool", ""))),
        }
        for name, text in _texts(data, ""):
            self._look(name, text, where)

    def take_text(self, name: str, text: str) -> None:
        """Something that a person wrote about the session."""
        self._look(name, text, {"run": 0, "run_id": "", "seq": 0, "turn": 0, "kind": "session", "tool": ""})

    def masked(self) -> list[Masked]:
        """The most frequent ones first."""
        found = sorted(self._found.values(), key=lambda each: -each.times)
        return [_shown(each) for each in found]

    def _look(self, name: str, text: str, where: Mapping[str, Any]) -> None:
        for secret in self._redactor.secrets(text):
            known = self._found.setdefault(
                text[secret.start : secret.end], _Found(secret.label, text[secret.start : secret.end])
            )
            known.times += 1
            if len(known.places) < MOST_PLACES:
                known.places.append(self._place(name, text, secret, where))

    def _place(self, name: str, text: str, secret: Secret, where: Mapping[str, Any]) -> Place:
        # Another secret may stand beside this one.
        before = self._redactor.text(text[: secret.start])[-AROUND:]
        after = self._redactor.text(text[secret.end :])[:AROUND]
        return Place(field=self._redactor.text(name), before=before, after=after, **where)


def preview(store: Store, session_id: str, environ: Mapping[str, str]) -> list[Masked]:
    """What an export of the session masks. Blocks for the disk; raises NotFoundError."""
    summary = store.session(session_id)
    found = Preview(Redactor(environ))
    found.take_text("name", summary.name)
    found.take_text("folder", summary.workspace)
    for each in store.annotations(summary.session_id):
        found.take_text(each.kind, each.text)
    numbers: dict[str, int] = {}
    for event in store.events(summary.session_id):
        if not event.is_delta:
            found.take(event, numbers.setdefault(event.run_id, len(numbers) + 1))
    return found.masked()


def _texts(value: object, path: str) -> Iterable[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case list():
            for item in cast("list[object]", value):
                yield from _texts(item, path)
        case dict():
            for name, item in cast("dict[str, object]", value).items():
                where = f"{path}.{name}" if path else name
                yield f"{path} (a name)" if path else name, name
                yield from _texts(item, where)
        case _:
            return


def _shown(found: _Found) -> Masked:
    length = len(found.text)
    ends = 0 if found.label in _WHOLLY_HIDDEN else 4 if length >= 24 else 2 if length >= 16 else 0
    return Masked(
        label=found.label,
        length=length,
        first=found.text[:ends],
        last=found.text[length - ends :] if ends else "",
        times=found.times,
        places=tuple(found.places),
    )
