"""The rows of the model picker: what the registry knows, and whether a key is there. Read in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runner.models.catalogue import Pricing, lookup
from runner.models.providers import SELF_HOSTED, family, prefix_of, provider
from tui.model_list import ModelRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.models.base import ModelInfo


def model_rows(infos: Iterable[ModelInfo], named: Iterable[str], environ: Mapping[str, str]) -> list[ModelRow]:
    """Configured models first, then the demos, then those whose key is set, then the others by name."""
    configured = set(named)
    rows = [ModelRow(info, key_of(info, environ), info.name in configured, _pricing(info)) for info in infos]
    return sorted(rows, key=_place)


def key_of(info: ModelInfo, environ: Mapping[str, str]) -> str:
    """ "set", "missing", "not needed", or "" where it is not known."""
    if info.is_demo:
        return "not needed"
    name = family(info.provider) if info.provider else prefix_of(info.name)
    if name in SELF_HOSTED:
        return "not needed"
    known = provider(name)
    if known is None:
        return ""
    return "set" if known.key(environ) else "missing"


def _pricing(info: ModelInfo) -> Pricing | None:
    """Where the table knows prices that depend on the size of the input, unless a configuration set its own."""
    known = lookup(info.name)
    if known is None or known.pricing is None or not known.pricing.tiers or known.info.price != info.price:
        return None
    return known.pricing


def _place(row: ModelRow) -> tuple[int, str]:
    if row.configured:
        return 0, row.info.name
    if row.info.is_demo:
        return 1, "" if row.info.name == "demo/pilot" else row.info.name
    return {"set": 2, "missing": 3}.get(row.key, 4), row.info.name
