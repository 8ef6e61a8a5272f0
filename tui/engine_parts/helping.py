"""Small helps of the engine."""

from __future__ import annotations


def import_all(names: tuple[str, ...]) -> None:
    import importlib

    for name in names:
        importlib.import_module(name)


def plain_error(error: BaseException) -> str:
    """An error in one line: ours say all by themselves, others need the name of their type."""
    from runner.errors import QuarterdeckError

    return str(error) if isinstance(error, QuarterdeckError) else f"{type(error).__name__}: {error}"
