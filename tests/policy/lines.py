"""Shell lines with their expected decision in default mode, under allowances and denials by prefix.

The tables hold a line each; the return symbol in them stands for a newline. They are about the workspace that
`make_workspace` makes: src/a.py, sub/, .git/, and the links out and link.txt, which leave it.
"""

from __future__ import annotations

from pathlib import Path

ALLOWED = (
    "git status",
    "git log",
    "git diff",
    "git -C sub log",
    "git commit",
    "git grep",
    "git fetch",
    "git clone",
    "ls",
    "cat",
    "head",
    "wc",
    "grep",
    "rg",
    "echo",
    "printf",
    "find",
    "sed",
    "awk",
    "sort",
    "uniq",
    "tar",
    "rsync",
    "man",
    "less",
    "vim",
    "cd",
    "pytest",
    "make",
    "npm test",
    "python -m pytest",
    "python tools/gen.py",
    "bash tools/build.sh",
    "timeout",
    "nice",
    "time",
    "nohup",
    "command",
    "sudo apt-get update",
    "sshpass -f key uptime",
    "env pytest",
    "find . -name",
    "tee",
    "split",
    "zip",
    "date",
    "set",
    "test",
    "go test",
    "wget",
    "jq",
    "docker ps",
    "ssh build uptime",
    "uv run pytest",
)
DENIED = ("rm", "git push", "curl", "dd", "chmod -R", "git reset --hard", "npm publish", "shutdown")


def _table(name: str) -> tuple[str, ...]:
    text = (Path(__file__).parent / "tables" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line.replace("\N{RETURN SYMBOL}", "\n") for line in text.split("\n") if line)


ALLOW = _table("allow")
ASK = _table("ask")
DENY = _table("deny")
HIDDEN = _table("hidden")
"""What may hide a denied command: it asks, in every mode, unless it is allowed by its exact arguments."""
