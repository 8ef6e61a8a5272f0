"""`quarterdeck models`: what can be used, with prices and windows, from the table on disk."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from runner.folders import data_dir
from runner.models.base import ModelInfo
from runner.models.providers import PROVIDERS, family
from tui import words
from tui.commands.common import load
from tui.local_servers import Answer, local_servers, probe
from tui.model_memory import ModelMemory
from tui.remembered import Remembered
from tui.render.clean import clean
from tui.settings import Settings

NAME_WIDTH = 56
CLIENT_WIDTH = 7


@dataclass(frozen=True, slots=True)
class Listed:
    """A model, and whether it can be used as things are: a demo, a configured one, or one whose provider has a key.

    favourite: chosen as one on the screen.
    """

    info: ModelInfo
    usable: bool
    favourite: bool = False


def run(args: argparse.Namespace) -> int:
    settings = load(args)
    query: str = args.query or ""
    every = _listed(settings)
    found = [item for item in every if _matches(item.info.name, query)]
    shown = found if query or args.all else [item for item in found if item.usable or item.favourite]
    answers = _probe(settings, query) if args.probe else []
    if args.json:
        for item in shown:
            print(json.dumps(_as_json(item)))
        for answer in answers:
            print(json.dumps(_answer_as_json(answer)))
        return 0
    for item in shown:
        print(_row(item))
    for answer in answers:
        _print_answer(answer)
    return _remarks(args, query, every, shown, answers)


def _listed(settings: Settings) -> list[Listed]:
    keyed = {provider.name for provider in PROVIDERS if provider.key(settings.environ) is not None}
    named = set(settings.models)
    liked = set(ModelMemory(Remembered(data_dir(settings.environ))).favourites)
    listed = [
        Listed(info, info.is_demo or info.name in named or family(info.provider) in keyed, info.name in liked)
        for info in settings.registry().catalogue()
    ]
    return sorted(listed, key=lambda item: (not item.favourite, not item.usable, item.info.name))


def _matches(name: str, query: str) -> bool:
    """Every word of the query occurs in the name."""
    return all(word in name.lower() for word in query.lower().split())


def _row(item: Listed) -> str:
    info = item.info
    if info.is_demo:
        price = "free (built in, no real model)"
    elif info.price is None:
        price = "price unknown"
    else:
        price = f"{_price(info.price.input)} in, {_price(info.price.output)} out"
        if info.price.cached_input is not None:
            price += f", {_price(info.price.cached_input)} cached"
    notes = ["favourite"] if item.favourite else []
    notes += [] if item.usable else ["no key"]
    if info.tools is False:
        notes.append("no tools")
    columns = f"{clean(info.name):<{NAME_WIDTH}} {words.window(info.context_window):>6}  {info.client:<{CLIENT_WIDTH}}"
    return f"{columns}  {price}" + "".join(f"; {note}" for note in notes)


def _price(dollars: Decimal) -> str:
    # The table was made with binary fractions: $15.000020000000002 means $15.
    return words.price(dollars if dollars < Decimal("0.001") else round(dollars, 4))


def _as_json(item: Listed) -> dict[str, object]:
    info = item.info
    price = info.price
    cached = None if price is None else price.cached_input
    return {
        "name": info.name,
        "provider": info.provider,
        "client": info.client or None,
        "context_window": info.context_window,
        "max_output": info.max_output,
        "input_cost_per_million": _money(None if price is None else price.input),
        "output_cost_per_million": _money(None if price is None else price.output),
        "cached_input_cost_per_million": _money(cached),
        "tools": info.tools,
        "vision": info.vision,
        "reasoning": info.reasoning,
        "demo": info.is_demo,
        "efforts": None if info.efforts is None else list(info.efforts),
        "usable": item.usable,
        "favourite": item.favourite,
    }


def _money(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _probe(settings: Settings, query: str) -> list[Answer]:
    bases = {name: model.api_base for name, model in settings.models.items() if model.api_base}
    servers = local_servers(os.environ, bases)
    print(f"asking {', '.join(server.base for server in servers)}", file=sys.stderr)
    answers = probe(servers)
    return [
        Answer(
            server=answer.server,
            models=tuple(name for name in answer.models if _matches(answer.server.prefix + name, query)),
            problem=answer.problem,
        )
        for answer in answers
    ]


def _answer_as_json(answer: Answer) -> dict[str, object]:
    names = [answer.server.prefix + name for name in answer.models]
    return {"server": answer.server.title, "base": answer.server.base, "models": names, "problem": answer.problem}


def _print_answer(answer: Answer) -> None:
    server = answer.server
    if answer.problem:
        print(f"{server.base} ({clean(server.title)}): {words.one_line(clean(answer.problem))}")
    for name in answer.models:
        print(f"{clean(server.prefix + name):<{NAME_WIDTH}} {'?':>6}  local, at {server.base}")


def _remarks(
    args: argparse.Namespace, query: str, every: Sequence[Listed], shown: Sequence[Listed], answers: Sequence[Answer]
) -> int:
    """What the list does not say by itself, on stderr; the exit code."""
    if args.probe and not answers:
        print("no local model server answers", file=sys.stderr)
    if query and not shown and not any(answer.models for answer in answers):
        near = difflib.get_close_matches(query, [item.info.name for item in every], n=3, cutoff=0.5)
        hint = f"; near are {', '.join(near)}" if near else ""
        print(f"no model matches {clean(query)!r}{hint}", file=sys.stderr)
        return 1
    hidden = len(every) - len(shown)
    if not query and hidden:
        print(f"{hidden} more need a key or an address: quarterdeck models QUERY, or --all", file=sys.stderr)
    return 0
