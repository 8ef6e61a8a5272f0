"""What a person has already who starts the program for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is at the first start. keys: each variable that holds a provider's key, and the provider.

    file: where the configuration goes. variables: those that would hold the keys of the best known providers.
    """

    keys: tuple[tuple[str, str], ...]
    file: str
    variables: tuple[str, ...] = ()


def found_in(environ: Mapping[str, str], file: Path) -> Found:
    """The names of what is set, never a value."""
    from runner.models.providers import PROVIDERS

    with_key = [(provider.key(environ), provider.title) for provider in PROVIDERS]
    path, home = str(file), environ.get("HOME", "")
    return Found(
        keys=tuple((key[0], title) for key, title in with_key if key is not None),
        file=f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path,
        variables=tuple(provider.keys[0] for provider in PROVIDERS if provider.name in ("anthropic", "openai")),
    )
