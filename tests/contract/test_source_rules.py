"""House rules that no linter knows: the home of litellm, silent handlers, suppressions, foreign names."""

from __future__ import annotations

import ast
import io
import os
import pwd
import re
import socket
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.contract.sources import ROOT, facts_of, litellm_imports, name_of, python_files, text_files

LITELLM_HOME = "runner/models/litellm_loader.py"
LOCKS = ("uv.lock", ".ci/requirements.lock")
LOCK_HOSTS = {"pypi.org", "files.pythonhosted.org"}

# Folders at the top of ordinary machines; a checkout below one of them does not make its name suspicious.
ORDINARY_TOPS = frozenset(
    {"app", "bin", "build", "builds", "code", "dev", "etc", "github", "home", "lib", "media", "mnt", "opt"}
    | {"private", "proc", "root", "run", "runner", "src", "srv", "sys", "tests", "themes", "tmp", "tui"}
    | {"usr", "var", "workspace", "workspaces", "Users", "Volumes"}
)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize(
    "source",
    [
        "import litellm",
        "import litellm.utils as u",
        "from litellm import acompletion",
        "def f():\n    from litellm.utils import x",
        "import importlib\nimportlib.import_module('litellm')",
        "__import__('litellm.main')",
    ],
)
def test_the_litellm_rule_sees_every_way_to_import_it(source: str) -> None:
    assert list(litellm_imports(ast.parse(source)))


def test_litellm_is_imported_in_one_file_only() -> None:
    guilty = {
        f"{name_of(path)}:{line}"
        for path in python_files()
        if name_of(path) != LITELLM_HOME
        for line in facts_of(path).litellm
    }
    assert guilty == set()


def test_no_handler_swallows_everything() -> None:
    guilty = {f"{name_of(path)}:{line}" for path in python_files() for line in facts_of(path).silent}
    assert guilty == set()


def test_no_lint_suppressions_and_every_type_ignore_names_its_rule() -> None:
    forbidden = re.compile(
        r"#\s*(?:noqa\b|ruff:\s*noqa|(?:type|pyright):\s*ignore(?!\s*\[[\w\-, ]+\])|pyright:\s*basic)"
    )
    guilty = {
        f"{name_of(path)}:{line} {text}"
        for path in python_files()
        # Few files say such words at all, and only those are taken apart to see whether a comment does.
        if forbidden.search(source := path.read_text(encoding="utf-8"))
        for line, text in _comments(source)
        if forbidden.search(text)
    }
    assert guilty == set()


def _names_of_this_machine() -> dict[str, re.Pattern[str]]:
    """Patterns for what only the machine at hand is called: the checkout's folders, the home, the host."""
    folders = {ROOT, *ROOT.parents, Path(pwd.getpwuid(os.getuid()).pw_dir)}
    patterns: dict[str, re.Pattern[str]] = {}
    for folder in folders:
        top_only = len(folder.parts) == 2
        if len(folder.parts) < 2 or (top_only and folder.name in ORDINARY_TOPS):
            continue
        patterns[str(folder)] = re.compile(rf"(?<![\w.~/-]){re.escape(str(folder))}(?![\w-])")
    host = socket.gethostname()
    if len(host) >= 6 and host not in {"localhost", "quarterdeck"}:
        patterns[host] = re.compile(rf"(?<![\w-]){re.escape(host)}(?![\w-])")
    return patterns


def test_no_file_names_the_machine_it_was_written_on() -> None:
    patterns = _names_of_this_machine()
    guilty = {
        f"{name_of(path)} names {what}"
        for path, text in text_files()
        for what, pattern in patterns.items()
        if pattern.search(text)
    }
    assert guilty == set()


def test_the_locks_come_from_the_public_index_with_hashes() -> None:
    for name in LOCKS:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"\bhttps?://([^/\s\"']+)", text)) <= LOCK_HOSTS
        assert not re.search(r"file://|--(?:extra-)?index-url|--find-links", text)
    pins = re.split(r"\n(?=\S)", (ROOT / ".ci/requirements.lock").read_text(encoding="utf-8").strip())
    assert pins
    assert [pin.split(" ")[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_both_locks_hold_the_same_versions() -> None:
    lock = cast("dict[str, list[dict[str, str]]]", tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8")))
    versions = {(package["name"], package["version"]) for package in lock["package"]}
    text = (ROOT / ".ci/requirements.lock").read_text(encoding="utf-8")
    pins: list[tuple[str, str]] = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([^\s;]+)", text, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S", text, flags=re.MULTILINE))
    assert set(pins) <= versions


def test_no_known_bad_release_of_litellm_is_locked() -> None:
    text = (ROOT / ".ci/requirements.lock").read_text(encoding="utf-8")
    found = re.search(r"^litellm==(\d+)\.(\d+)", text, flags=re.MULTILINE)
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (1, 106)
