"""What the doctor says of the configuration, the data folder, the keys and the local model servers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from runner.errors import ConfigError
from runner.models.providers import PROVIDERS
from runner.store.paths import DATABASE_NAME, data_dir
from tui import words
from tui.commands.doctor_sandbox import sandbox, secrets
from tui.commands.findings import Finding
from tui.local_servers import local_servers, probe
from tui.settings import NamedModelSettings, Settings, load_settings, project_file, user_file

AREA_CONFIG, AREA_DATA, AREA_MODELS = "Configuration", "Data", "Models"


def configuration() -> Iterator[Finding]:
    settings = _settings()
    if isinstance(settings, ConfigError):
        user = user_file(os.environ)
        project = project_file(Path.cwd(), user)
        for name, path in (("User file", user), ("Project file", project)):
            if path is not None:
                yield Finding(area=AREA_CONFIG, name=name, value=str(path))
        yield Finding(
            area=AREA_CONFIG, name="Error", value=str(settings), level="broken", fix="correct it, then start again"
        )
        return
    for file in settings.files:
        trust = {True: ", trusted", False: ", not trusted", None: ""}[file.trusted]
        state = f"read{trust}" if file.found else "not there (that is fine)"
        yield Finding(area=AREA_CONFIG, name=f"{file.kind.title()} file", value=f"{file.path}: {state}")
    for item in settings.withheld:
        yield Finding(
            area=AREA_CONFIG,
            name="Ignored",
            value=f"{item.text} ({item.where})",
            level="note",
            fix="to accept it: quarterdeck trust",
        )
    yield from _keys_of_actions(settings)
    yield from _start(settings)


def _settings() -> Settings | ConfigError:
    try:
        return load_settings(Path.cwd(), os.environ)
    except ConfigError as error:
        return error


def _keys_of_actions(settings: Settings) -> Iterator[Finding]:
    from tui.keymap import keymap

    try:
        keymap(settings.keys, preset=settings.keymap)
    except ConfigError as error:
        yield Finding(area=AREA_CONFIG, name="Keys", value=str(error), level="broken", fix="correct the table [keys]")


def _start(settings: Settings) -> Iterator[Finding]:
    model, why = settings.chosen_model()
    try:
        settings.registry().resolve(model)
    except ConfigError as error:
        yield Finding(
            area=AREA_CONFIG, name="Model", value=str(error), level="broken", fix="quarterdeck models lists all"
        )
        return
    yield Finding(area=AREA_CONFIG, name="Model", value=f"{model}: {why}")
    yield Finding(
        area=AREA_CONFIG,
        name="Agent",
        value=f"{settings.default_agent}, approval mode {settings.approve}, theme {settings.theme}",
    )


def data() -> Iterator[Finding]:
    folder = data_dir()
    if not folder.exists():
        yield from _absent(folder)
        return
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            area=AREA_DATA,
            name="Folder",
            value=f"{folder} cannot be written",
            level="broken",
            fix="give yourself the right to write there, or set QUARTERDECK_DATA to another folder",
        )
        return
    yield Finding(area=AREA_DATA, name="Folder", value=str(folder))
    database = folder / DATABASE_NAME
    if database.is_file():
        files = [path for path in folder.glob(f"{DATABASE_NAME}*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        yield Finding(area=AREA_DATA, name="Sessions", value=f"{database.name}, {size / 1e6:.1f} MB")
    yield from _open_to_others(folder)


def _absent(folder: Path) -> Iterator[Finding]:
    parent = next(path for path in folder.absolute().parents if path.exists())
    writable = os.access(parent, os.W_OK | os.X_OK)
    yield Finding(
        area=AREA_DATA,
        name="Folder",
        value=f"{folder}: not there yet" + ("" if writable else ", and it cannot be made"),
        level="ok" if writable else "broken",
        fix="" if writable else f"make {parent} writable, or set QUARTERDECK_DATA to another folder",
    )


def _open_to_others(folder: Path) -> Iterator[Finding]:
    # Sessions hold what tools printed; a folder closed to others is enough, whatever the files' own modes.
    if not stat.S_IMODE(folder.stat().st_mode) & 0o077:
        return
    for path in sorted(folder.glob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_file() and mode & 0o077:
            yield Finding(
                area=AREA_DATA,
                name="Mode",
                value=f"{path} can be read by others ({mode:04o})",
                level="warning",
                fix=f"chmod 600 {path}",
            )


def _named(settings: Settings | ConfigError) -> Mapping[str, NamedModelSettings]:
    return {} if isinstance(settings, ConfigError) else settings.models


def keys() -> Iterator[Finding]:
    present = [(provider.title, found[0]) for provider in PROVIDERS if (found := provider.key(os.environ)) is not None]
    for title, variable in present:
        yield Finding(area=AREA_MODELS, name=title, value=f"{variable} is set")
    settings = _settings()
    named = _named(settings)
    for name, model in named.items():
        missing = model.api_key_env is not None and not os.environ.get(model.api_key_env, "").strip()
        key = f", {model.api_key_env} is {'not ' if missing else ''}set" if model.api_key_env else ""
        yield Finding(
            area=AREA_MODELS,
            name=name,
            value=model.model + key,
            level="warning" if missing else "ok",
            fix=f"set {model.api_key_env}" if missing else "",
        )
    if not present and not named:
        variables = ", ".join(provider.keys[0] for provider in PROVIDERS[:3])
        yield Finding(
            area=AREA_MODELS,
            name="Keys",
            value="none is set, so the built-in demo model answers",
            level="note",
            fix=f"set one of {variables} (quarterdeck models --all lists providers), or run a local model server",
        )


def commands() -> Iterator[Finding]:
    """The sandbox that commands run in, and the secrets that they do not get."""
    settings = _settings()
    if isinstance(settings, ConfigError):
        return
    config = settings.run_config()
    yield from sandbox(config.sandbox)
    yield from secrets(os.environ, hidden=config.hidden_env, passed=config.pass_env)


def servers() -> Iterator[Finding]:
    settings = _settings()
    named = _named(settings)
    asked = local_servers(os.environ, {name: model.api_base for name, model in named.items() if model.api_base})
    answers = probe(asked)
    yield Finding(
        area=AREA_MODELS,
        name="Local servers",
        value=f"asked {', '.join(server.base for server in asked)}: {words.count(len(answers), 'answer')}",
    )
    answered = {answer.server for answer in answers}
    for answer in answers:
        listed = ", ".join(answer.models[:5]) + (" and more" if len(answer.models) > 5 else "")
        yield Finding(
            area=AREA_MODELS,
            name=answer.server.title,
            value=answer.problem or f"{answer.server.base} has {listed or 'no model loaded'}",
            level="note" if answer.problem else "ok",
        )
    for server in asked:
        if not server.prefix and server not in answered:
            yield Finding(
                area=AREA_MODELS,
                name=server.title,
                value=f"{server.base} does not answer",
                level="warning",
                fix="start the server, or correct api_base",
            )
