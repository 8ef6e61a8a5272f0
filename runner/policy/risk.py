"""What is at stake in a call, in a few words each, for the person who is asked about it.

A help for reading, never a reason to allow: what is not known here is not harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runner.events import Risk
from runner.policy.base import CallFacts
from runner.policy.hosts import host_of
from runner.policy.shell.model import Line, Simple
from runner.policy.shell.peel import base_name
from runner.policy.shell.programs import CODE_READERS, INTERPRETERS, SHELLS

MOST: Final = 6
LONGEST: Final = 80

_AS_OTHERS: Final = frozenset(
    {"sudo", "doas", "su", "runuser", "pkexec", "gosu", "su-exec", "chroot", "nsenter", "setpriv"}
)
_NETWORK: Final = frozenset(
    {"curl", "wget", "ssh", "scp", "sftp", "rsync", "nc", "ncat", "netcat", "socat", "ftp", "telnet", "http", "aria2c"}
    | {"ping", "dig", "nslookup", "nmap", "gh", "aws", "gcloud", "az", "kubectl", "helm", "terraform", "twine"}
)
_NETWORK_WITH: Final[dict[str, frozenset[str]]] = {
    "git": frozenset({"push", "pull", "fetch", "clone", "ls-remote", "submodule", "remote"}),
    "npm": frozenset({"install", "i", "ci", "publish", "update", "exec", "login"}),
    "pnpm": frozenset({"install", "i", "add", "publish", "update", "dlx"}),
    "yarn": frozenset({"install", "add", "publish", "upgrade", "dlx"}),
    "pip": frozenset({"install", "download"}),
    "uv": frozenset({"add", "sync", "pip", "lock", "publish"}),
    "cargo": frozenset({"install", "publish", "fetch", "update", "add"}),
    "go": frozenset({"get", "install", "mod"}),
    "docker": frozenset({"pull", "push", "login", "build"}),
    "podman": frozenset({"pull", "push", "login", "build"}),
    "apt": frozenset({"install", "update", "upgrade"}),
    "apt-get": frozenset({"install", "update", "upgrade"}),
    "brew": frozenset({"install", "update", "upgrade"}),
}
_DESTROYS: Final = frozenset(
    {"rm", "rmdir", "shred", "unlink", "dd", "mkfs", "fdisk", "parted", "wipefs", "truncate", "kill", "pkill"}
    | {"killall", "shutdown", "reboot", "poweroff", "halt", "userdel", "chown", "chmod", "mount", "umount"}
)
_DESTROYS_WITH: Final[dict[str, frozenset[str]]] = {
    "git": frozenset({"reset", "clean", "rebase", "filter-branch", "gc", "prune", "restore", "checkout", "branch"}),
    "docker": frozenset({"rm", "rmi", "prune", "kill", "volume", "system"}),
    "kubectl": frozenset({"delete", "drain", "replace"}),
    "terraform": frozenset({"destroy", "apply"}),
    "systemctl": frozenset({"stop", "disable", "mask", "kill", "restart"}),
    "find": frozenset({"-delete"}),
    "npm": frozenset({"unpublish"}),
}
_FORCED: Final = frozenset({"--force", "-f", "--hard", "--delete", "-D", "--force-with-lease", "--mirror", "--purge"})


def _brief(text: str) -> str:
    """Up to the first semicolon, and not so long that it hides the others; a cut is seen."""
    text = text.partition("; ")[0]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def risk_of(facts: CallFacts, said: Sequence[str] = ()) -> tuple[Risk, tuple[str, ...]]:
    """How much is at stake, and why. said: what the tool says of this call."""
    found = list(_risks(facts))
    worst = any(high for high, _ in found)
    words = [text for _, text in sorted(found, key=lambda risk: not risk[0])]
    kept = tuple(dict.fromkeys(_brief(text) for text in (*words, *said) if text))
    if worst:
        return "high", kept[:MOST]
    if facts.read_only and not found:
        return "low", kept[:MOST]
    return "medium", kept[:MOST]


def _risks(facts: CallFacts) -> Iterator[tuple[bool, str]]:
    """Whether each makes it a high risk, and its words."""
    outside = [path.given for path in facts.paths if not path.inside]
    if outside:
        does = "reads" if facts.read_only else "changes files"
        yield not facts.read_only, f"{does} outside the workspace"
    elif facts.concern is not None:
        yield not facts.read_only, facts.concern
    if facts.kind == "edit" and not outside:
        yield False, "changes files"
    if facts.kind == "net" or facts.urls:
        hosts = dict.fromkeys(host_of(url) for url in facts.urls)
        for host in hosts or [None]:
            yield False, f"uses the network: {host}" if host else "uses the network"
    if facts.line is not None:
        yield from _line_risks(facts, facts.line)
    elif facts.kind == "shell":
        yield True, "runs commands that cannot be read here"


def _line_risks(facts: CallFacts, line: Line) -> Iterator[tuple[bool, str]]:
    for problem in line.problems:
        yield problem.hides, problem.why
    for command in line.commands:
        yield from _command_risks(command)
    for file in facts.files:
        path = str(file.arguments.get("path", ""))
        if any(not each.inside for each in file.paths) or not file.paths:
            yield not file.read_only, f"{'reads' if file.read_only else 'writes'} outside the workspace: {path}"
        elif not file.read_only:
            yield False, f"writes {path}"


def _command_risks(command: Simple) -> Iterator[tuple[bool, str]]:
    name = base_name(command.name or "")
    words = {word for word in command.argv[1:] if word is not None}
    if not name:
        yield True, "which program runs is not known before it does"
        return
    if name in _AS_OTHERS:
        yield True, f"{name}: runs as another user"
    if name in _DESTROYS or words & _DESTROYS_WITH.get(name, frozenset()):
        yield True, f"{name}: may destroy what is there"
    elif words & _FORCED and (name in _NETWORK_WITH or name in _DESTROYS_WITH):
        yield True, f"{name}: is forced"
    if name in _NETWORK or words & _NETWORK_WITH.get(name, frozenset()):
        yield False, f"{name}: uses the network"
    if name in SHELLS or name in CODE_READERS or _is_interpreter(name):
        yield False, f"{name}: runs code"
    for risk in command.risks:
        yield False, risk.why


def _is_interpreter(name: str) -> bool:
    return name in INTERPRETERS or name.rstrip("0123456789.") in INTERPRETERS
