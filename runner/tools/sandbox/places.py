"""Which places of the machine a boxed command may write, and which it may not even read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.tools.base import Sandbox

SECRET_PLACES: Final = (
    *(".ssh", ".gnupg", ".password-store", ".local/share/keyrings", ".local/share/kwalletd"),
    *(".aws", ".azure", ".config/gcloud", ".oci", ".kube", ".docker", ".terraform.d/credentials.tfrc.json"),
    *(".netrc", ".git-credentials", ".config/git/credentials", ".config/gh", ".config/hub", ".config/glab-cli"),
    *(".npmrc", ".yarnrc.yml", ".pypirc", ".gem/credentials", ".cargo/credentials", ".cargo/credentials.toml"),
    *(".m2/settings.xml", ".gradle/gradle.properties", ".composer/auth.json", ".config/composer/auth.json"),
    *(".pgpass", ".my.cnf", ".mylogin.cnf", ".vault-token", ".config/op", ".config/Bitwarden", ".config/1Password"),
    *(".mozilla", ".config/google-chrome", ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge"),
    *(".config/vivaldi", ".config/opera", ".thunderbird", ".config/Signal", ".config/Slack"),
    *(".bash_history", ".zsh_history", ".local/share/fish/fish_history", ".python_history", ".psql_history"),
    *("Library/Keychains", "Library/Cookies", "Library/Application Support/Google/Chrome"),
    *("Library/Application Support/Firefox", "Library/Application Support/BraveSoftware"),
)
"""In the home folder: keys, tokens, cookies and what was typed. Sandbox.show makes one of them readable."""

_MODULES_LOOKED_AT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """All real paths that exist. writable: parents first, the workspace among them. guarded: inside of those, what may
    only be read. pinned: guarded folders that may be written but not be moved away. hidden: may not be read. absent:
    would be guarded, but is not there, and what is not there cannot be mounted.
    """

    workspace: Path
    writable: tuple[Path, ...]
    pinned: tuple[Path, ...]
    guarded: tuple[Path, ...]
    hidden: tuple[Path, ...]
    absent: tuple[Path, ...] = ()


def places_of(sandbox: Sandbox, workspace: Path, env: Mapping[str, str]) -> Places:
    """env: the command's; its HOME is the home folder whose secrets are hidden."""
    root = Path(os.path.realpath(workspace))
    repository = _worktree_home(root)
    folders = {root, *(_real(path) for path in sandbox.write), *([repository] if repository is not None else [])}
    writable = tuple(sorted(path for path in folders if path.is_dir()))
    pinned, guarded, absent = _guarded(root, repository)
    return Places(
        workspace=root,
        writable=writable,
        pinned=tuple(pinned),
        guarded=tuple(guarded),
        absent=tuple(absent),
        hidden=tuple(_hidden(sandbox, writable, env)),
    )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path.expanduser()))


def _guarded(root: Path, repository: Path | None) -> tuple[list[Path], list[Path], list[Path]]:
    """What is run or obeyed later: git's hooks and configuration, this program's rules.

    A folder with such things in it is pinned: renamed, it would be free for another one in its place.
    """
    git = root / ".git"
    pinned: list[Path] = []
    absent: list[Path] = []
    guarded: list[Path] = [root / ".quarterdeck"]
    if git.is_dir() and not git.is_symlink():
        repository = git
    elif git.is_file() and not git.is_symlink():
        guarded.append(git)
    if repository is not None:
        pinned.append(repository)
        for folder in (repository, *_modules(repository / "modules")):
            obeyed = [folder / "hooks", folder / "config", folder / "config.worktree", folder / "commondir"]
            guarded += obeyed
            absent += [path for path in obeyed if not os.path.lexists(path)]
        for folder in _folders(repository / "worktrees"):
            guarded += [folder / "config.worktree", folder / "commondir", folder / "gitdir"]
    return pinned, [path for path in guarded if path.exists() and not path.is_symlink()], absent


def _modules(folder: Path) -> Iterator[Path]:
    """The repositories of submodules, whose names may have slashes in them."""
    for count, (path, names, files) in enumerate(os.walk(folder)):
        if count > _MODULES_LOOKED_AT:
            return
        if "HEAD" in files and "config" in files:
            yield Path(path)
            names[:] = [name for name in names if name == "modules"]


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return []


def _worktree_home(root: Path) -> Path | None:
    """The repository that a linked work tree belongs to, without which nothing can be committed there.

    The file `.git` lies in the workspace, so anybody could have written it: it counts only where the folder it names
    says in turn that it belongs to this work tree, as git itself asks.
    """
    try:
        named = (root / ".git").read_text(encoding="utf-8", errors="strict")[:4096].strip()
        if not named.startswith("gitdir: "):
            return None
        own = Path(os.path.realpath(root / named.removeprefix("gitdir: ")))
        back = (own / "gitdir").read_text(encoding="utf-8").strip()
        shared = Path(os.path.realpath(own / (own / "commondir").read_text(encoding="utf-8").strip()))
    except (OSError, ValueError):
        return None
    belongs = Path(os.path.realpath(back)) == root / ".git" and own.parent == shared / "worktrees"
    return shared if belongs and (shared / "HEAD").is_file() and (shared / "objects").is_dir() else None


def _hidden(sandbox: Sandbox, writable: tuple[Path, ...], env: Mapping[str, str]) -> Iterator[Path]:
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    shown = [_real(path) for path in sandbox.show]
    for given in (*(home / name for name in SECRET_PLACES), *sandbox.hide):
        path = _real(given)
        if not path.exists() or path == Path("/"):
            continue
        if not any(other == path or other.is_relative_to(path) for other in (*writable, *shown)):
            yield path
