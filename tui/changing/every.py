"""Every setting there is, found by walking the schema, so that none can be forgotten. Loads pydantic; use a thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from runner.errors import ConfigError
from tui.keymap import keymap
from tui.settings.check import expected
from tui.settings.layers import ATTENDED_LIMITS, COMPACTION, dotted
from tui.settings.load import default_limit
from tui.settings.rule_text import toml
from tui.settings.schema_kinds import OFF, ON
from tui.settings.values import DEFAULT, AgentSettings, McpSettings, NamedModelSettings, Settings, Source

Kind: TypeAlias = Literal["choice", "switch", "number", "text", "list", "table", "rules"]
KeyPath: TypeAlias = tuple[str, ...]
Json: TypeAlias = Mapping[str, Any]

NAMED: Final = ("agents", "models", "mcp")
"""Tables with a name of a person's own in between."""

_PRIVATE: Final = (("env",), ("headers",))
"""The ends of paths whose values may be secrets that somebody wrote down after all."""

_ATTRIBUTES: Final = {"agent": "default_agent", "pass": "passed"}
_EMPTY: Final[Mapping[str, object]] = {
    "agents": AgentSettings(),
    "models": NamedModelSettings(model=""),
    "mcp": McpSettings(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the configuration file. choices: all values it can have, () where there are others.

    allowed: what is expected of a value, in the words of the errors. off: whether "off" is a value. private: its
    values are never shown.
    """

    path: KeyPath
    kind: Kind
    allowed: str
    choices: tuple[str, ...] = ()
    off: bool = False
    private: bool = False

    @property
    def key(self) -> str:
        """As a file writes it."""
        return dotted(self.path)

    @property
    def group(self) -> str:
        return self.path[0]


def schema() -> Json:
    from tui.settings.schema import ConfigTable

    return ConfigTable.model_json_schema(by_alias=True)


def every(names: Mapping[str, Sequence[str]]) -> list[Setting]:
    """All settings, in the schema's order. names: for each table with names of a person's own, those there are."""
    whole = schema()
    return [setting for name, part in whole["properties"].items() for setting in _walk((name,), part, whole, names)]


def _walk(path: KeyPath, part: Json, whole: Json, names: Mapping[str, Sequence[str]]) -> Iterator[Setting]:
    table = _table(part, whole)
    if table is None:
        yield _setting(path, part)
    elif table.get("type") == "object" and "properties" in table:
        if path == (COMPACTION,):
            yield Setting(path=path, kind="choice", allowed=f'"{ON}" or "{OFF}"', choices=(ON, OFF))
        for name, item in table["properties"].items():
            yield from _walk((*path, name), item, whole, names)
    else:
        for name in names.get(path[0], ()):
            yield from _walk((*path, name), table["additionalProperties"], whole, names)


def _table(part: Json, whole: Json) -> Json | None:
    """The table that a key holds, None for a plain value."""
    for arm in (part, *part.get("anyOf", ())):
        if "$ref" in arm:
            return whole["$defs"][arm["$ref"].rpartition("/")[2]]
    top = part.get("additionalProperties")
    named = isinstance(top, dict) and ("$ref" in top or "anyOf" in top)
    return part if named else None


def _setting(path: KeyPath, part: Json) -> Setting:
    arms = [arm for arm in _arms(part) if arm.get("type") != "null"]
    types = {str(arm.get("type")) for arm in arms}
    allowed = expected(path)
    choices = tuple(str(item) for arm in arms for item in arm.get("enum", ()))
    off = allowed.endswith(f'or "{OFF}"') and not choices
    kind: Kind = "text"
    if path == ("rules",):
        kind = "rules"
    elif choices:
        kind = "choice"
    elif "boolean" in types:
        kind = "switch"
    elif types & {"integer", "number"}:
        kind = "number"
    elif path[0] != "keys" and "array" in types:
        kind = "list"
    elif "object" in types:
        kind = "table"
    private = path[-1:] in _PRIVATE and path[0] == "mcp"
    return Setting(path=path, kind=kind, allowed=allowed, choices=choices, off=off, private=private)


def _arms(part: Json) -> Iterator[Json]:
    for arm in part.get("anyOf", ()):
        yield from _arms(arm)
    if "anyOf" not in part:
        yield part


def value_of(settings: Settings, path: KeyPath) -> object:
    """The value in force, on the screen. None: off, or not set. Raises LookupError for what is no setting."""
    match path:
        case ("model",):
            return settings.chosen_model()[0]
        case ("limits", name):
            if name in settings.limits:
                return settings.limits[name]
            return _unset_limit(settings, name)
        case ("compaction",):
            return OFF if settings.compaction is None else ON
        case ("compaction", name):
            from tui.settings.values import CompactionSettings

            return _attribute(settings.compaction or CompactionSettings(), name)
        case ("keys", action):
            return settings.keys.get(action) or ",".join(keymap({}, preset=settings.keymap).of(action))
        case ("agents" | "models" | "mcp" as table, name, key):
            found: Mapping[str, object] = getattr(settings, table)
            return _attribute(found.get(name, _EMPTY[table]), key)
        case (name,):
            return _attribute(settings, name)
        case _:
            return _nested(settings, path)


def _unset_limit(settings: Settings, name: str) -> object:
    if name == "max_model_requests":
        from runner.config import RunConfig

        return RunConfig(max_turns=cast("int | None", value_of(settings, ("limits", "max_turns")))).request_limit
    return ATTENDED_LIMITS[name] if name in ATTENDED_LIMITS else default_limit(name)


def _nested(settings: Settings, path: KeyPath) -> object:
    value: object = settings
    for part in path:
        value = _attribute(value, part)
    return value


def _attribute(value: object, name: str) -> object:
    name = _ATTRIBUTES.get(name, name)
    if not is_dataclass(value) or name not in {item.name for item in fields(value)}:
        raise LookupError(f"{name} is not a value of the settings")
    return getattr(value, name)


def source_of(settings: Settings, path: KeyPath) -> Source:
    """Where the value in force comes from. For a default with a reason, that reason."""
    found = settings.sources.get(dotted(path))
    if found is None and path == (COMPACTION,):
        return DEFAULT
    if found is None and path == ("model",):
        return Source(kind="default", where=settings.chosen_model()[1])
    if found is None and path[0] in NAMED:
        unset = value_of(settings, path) == _attribute(_EMPTY[path[0]], path[2])
        return DEFAULT if unset else settings.source(dotted(path[:2]))
    if found is not None and path[0] == "mcp" and value_of(settings, path) == _attribute(_EMPTY["mcp"], path[2]):
        return DEFAULT
    return found or DEFAULT


def names_of(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What there is in each table with names of a person's own, and the actions that have keys."""
    from tui.actions import BY_ID

    waiting = [item.key for item in settings.withheld]
    found = {"keys": tuple(dict.fromkeys((*BY_ID, *settings.keys)))}
    for table, known in (("agents", settings.agent_names()), ("models", settings.models), ("mcp", settings.mcp)):
        late = [_second(key) for key in waiting if key.startswith(f"{table}.")]
        found[table] = tuple(dict.fromkeys((*known, *late)))
    return found


def path_of(key: str) -> KeyPath:
    """The path of a key as a file writes it: `models."lab/qwen".client`. Raises ConfigError."""
    import tomllib

    try:
        value: object = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("is not the name of a setting", where=key, expected="one such as limits.max_turns") from error
    path: list[str] = []
    while isinstance(value, dict) and len(cast("dict[str, object]", value)) == 1:
        name, value = next(iter(cast("dict[str, object]", value).items()))
        path.append(name)
    if value != 0 or not path:
        raise ConfigError("is not the name of one setting", where=key, expected="one such as limits.max_turns")
    return tuple(path)


def _second(key: str) -> str:
    return path_of(key)[1]


def literal(setting: Setting, text: str) -> str:
    """What a person wrote as TOML. What it is not, stays as text, for the check to name it."""
    text = text.strip()
    if setting.kind == "switch" and text in ("true", "false"):
        return text
    if setting.kind == "number" and _is_toml_number(text):
        return text
    if setting.kind == "table" and text[:1] == "{":
        return text
    if setting.kind == "list":
        if text[:1] == "[":
            return text
        return toml([part.strip() for part in text.split(",") if part.strip()])
    return toml(text)


def _is_toml_number(text: str) -> bool:
    import tomllib

    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(setting: Setting, value: object) -> str:
    """A value as a person would write it in a field, "" where there is none or where it may not be shown."""
    if setting.private or setting.kind == "rules":
        return ""
    if value is None:
        return OFF if setting.off else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, tuple):
        parts = [str(part) for part in cast("tuple[object, ...]", value)]
        return toml(parts) if any("," in part or part != part.strip() for part in parts) else ", ".join(parts)
    return str(value)


def shown(setting: Setting, value: object) -> str:
    """A value for people, on one line but not clean; a secret only as "set"."""
    if setting.kind == "rules":
        return f"{len(cast('tuple[object, ...]', value))}"
    if setting.private:
        names = list(cast("Mapping[str, object]", value))
        return f"set: {', '.join(names)}" if names else "none"
    if isinstance(value, tuple):
        return written(setting, cast("tuple[object, ...]", value)) or "none"
    if (value is None and not setting.off) or (value == "" and setting.kind == "text"):
        return "not set"
    return written(setting, value) or "none"
