"""`quarterdeck config`: the settings in force, with where each comes from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from typing import cast

from tui.cli import UsageError
from tui.commands.common import load, report_withheld
from tui.settings import Settings, Source
from tui.settings.layers import ATTENDED_LIMITS, COMPACTION, LIMITS, SANDBOX, dotted, printable


def run(args: argparse.Namespace) -> int:
    if args.action in ("set", "unset"):
        from tui.commands.config_write import write

        return write(args)
    if args.words:
        raise UsageError(f"quarterdeck config {args.action}: takes no KEY")
    settings = load(args)
    if args.action == "path":
        print(settings.user_file)
        return 0
    rows = list(_rows(settings))
    if args.json:
        values = {key: {"value": value, "source": source.kind, "where": source.where} for key, value, source in rows}
        withheld = [{"key": item.key, "text": item.text, "where": item.where} for item in settings.withheld]
        print(json.dumps({"values": values, "withheld": withheld}, indent=1, default=str))
        return 0
    width = max(len(key) for key, _, _ in rows)
    for key, value, source in rows:
        print(f"{key:<{width}}  {_shown(value):<24}  {source}".rstrip())
    report_withheld(settings)
    return 0


def _rows(settings: Settings) -> Iterator[tuple[str, object, Source]]:
    from runner.config import RunConfig

    model, why = settings.chosen_model()
    source = settings.source("model")
    yield "model", model, source if source.kind != "default" else Source(kind="default", where=why)
    yield "theme", settings.theme, settings.source("theme")
    yield "agent", settings.default_agent, settings.source("agent")
    yield "approve", settings.approve, settings.source("approve")
    yield "keymap", settings.keymap, settings.source("keymap")
    config = RunConfig()
    requests = replace(config, max_turns=cast("int | None", settings.limits.get("max_turns", config.max_turns)))
    for name in LIMITS:
        default = requests.request_limit if name == "max_model_requests" else getattr(config, name)
        origin = settings.source(f"limits.{name}")
        if origin.kind == "default" and name in ATTENDED_LIMITS:
            origin = Source(kind="default", where=f"{ATTENDED_LIMITS[name]} on the screen, where you can stop it")
        yield f"limits.{name}", settings.limits.get(name, default), origin
    yield COMPACTION, "off" if settings.compaction is None else "on", settings.source(COMPACTION)
    for item in fields(settings.compaction) if settings.compaction is not None else ():
        key = f"{COMPACTION}.{item.name}"
        yield key, getattr(settings.compaction, item.name), settings.source(key)
    for action, keys in settings.keys.items():
        yield dotted(("keys", action)), keys, settings.source(dotted(("keys", action)))
    for table, entries in (("agents", settings.agents), ("models", settings.models)):
        for name, entry in entries.items():
            for item in fields(entry):
                value = getattr(entry, item.name)
                if value is not None:
                    key = dotted((table, name, item.name))
                    yield key, value, settings.sources.get(key) or settings.source(dotted((table, name)))
    yield from _tool_rows(settings)
    for index, rule in enumerate(settings.rules):
        which = "" if rule.arguments is None else f" {json.dumps(dict(rule.arguments), default=str)}"
        for name, value in (("prefix", rule.prefix), ("below", rule.below), ("host", rule.host)):
            if value is not None:
                which = f" {name} {' '.join(value) if isinstance(value, tuple) else value}"
        yield f"rules[{index + 1}]", f"{rule.effect} {rule.tool}{which}", Source(kind=rule.level, where=rule.source)


def _tool_rows(settings: Settings) -> Iterator[tuple[str, object, Source]]:
    for table, names in (
        (SANDBOX, asdict(settings.sandbox)),
        ("environment", {"pass": settings.environment.passed, "hide": settings.environment.hide}),
        ("web", asdict(settings.web)),
        ("terminal", asdict(settings.terminal)),
    ):
        for name, value in names.items():
            yield f"{table}.{name}", value, settings.source(f"{table}.{name}")
    for name, server in settings.mcp.items():
        for item in fields(server):
            key = dotted(("mcp", name, item.name))
            value = getattr(server, item.name)
            if value == item.default or (item.name in ("env", "headers") and not value):
                continue
            # What stands in them may be a secret that somebody wrote down after all.
            shown = tuple(value) if item.name in ("env", "headers") else value
            yield key, shown, settings.source(key)


def _shown(value: object) -> str:
    if value is None:
        return "off"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(printable(str(part)) for part in value) or "none"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    text = printable(str(value))
    return text if len(text) <= 80 else f"{text[:79]}…"
