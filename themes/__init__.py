"""Colour themes as data: one TOML file a theme, a loader that says what is wrong with one, and a contrast check.

Importing this package reads nothing; the loader is imported by the first call.
"""

from __future__ import annotations

# Type checkers know this name without `typing`, whose import would cost more than the whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from themes.loader import Theme as Theme
    from themes.loader import ThemeError as ThemeError

__all__ = ["DEFAULT", "Theme", "ThemeError", "load", "load_all"]

DEFAULT = "quarterdeck-dark"


def load(name: str, extra_dir: Path | None = None) -> Theme:
    """The theme of that name; a file in `extra_dir` wins over a built-in theme. Raises ThemeError."""
    from themes import loader

    return loader.load(name, extra_dir)


def load_all(extra_dir: Path | None = None, *, problems: list[ThemeError] | None = None) -> dict[str, Theme]:
    """Every theme by name, the built-in ones first.

    A broken file in `extra_dir` raises ThemeError; with a list in `problems` it is left out and noted there,
    so that one bad file does not keep a program from starting.
    """
    from themes import loader

    return loader.load_all(extra_dir, problems=problems)


def __getattr__(name: str) -> object:
    if name in {"Theme", "ThemeError"}:
        from themes import loader

        return getattr(loader, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
