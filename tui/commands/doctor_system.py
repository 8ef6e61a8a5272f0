"""What the doctor says of Python, the packages, the terminal and the programs beside."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from tui.commands.findings import Finding, Level
from tui.terminal import Streams, can_open

OLDEST_PYTHON: Final = (3, 11)
LITELLM_FROM: Final = (1, 106)
LITELLM_BELOW: Final = (1, 110)
MALICIOUS: Final = frozenset({(1, 82, 7), (1, 82, 8)})
NEEDS_MCP: Final = frozenset({(1, 106, 0), (1, 106, 1), (1, 106, 2)})
REINSTALL: Final = "install Quarterdeck again from its lock file: make setup"


def program() -> Iterator[Finding]:
    here = sys.version_info[:3]
    old = here < OLDEST_PYTHON
    yield Finding(
        area="Program",
        name="Python",
        value=f"{platform.python_version()} ({sys.executable})",
        level="broken" if old else "ok",
        fix="use Python 3.11 or newer" if old else "",
    )
    yield Finding(area="Program", name="System", value=f"{platform.system()} {platform.release()} {platform.machine()}")
    windows = platform.system() == "Windows"
    if windows:
        yield Finding(
            area="Program",
            name="Platform",
            value="not supported",
            level="broken",
            fix="use Linux, macOS or the Windows Subsystem for Linux",
        )


def packages() -> Iterator[Finding]:
    for name in ("quarterdeck", "textual", "pydantic"):
        found = _version(name)
        yield Finding(
            area="Packages",
            name=name,
            value=found or "not installed",
            level="ok" if found else "broken",
            fix="" if found else REINSTALL,
        )
    found = _version("litellm")
    level, fix = judge_litellm(found, has_mcp=importlib.util.find_spec("mcp") is not None)
    yield Finding(area="Packages", name="litellm", value=found or "not installed", level=level, fix=fix)


def judge_litellm(found: str | None, *, has_mcp: bool) -> tuple[Level, str]:
    """Whether this litellm can be used, and what to do where it cannot."""
    if found is None:
        return "broken", REINSTALL
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:3])
    if numbers in MALICIOUS:
        return "broken", f"this release was malicious: remove it, change every key this machine held, {REINSTALL}"
    if numbers in NEEDS_MCP and not has_mcp:
        return "broken", f"this release cannot call tools without the package mcp: {REINSTALL}"
    if not LITELLM_FROM <= numbers[:2] < LITELLM_BELOW:
        return "warning", f"Quarterdeck is made for 1.106 up to 1.109: {REINSTALL}"
    return "ok", ""


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def terminal() -> Iterator[Finding]:
    environ = os.environ
    size = shutil.get_terminal_size()
    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    ttys = {name: stream.isatty() for name, stream in streams.items()}
    names = ", ".join(name for name, is_tty in ttys.items() if is_tty) or "none of stdin, stdout, stderr"
    yield Finding(area="Terminal", name="Terminal on", value=names)
    if any(ttys.values()):
        yield Finding(area="Terminal", name="Size", value=f"{size.columns}x{size.lines}")
    yield Finding(area="Terminal", name="Colours", value=_colours(environ))
    encoding = (sys.stdout.encoding or "unknown").lower()
    utf8 = encoding.replace("-", "") == "utf8"
    yield Finding(
        area="Terminal",
        name="Encoding",
        value=encoding,
        level="ok" if utf8 else "warning",
        fix="" if utf8 else "set LC_ALL=C.UTF-8 (or another UTF-8 locale)",
    )
    yield Finding(area="Terminal", name="Inside", value=_inside(environ))
    reason = can_open(environ, Streams(stdin=sys.stdin, stderr=sys.stderr))
    yield Finding(
        area="Terminal",
        name="Full screen",
        value="can be opened" if reason is None else "cannot be opened here",
        level="ok" if reason is None else "note",
        fix=reason or "",
    )


def _colours(environ: Mapping[str, str]) -> str:
    term, colorterm = environ.get("TERM", ""), environ.get("COLORTERM", "").lower()
    if "NO_COLOR" in environ:
        return "none wanted (NO_COLOR)"
    named = f"TERM={term or 'not set'}" + (f", COLORTERM={colorterm}" if colorterm else "")
    if colorterm in {"truecolor", "24bit"} or term.endswith("-direct"):
        return f"16 million ({named})"
    return f"256 ({named})" if "256" in term else f"16 or fewer ({named})"


def _inside(environ: Mapping[str, str]) -> str:
    found: list[str] = []
    if environ.get("TMUX"):
        found.append(_said("tmux", "-V") or "tmux")
    if environ.get("STY"):
        found.append(_said("screen", "--version") or "screen")
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        found.append("ssh")
    program = environ.get("TERM_PROGRAM", "")
    if program and program != "tmux":
        found.append(f"{program} {environ.get('TERM_PROGRAM_VERSION', '')}".strip())
    return ", ".join(found) or "no multiplexer, no ssh"


def helpers() -> Iterator[Finding]:
    ripgrep = _said("rg", "--version")
    yield Finding(
        area="Programs beside",
        name="ripgrep",
        value=ripgrep or "not found",
        level="ok" if ripgrep else "note",
        fix="" if ripgrep else "search works without it, more slowly; install ripgrep for large folders",
    )
    yield Finding(area="Programs beside", name="tmux", value=_said("tmux", "-V") or "not found")
    yield Finding(area="Programs beside", name="git", value=_said("git", "--version") or "not found")


def _said(name: str, *arguments: str) -> str:
    """The first line that a program prints of itself, "" where it cannot be run."""
    path = shutil.which(name)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).decode("utf-8", errors="replace").partition("\n")[0].strip()
