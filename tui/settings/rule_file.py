"""Adds rules to a configuration file. All else in the file stays as it is, byte for byte. Blocks; use a thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from runner.errors import ConfigError
from runner.policy.canonical import canonical
from tui.settings.check import Entries, entries
from tui.settings.layers import MAX_FILE, Layer, file_bytes, file_layer, layer_of
from tui.settings.load import PROJECT_FILE, default_limit, project_file, trust_file, trusted_folder, user_file
from tui.settings.replacing import locked, replace_file
from tui.settings.rule_text import given, rule_lines
from tui.settings.trust import split
from tui.settings.values import RuleSettings

Place = Literal["user", "project"]

_MODES: Final[Mapping[Place, int]] = {"user": 0o600, "project": 0o644}
_BY_HAND: Final = "tables [[rules]], to which one can be added; or add the rule to the list by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """rules: as they stand in the file now, each with its line as its source."""

    path: Path
    rules: tuple[RuleSettings, ...]


def rule_path(place: Place, cwd: Path, environ: Mapping[str, str]) -> Path:
    """The file that a rule would be added to; it need not exist."""
    user = user_file(environ)
    if place == "user":
        return user
    folder = cwd.resolve()
    return project_file(folder, user) or folder / PROJECT_FILE


def save_rules(
    place: Place, rules: Sequence[RuleSettings], *, cwd: Path, environ: Mapping[str, str], now: datetime
) -> Saved:
    """Append rules to the person's file or the project's.

    A person who adds a rule to a project's file trusts that rule. Where the file holds something else that nobody has
    trusted yet, only denials are added to it. Raises ConfigError, with the file as it was.
    """
    path = rule_path(place, cwd, environ)
    if place == "user":
        return _add(path, rules, place, lambda before, after: False)[1]
    folder = trusted_folder(path)
    if os.path.realpath(path) != str(folder / PROJECT_FILE):
        raise ConfigError("is a link to another place", where=str(path), expected="a file of this project's own")
    trust = trust_file(environ)

    def check(before: Layer, after: Layer) -> bool:
        """Whether the file is to be trusted as it will be."""
        user = file_layer("user", user_file(environ))
        base: Entries = {} if user is None else entries(user)
        waits = split(before, entries(before), base, default_limit)[1]
        will_wait = split(after, entries(after), base, default_limit)[1]
        known = not waits or trust.is_trusted(folder, before.sha256)
        if not known and len(will_wait) > len(waits):
            raise ConfigError(
                f"holds {len(waits)} setting{'' if len(waits) == 1 else 's'} that nobody has trusted yet",
                where=str(path),
                expected="quarterdeck trust first, or a rule of your own file",
            )
        return known and bool(will_wait)

    after, saved, is_trusted = _add(path, rules, place, check)
    if is_trusted:
        trust.trust(folder, after.sha256, now)
    return saved


def _add(
    path: Path, rules: Sequence[RuleSettings], place: Place, check: Callable[[Layer, Layer], bool]
) -> tuple[Layer, Saved, bool]:
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(mode=0o700 if place == "user" else 0o755, parents=True, exist_ok=True)
        with locked(real.parent):
            old = file_bytes(real)
            before = layer_of(place, path, old or b"")
            entries(before)
            new = appended(old or b"", rules)
            after = _parsed(place, path, new, before)
            found: tuple[RuleSettings, ...] = entries(after).get(("rules",), ())
            saved = found[len(found) - len(rules) :]
            _check_same(before, after, saved, rules, str(path))
            answer = check(before, after)
            if file_bytes(real) != old:
                raise ConfigError("is being changed by another program", where=str(path), expected="another attempt")
            replace_file(real, new, _MODES[place])
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
    return after, Saved(path=path, rules=saved), answer


def _parsed(place: Place, path: Path, new: bytes, before: Layer) -> Layer:
    if len(new) > MAX_FILE:
        raise ConfigError("would be too large", where=str(path), expected=f"at most {MAX_FILE} bytes")
    try:
        return layer_of(place, path, new)
    except ConfigError as error:
        if "rules" in before.raw:
            raise ConfigError("its rules are one list", where=before.where(("rules",)), expected=_BY_HAND) from error
        raise


def appended(old: bytes, rules: Sequence[RuleSettings]) -> bytes:
    """The content of a file with rules after all that is in it."""
    end = "\r\n" if b"\r\n" in old else "\n"
    gap = "" if not old or old.endswith(b"\n") else end
    tables = [end.join(rule_lines(rule)) + end for rule in rules]
    text = gap + (end if old else "") + end.join(tables)
    return old + text.encode("utf-8")


def _check_same(
    before: Layer, after: Layer, saved: Sequence[RuleSettings], wanted: Sequence[RuleSettings], where: str
) -> None:
    """That the file says what it said, and the new rules besides; a text that was made wrong is never written."""
    old_rules, new_rules = before.raw.get("rules", []), after.raw.get("rules", [])
    rest = {name: value for name, value in before.raw.items() if name != "rules"}
    same = rest == {name: value for name, value in after.raw.items() if name != "rules"}
    same = same and new_rules[: len(old_rules)] == old_rules and len(new_rules) == len(old_rules) + len(wanted)
    if not same or list(map(_meaning, saved)) != list(map(_meaning, wanted)):
        raise ConfigError("the rule cannot be written so that it means the same", where=where, expected="another rule")


def _meaning(rule: RuleSettings) -> list[object]:
    examples = [[canonical(given(one.arguments)), one.expect, one.tool] for one in rule.examples]
    arguments = None if rule.arguments is None else canonical(given(rule.arguments))
    return [rule.effect, rule.tool, arguments, rule.prefix, rule.below, rule.host, rule.note, rule.expires, examples]
