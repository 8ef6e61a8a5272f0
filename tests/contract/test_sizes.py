"""Small rooms: files under 400 lines, functions under 60, and a short visible list of the exceptions."""

from __future__ import annotations

from tests.contract.sources import facts_of, name_of, python_files

FILE_LINES = 400
FUNCTION_LINES = 60

# Larger by decision: the name, and the size it may reach.
LARGE_FILES: dict[str, int] = {}
LARGE_FUNCTIONS: dict[str, int] = {}

MOST_EXCEPTIONS = 8


def _functions() -> dict[str, int]:
    """Every function of every file, named `path::Class.function`."""
    return {
        f"{name_of(path)}::{name}": size for path in python_files() for name, size in facts_of(path).functions.items()
    }


def _files() -> dict[str, int]:
    return {name_of(path): facts_of(path).lines for path in python_files()}


def _too_large(sizes: dict[str, int], limit: int, exceptions: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > exceptions.get(name, limit)}


def test_files_stay_small() -> None:
    assert _too_large(_files(), FILE_LINES, LARGE_FILES) == {}


def test_functions_stay_small() -> None:
    assert _too_large(_functions(), FUNCTION_LINES, LARGE_FUNCTIONS) == {}


def test_the_list_of_exceptions_is_short_and_current() -> None:
    files, functions = _files(), _functions()
    stale = [name for name in LARGE_FILES if files.get(name, 0) <= FILE_LINES]
    stale += [name for name in LARGE_FUNCTIONS if functions.get(name, 0) <= FUNCTION_LINES]
    assert stale == []
    assert len(LARGE_FILES) + len(LARGE_FUNCTIONS) <= MOST_EXCEPTIONS
