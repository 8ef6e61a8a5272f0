"""The project's own files, for the tests that read them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("runner", "tui", "themes", "tests")

_NOT_OURS = frozenset({".git", ".venv", "node_modules", "__pycache__", "build", "dist"})
_CACHES = (".cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache")


def _walk(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_OURS and name not in _CACHES and not name.endswith(".egg-info")
        )
        yield from (Path(base) / name for name in sorted(names))


def python_files(*rooms: str) -> list[Path]:
    """Every Python file in the given rooms, or in all of them."""
    return [path for room in rooms or ROOMS for path in _walk(ROOT / room) if path.suffix == ".py"]


def text_files() -> list[tuple[Path, str]]:
    """Every text file of the project with its text."""
    found: list[tuple[Path, str]] = []
    for path in _walk(ROOT):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found.append((path, data.decode("utf-8", errors="replace")))
    return found


def name_of(path: Path) -> str:
    """A file's path as it is shown in messages and in lists of exceptions."""
    return path.relative_to(ROOT).as_posix()


def is_litellm(module: str | None) -> bool:
    return module is not None and (module == "litellm" or module.startswith("litellm."))


def litellm_imports(tree: ast.AST) -> Iterator[int]:
    """Lines importing litellm by statement, or by `import_module` or `__import__` with a literal name."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(is_litellm(alias.name) for alias in names):
                yield node.lineno
            case ast.ImportFrom(module=module, level=0) if is_litellm(module):
                yield node.lineno
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if is_litellm(name):
                called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                if called in {"import_module", "__import__"}:
                    yield node.lineno
            case _:
                pass


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(part) for part in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})


def silent_handlers(tree: ast.AST) -> Iterator[int]:
    """Lines of handlers that swallow everything."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ExceptHandler)
            and _is_broad(node.type)
            and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
        ):
            yield node.lineno


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Every function as `Class.function`, with its length without decorators."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield name, (child.end_lineno or child.lineno) - child.lineno + 1
            yield from functions(child, f"{name}.")
        else:
            yield from functions(child, prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules want to know of a file; the tree itself would be too large to keep."""

    lines: int
    functions: dict[str, int]
    litellm: tuple[int, ...]
    silent: tuple[int, ...]


@cache
def facts_of(path: Path) -> Facts:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    return Facts(
        lines=len(source.splitlines()),
        functions=dict(functions(tree)),
        litellm=tuple(litellm_imports(tree)) if "litellm" in source else (),
        silent=tuple(silent_handlers(tree)) if "except" in source else (),
    )
