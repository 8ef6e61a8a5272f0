"""Small rooms: files under 400 lines, functions under 60, and a short visible list of the exceptions."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.contract.sources import name_of, python_files

FILE_LINES = 400
FUNCTION_LINES = 60

# Larger by decision: the name, and the size it may reach.
LARGE_FILES: dict[str, int] = {}
LARGE_FUNCTIONS: dict[str, int] = {}

MOST_EXCEPTIONS = 8


def _functions(path: Path) -> dict[str, int]:
    """Every function of a file, named `path::Class.function`, with its length without decorators."""
    sizes: dict[str, int] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                if not isinstance(child, ast.ClassDef):
                    sizes[f"{name_of(path)}::{name}"] = (child.end_lineno or child.lineno) - child.lineno + 1
                visit(child, f"{name}.")
            else:
                visit(child, prefix)

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return sizes


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _too_large(sizes: dict[str, int], limit: int, exceptions: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > exceptions.get(name, limit)}


def test_files_stay_small() -> None:
    sizes = {name_of(path): _lines(path) for path in python_files()}
    assert _too_large(sizes, FILE_LINES, LARGE_FILES) == {}


def test_functions_stay_small() -> None:
    sizes = {name: size for path in python_files() for name, size in _functions(path).items()}
    assert _too_large(sizes, FUNCTION_LINES, LARGE_FUNCTIONS) == {}


def test_the_list_of_exceptions_is_short_and_current() -> None:
    files = {name_of(path): _lines(path) for path in python_files()}
    functions = {name: size for path in python_files() for name, size in _functions(path).items()}
    stale = [name for name in LARGE_FILES if files.get(name, 0) <= FILE_LINES]
    stale += [name for name in LARGE_FUNCTIONS if functions.get(name, 0) <= FUNCTION_LINES]
    assert stale == []
    assert len(LARGE_FILES) + len(LARGE_FUNCTIONS) <= MOST_EXCEPTIONS
