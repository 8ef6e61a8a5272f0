"""Sets one key of the person's file or the project's, or takes it out. All else stays, byte for byte. Use a thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from runner.errors import ConfigError
from tui.changing.edit_text import edited
from tui.changing.every import KeyPath
from tui.keymap import keymap
from tui.settings.check import Entries, entries
from tui.settings.layers import MAX_FILE, SANDBOX, Layer, dotted, file_bytes, file_layer, layer_of
from tui.settings.load import (
    PROJECT_FILE,
    default_limit,
    load_settings,
    project_file,
    trust_file,
    trusted_folder,
    user_file,
)
from tui.settings.replacing import locked, replace_file
from tui.settings.rule_file import Place, rule_path
from tui.settings.trust import split
from tui.settings.values import Settings, Source

_MODES: Final[Mapping[Place, int]] = {"user": 0o600, "project": 0o644}

Overrides = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key to be written. literal: its value as TOML, None = without the key, so that its default counts again."""

    place: Place
    path: KeyPath
    literal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """settings: as a start with the same options would have them now. source: where the key stands in the file."""

    path: Path
    settings: Settings
    source: Source | None
    changed: bool


def flags_of(settings: Settings) -> dict[str, object]:
    """The options that a start was given, so that it can be loaded again with them."""
    from tui.changing.every import path_of, value_of

    given = [key for key, source in settings.sources.items() if source.kind == "flag"]
    return {key: settings.default_model if key == "model" else value_of(settings, path_of(key)) for key in given}


def standing(place: Place, *, cwd: Path, environ: Mapping[str, str]) -> Layer | None:
    """What a file holds as it is, trusted or not; None where there is none. Raises ConfigError."""
    return file_layer(place, rule_path(place, cwd, environ))


def given_in(layer: Layer | None, path: KeyPath) -> bool:
    """Whether a file sets the key."""
    value: object = {} if layer is None else layer.raw
    for part in _own_path(value, path):
        if not isinstance(value, dict) or part not in value:
            return False
        value = cast("dict[str, object]", value)[part]
    return True


def _own_path(raw: object, path: KeyPath) -> KeyPath:
    """`sandbox = "auto"` is short for its mode."""
    short = isinstance(raw, dict) and isinstance(cast("dict[str, object]", raw).get(SANDBOX), str)
    return (SANDBOX,) if path == (SANDBOX, "mode") and short else path


def problem_of(change: Change, *, cwd: Path, environ: Mapping[str, str], overrides: Overrides) -> str:
    """What is wrong with a change, in the words that a start with it would say; "" where nothing is."""
    try:
        path = rule_path(change.place, cwd, environ)
        old = file_bytes(path) or b""
        _planned(change, path, old, cwd, environ, overrides)
    except ConfigError as error:
        return str(error)
    return ""


def _planned(
    change: Change, path: Path, old: bytes, cwd: Path, environ: Mapping[str, str], overrides: Overrides
) -> tuple[Layer, Layer, bytes]:
    """The file before and after. Raises ConfigError where the program could not start with it."""
    before = layer_of(change.place, path, old)
    try:
        new = edited(old, _own_path(before.raw, change.path), change.literal)
    except ConfigError as error:
        raise ConfigError(str(error), where=before.where(change.path)) from error
    if len(new) > MAX_FILE:
        raise ConfigError("would be too large", where=str(path), expected=f"at most {MAX_FILE} bytes")
    after = layer_of(change.place, path, new)
    entries(after)
    # An untrusted file is looked at as if it were trusted, so that trusting it later cannot break the start.
    settings = load_settings(cwd, environ, overrides, instead={path: new}, trusting=change.place == "project")
    keymap(settings.keys, preset=settings.keymap, where="keys")
    return before, after, new


def save_setting(
    change: Change,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    now: datetime,
    overrides: Overrides | None = None,
) -> Written:
    """Change one key. Raises ConfigError, with the file as it was.

    A person who changes a project's file trusts that change. Where the file holds something else that nobody has
    trusted yet, only what needs no trust is changed in it.
    """
    options: dict[str, Any] = dict(overrides or {})
    path = rule_path(change.place, cwd, environ)
    check = _project_check(path, change.path, environ) if change.place == "project" else _no_check
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(mode=0o700 if change.place == "user" else 0o755, parents=True, exist_ok=True)
        with locked(real.parent):
            old = file_bytes(real)
            before, after, new = _planned(change, path, old or b"", cwd, environ, options)
            is_trusted = check(before, after)
            changed = new != (old or b"")
            if changed:
                if file_bytes(real) != old:
                    raise ConfigError(
                        "is being changed by another program", where=str(path), expected="another attempt"
                    )
                replace_file(real, new, _MODES[change.place])
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
    if is_trusted:
        trust_file(environ).trust(trusted_folder(path), after.sha256, now)
    source = after.source(_own_path(after.raw, change.path)) if given_in(after, change.path) else None
    settings = load_settings(cwd, environ, options)
    return Written(path=path, settings=settings, source=source, changed=changed)


def _no_check(before: Layer, after: Layer) -> bool:
    return False


def _project_check(path: Path, key: KeyPath, environ: Mapping[str, str]) -> Callable[[Layer, Layer], bool]:
    folder = trusted_folder(path)
    if os.path.realpath(path) != str(folder / PROJECT_FILE):
        raise ConfigError("is a link to another place", where=str(path), expected="a file of this project's own")
    trust = trust_file(environ)

    def check(before: Layer, after: Layer) -> bool:
        """Whether the file is to be trusted as it will be."""
        user = file_layer("user", user_file(environ))
        base: Entries = {} if user is None else entries(user)
        waits = {item.key: item.text for item in split(before, entries(before), base, default_limit)[1]}
        will_wait = {item.key: item.text for item in split(after, entries(after), base, default_limit)[1]}
        known = not waits or trust.is_trusted(folder, before.sha256)
        if not known and will_wait.items() - waits.items():
            raise ConfigError(
                f"holds {len(waits)} setting{'' if len(waits) == 1 else 's'} that nobody has trusted yet, "
                f"and {dotted(key)} needs trust",
                where=str(path),
                expected="quarterdeck trust first, or a change of your own file",
            )
        return known and bool(will_wait)

    return check


def project_place(cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """The project's file where there is one."""
    return project_file(cwd.resolve(), user_file(environ))
