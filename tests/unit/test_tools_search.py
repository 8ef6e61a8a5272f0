"""search: the same results with and without ripgrep, the ignore rules, the limits, and hopeless patterns."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from runner.tools.builtin import SEARCH
from runner.tools.builtin import search as search_module
from runner.tools.builtin.search import Query, find
from runner.tools.builtin.search_worker import expand_braces
from tests.conftest import need
from tests.processes.support import context, living, recorder_of, run, until

FILES = {
    ".gitignore": "*.log\nbuild/\n!keep.log\n/top.txt\n",
    "a.py": "import os\nNeedle = 1\n",
    "b.txt": "no\nneedle two\n",
    "c.log": "needle ignored\n",
    "keep.log": "needle kept\n",
    "top.txt": "needle at the top\n",
    "build/x.py": "needle built\n",
    "sub/.gitignore": "secret.txt\n!d.log\n",
    "sub/secret.txt": "needle hidden\n",
    "sub/d.log": "needle back\n",
    "sub/top.txt": "needle below\n",
    "sub/deep/e.ts": "export const needle = 3\r\n",
    "sub/deep/f.tsx": "needle jsx\n",
    ".hidden/g.py": "needle in a dot folder\n",
    ".git/config": "needle in git\n",
    "node_modules/.gitignore": "*\n",
    "node_modules/h.js": "needle in a module\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    (tmp_path / "binary").write_bytes(b"needle\0binary\n")
    (tmp_path / "wide.txt").write_bytes("needle wide\n".encode("utf-16"))
    (tmp_path / "long.txt").write_text("needle " + "x" * 5000 + "\n")
    (tmp_path / "bad.txt").write_bytes(b"needle \xff\n")
    (tmp_path / "link.txt").symlink_to("a.py")
    (tmp_path / "outside").symlink_to("/etc")
    return tmp_path


@pytest.fixture(params=["worker", "ripgrep"])
def ripgrep(request: pytest.FixtureRequest) -> str | None:
    return need("rg") if request.param == "ripgrep" else None


def query(tree: Path, pattern: str, path: str = ".", glob: str | None = None) -> Query:
    return Query(pattern=pattern, path=path, cwd=tree, globs=tuple(expand_braces(glob)) if glob else ())


ALL = [
    ".hidden/g.py:1: needle in a dot folder",
    "a.py:2: Needle = 1",
    "b.txt:2: needle two",
    "bad.txt:1: needle \ufffd",
    "keep.log:1: needle kept",
    "long.txt:1: needle " + "x" * 293 + " [...]",
    "sub/d.log:1: needle back",
    "sub/deep/e.ts:1: export const needle = 3",
    "sub/deep/f.tsx:1: needle jsx",
    "sub/top.txt:1: needle below",
    "wide.txt:1: needle wide",
]


async def test_everything_that_is_not_ignored(tree: Path, ripgrep: str | None) -> None:
    text = await find(context(tree), query(tree, "[Nn]eedle"), ripgrep)
    assert text.split("\n") == [*ALL, "[11 matching lines in 11 files]"]


@pytest.mark.parametrize(
    ("path", "glob", "files"),
    [
        (".", "*.py", [".hidden/g.py", "a.py"]),
        (".", "*.{ts,tsx}", ["sub/deep/e.ts", "sub/deep/f.tsx"]),
        (".", "*.log", ["keep.log", "sub/d.log"]),
        (".", "sub/**/*.ts", ["sub/deep/e.ts"]),
        (".", "!*.t*", [".hidden/g.py", "a.py", "keep.log", "sub/d.log"]),
        ("sub", None, ["sub/d.log", "sub/deep/e.ts", "sub/deep/f.tsx", "sub/top.txt"]),
        ("sub/deep", None, ["sub/deep/e.ts", "sub/deep/f.tsx"]),
        ("build", None, ["build/x.py"]),
        ("c.log", None, ["c.log"]),
        (".", "*.none", []),
    ],
)
async def test_paths_and_globs(tree: Path, ripgrep: str | None, path: str, glob: str | None, files: list[str]) -> None:
    text = await find(context(tree), query(tree, "[Nn]eedle", path, glob), ripgrep)
    assert [line.split(":")[0] for line in text.split("\n") if not line.startswith(("[", "No matches"))] == files


@pytest.mark.parametrize("pattern", ["nothing like it", "-e", "$^x", "needle\\$"])
async def test_no_match(tree: Path, ripgrep: str | None, pattern: str) -> None:
    assert await find(context(tree), query(tree, pattern), ripgrep) == "No matches."


async def test_a_pattern_of_pythons_dialect_works_with_ripgrep_too(tree: Path, ripgrep: str | None) -> None:
    text = await find(context(tree), query(tree, r"needle(?= two)"), ripgrep)
    assert text == "b.txt:2: needle two\n[1 matching line in 1 file]"


async def test_the_limit_of_matches(tree: Path, ripgrep: str | None) -> None:
    (tree / "many.txt").write_text("needle\n" * 500_000)
    text = await find(context(tree), query(tree, "^needle$"), ripgrep)
    lines = text.split("\n")
    assert len(lines) == search_module.MATCHES + 1
    assert lines[-1].startswith("[the first 200 matching lines; there are more")


async def test_the_tool_itself(tree: Path) -> None:
    ctx = context(tree)
    outcome = await run(SEARCH, ctx, pattern="needle two")
    assert outcome.output == "b.txt:2: needle two\n[1 matching line in 1 file]"
    assert (outcome.status, outcome.side_effects) == ("ok", "none")
    assert recorder_of(ctx).outputs == []
    assert "does not exist" in (await run(SEARCH, ctx, pattern="x", path="gone")).output
    outcome = await run(SEARCH, ctx, pattern="(unclosed")
    assert outcome.status == "error"
    assert outcome.output.startswith("pattern: '(unclosed' is not a regular expression: missing )")


async def test_a_pattern_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It backtracks for ages while it holds its interpreter's lock; ours stays free, and cancelling works at once."""
    (tmp_path / "f").write_text("a" * 60 + "!\n")
    ctx = context(tmp_path)
    monkeypatch.setattr(search_module, "SECONDS", 1.0)
    text = await find(ctx, query(tmp_path, "(a+)+$"), None)
    assert text == "[the search was ended after 1 s; look in a smaller path, or with a glob]"
    monkeypatch.setattr(search_module, "SECONDS", 60.0)
    task = asyncio.create_task(find(ctx, query(tmp_path, "(a+)+$"), None))
    await until(lambda: len(recorder_of(ctx).started) == 2)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 20
    for _, group, _ in recorder_of(ctx).started:
        assert living(group) == []


def test_braces() -> None:
    assert expand_braces("a.{b,c{d,e}}") == ["a.b", "a.cd", "a.ce"]
    assert expand_braces("plain{x}") == ["plain{x}"]


def test_the_search_uses_ripgrep_where_it_is(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rg = need("rg")
    asked: list[list[str]] = []
    real = search_module.run_process

    async def spy(argv: list[str], *rest: object, **options: object) -> object:
        asked.append(argv)
        return await real(argv, *rest, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(search_module, "run_process", spy)

    def which(name: str) -> str | None:
        return rg if name == "rg" else None

    monkeypatch.setattr(shutil, "which", which)
    asyncio.run(run(SEARCH, context(tree), pattern="needle", glob="*.py"))
    assert [argv[0] for argv in asked] == [rg]
