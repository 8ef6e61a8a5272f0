"""Finds the files, merges the layers, and keeps back what an untrusted project may not decide."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import themes
from runner.errors import ConfigError
from tui.settings.check import Entries, Key, entries
from tui.settings.layers import (
    COMPACTION,
    SANDBOX,
    Layer,
    dotted,
    environment_layer,
    file_layer,
    flag_layer,
    layer_of,
    printable,
)
from tui.settings.trust import TrustFile, split
from tui.settings.values import (
    DEFAULT_AGENT,
    AgentSettings,
    CompactionSettings,
    ConfigFile,
    EnvironmentSettings,
    LimitValue,
    SandboxSettings,
    Settings,
    Source,
    SourceKind,
    TerminalSettings,
    WebSettings,
    Withheld,
)

RULES_VARIABLE = "QUARTERDECK_RULES"
PROJECT_FILE = Path(".quarterdeck") / "config.toml"


def load_settings(
    cwd: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    *,
    instead: Mapping[Path, bytes] | None = None,
    trusting: bool = False,
) -> Settings:
    """The settings of a start in cwd: defaults, user file, project file, environment, overrides; later ones win.

    overrides: options as dotted keys, such as {"model": "demo/slow", "limits.max_turns": "3"}; None is not given.
    instead: what files would hold, to see what the settings would be then. trusting: as if the folder were trusted.
    Raises ConfigError, which names the file and line (or the variable, or the option) and what was expected.
    """
    cwd = cwd.resolve()
    user_path = user_file(environ)
    user = _file("user", user_path, instead)
    project_path = project_file(cwd, user_path, instead or ())
    project = None if project_path is None else _file("project", project_path, instead)
    merged = _Merged()
    if user is not None:
        merged.add(user, entries(user))
    files = [ConfigFile(kind="user", path=user_path, found=user is not None, sha256=user.sha256 if user else "")]
    withheld: list[Withheld] = []
    if project is not None and project_path is not None:
        found = entries(project)
        kept, withheld = split(project, found, merged.values, default_limit)
        trusted = None
        if withheld:
            trusted = trusting or trust_file(environ).is_trusted(trusted_folder(project_path), project.sha256)
            if trusted:
                kept, withheld = found, []
        merged.add(project, kept)
        files.append(ConfigFile(kind="project", path=project_path, found=True, sha256=project.sha256, trusted=trusted))
    session = _session_layer(environ)
    if session is not None and session.file is not None:
        merged.add(session, entries(session))
        files.append(ConfigFile(kind="session", path=session.file, found=True, sha256=session.sha256))
    for layer in (environment_layer(environ), flag_layer(overrides or {})):
        merged.add(layer, entries(layer))
    settings = merged.settings(cwd, user_path.parent, environ, tuple(withheld), tuple(files))
    _check_references(settings)
    return settings


def user_file(environ: Mapping[str, str]) -> Path:
    """The person's file: QUARTERDECK_CONFIG (a folder, or a file that ends in .toml), else the platform's place."""
    chosen = environ.get("QUARTERDECK_CONFIG", "").strip()
    if chosen:
        path = Path(chosen).expanduser().absolute()
        return path if path.suffix == ".toml" else path / "config.toml"
    import platformdirs

    return Path(platformdirs.user_config_dir("quarterdeck", appauthor=False)) / "config.toml"


def _file(kind: SourceKind, path: Path, instead: Mapping[Path, bytes] | None) -> Layer | None:
    return layer_of(kind, path, instead[path]) if instead is not None and path in instead else file_layer(kind, path)


def project_file(cwd: Path, user_path: Path, instead: Collection[Path] = ()) -> Path | None:
    """The nearest .quarterdeck/config.toml from cwd up to the root of its git repository; without one only in cwd.

    instead: files that count as being there.
    """
    folders = [cwd, *cwd.parents]
    root = next((index for index, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    for folder in folders[: root + 1]:
        path = folder / PROJECT_FILE
        if (path in instead or path.is_file()) and path.resolve() != user_path.resolve():
            return path
    return None


def trusted_folder(project_path: Path) -> Path:
    """The folder that trust is about: the one that holds .quarterdeck."""
    return project_path.parent.parent.resolve()


def trust_file(environ: Mapping[str, str]) -> TrustFile:
    from runner.store.paths import data_dir

    return TrustFile(path=data_dir(environ) / "trust.json")


def _session_layer(environ: Mapping[str, str]) -> Layer | None:
    """The rules of one start of the program: a file that QUARTERDECK_RULES names, with nothing but [[rules]] in it."""
    chosen = environ.get(RULES_VARIABLE, "").strip()
    return rules_layer(Path(chosen).expanduser().absolute(), RULES_VARIABLE) if chosen else None


def rules_layer(path: Path, named_by: str) -> Layer:
    """A file of rules. Raises ConfigError where there is none, or where it holds anything else."""
    layer = file_layer("session", path)
    if layer is None:
        raise ConfigError(f"{printable(str(path))} does not exist", where=named_by, expected="a file with [[rules]]")
    other = next((name for name in layer.raw if name != "rules"), None)
    if other is not None:
        raise ConfigError(f"{printable(other)} is not a rule", where=layer.where((other,)), expected="[[rules]] only")
    return layer


def default_limit(name: str) -> LimitValue:
    """What a limit is where nobody sets it."""
    from runner.config import RunConfig

    config = RunConfig()
    return config.request_limit if name == "max_model_requests" else getattr(config, name)


class _Merged:
    def __init__(self) -> None:
        self.values: Entries = {}
        self.sources: dict[str, Source] = {}

    def add(self, layer: Layer, found: Entries) -> None:
        for key, value in found.items():
            if key == ("rules",) or key[0] == "environment":
                self.values[key] = (*self.values.get(key, ()), *value)
            elif key[0] == "agents":
                self.values[key] = {**self.values.get(key, {}), **value}
                self._note(layer, key, value)
            else:
                self.values[key] = value
                if key[0] == "mcp":
                    self._note(layer, key, [item.name for item in fields(value)])
                elif key[0] == "models":
                    self._note(layer, key, layer.raw["models"][key[1]])
            source, name = layer.source(key), dotted(key)
            if key[0] == "environment" and name in self.sources:
                source = replace(source, where=f"{self.sources[name].where}, {source.where}")
            self.sources[name] = source

    def _note(self, layer: Layer, key: Key, parts: Iterable[str]) -> None:
        for part in parts:
            self.sources[dotted((*key, part))] = layer.source((*key, part))

    def table(self, name: str) -> Mapping[str, Any]:
        return MappingProxyType({key[1]: value for key, value in self.values.items() if key[0] == name and key[1:]})

    def _compaction(self) -> CompactionSettings | None:
        return CompactionSettings(**self.table(COMPACTION)) if self.values.get((COMPACTION,), True) else None

    def settings(
        self,
        cwd: Path,
        config_dir: Path,
        environ: Mapping[str, str],
        withheld: tuple[Withheld, ...],
        files: tuple[ConfigFile, ...],
    ) -> Settings:
        get = self.values.get
        agents = {name: AgentSettings(**part) for name, part in self.table("agents").items()}
        return Settings(
            cwd=cwd,
            config_dir=config_dir,
            environ=environ,
            default_model=get(("model",)),
            theme=get(("theme",), themes.DEFAULT),
            default_agent=get(("agent",), DEFAULT_AGENT),
            approve=get(("approve",), "default"),
            compaction=self._compaction(),
            limits=self.table("limits"),
            keymap=get(("keymap",), "default"),
            keys=self.table("keys"),
            agents=MappingProxyType(agents),
            models=self.table("models"),
            rules=get(("rules",), ()),
            mcp=self.table("mcp"),
            sandbox=SandboxSettings(**self.table(SANDBOX)),
            environment=EnvironmentSettings(
                passed=get(("environment", "pass"), ()), hide=get(("environment", "hide"), ())
            ),
            web=WebSettings(**self.table("web")),
            terminal=TerminalSettings(**self.table("terminal")),
            sources=MappingProxyType(self.sources),
            withheld=withheld,
            files=files,
        )


def _check_references(settings: Settings) -> None:
    """Names that must exist: the default agent, and the theme."""
    names = settings.agent_names()
    if settings.default_agent not in names:
        raise unknown_agent(settings, settings.default_agent, str(settings.source("agent").where))
    for agent, table in settings.agents.items():
        for server in table.mcp or ():
            _check_server(settings, agent, server)
    if settings.theme != themes.DEFAULT and "theme" in settings.sources:
        try:
            themes.load(settings.theme, settings.themes_dir)
        except themes.ThemeError as error:
            raise ConfigError(printable(str(error)), where=settings.source("theme").where) from error


def _check_server(settings: Settings, agent: str, server: str) -> None:
    key = dotted(("mcp", server))
    if server in settings.mcp or any(item.key == key for item in settings.withheld):
        return
    near = difflib.get_close_matches(server, settings.mcp, n=1)
    expected = f"{near[0]} (did you mean that?)" if near else f"a table [{key}]"
    where = settings.source(dotted(("agents", agent, "mcp"))).where
    raise ConfigError(f"there is no server {printable(server)!r}", where=where, expected=expected)


def unknown_agent(settings: Settings, name: str, where: str) -> ConfigError:
    names = settings.agent_names()
    near = difflib.get_close_matches(name, names, n=1)
    expected = f"{near[0]} (did you mean that?)" if near else f"one of {', '.join(map(printable, names))}"
    waiting = any(item.key.startswith(f"agents.{name}") for item in settings.withheld)
    if waiting:
        expected = "a trusted folder for the project's own agents: quarterdeck trust"
    return ConfigError(f"there is no agent {printable(name)!r}", where=where, expected=expected)
