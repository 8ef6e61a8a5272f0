"""Options that do more than their program's name says: they run code, or write files. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options that do more than their program's name says. shorts: letters; longs: without the dashes; words: whole
    words (find's primaries, say); starts: beginnings of words; plain: long options that only look like an
    abbreviation of one of these.
    """

    shorts: str = ""
    longs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()


OPTIONS: Final[dict[str, Options]] = {
    "find": Options(
        words=(
            "-exec",
            "-execdir",
            "-ok",
            "-okdir",
            "-delete",
            "-fprint",
            "-fprint0",
            "-fprintf",
            "-fls",
            "-files0-from",
        )
    ),
    "fd": Options(shorts="xX", longs=("exec", "exec-batch")),
    "fdfind": Options(shorts="xX", longs=("exec", "exec-batch")),
    "rg": Options(shorts="fz", longs=("pre", "pre-glob", "hostname-bin", "search-zip", "file", "ignore-file")),
    "grep": Options(shorts="f", longs=("file",)),
    "ag": Options(longs=("pager",)),
    "bat": Options(longs=("pager", "config-file", "generate-config-file")),
    "sort": Options(shorts="oTS", longs=("output", "compress-program", "temporary-directory", "files0-from")),
    "tar": Options(
        shorts="IFgK",
        plain=("list", "file"),
        longs=(
            "to-command",
            "checkpoint-action",
            "use-compress-program",
            "rsh-command",
            "rmt-command",
            "info-script",
            "new-volume-script",
            "index-file",
            "listed-incremental",
            "files-from",
            "absolute-names",
        ),
    ),
    "bsdtar": Options(longs=("use-compress-program", "files-from")),
    "rsync": Options(
        shorts="eT", longs=("rsh", "rsync-path", "daemon", "files-from", "log-file", "write-batch", "password-file")
    ),
    "sed": Options(shorts="if", longs=("in-place", "file")),
    "curl": Options(
        shorts="oOKTFcDE",
        longs=(
            "output",
            "remote-name",
            "remote-name-all",
            "config",
            "upload-file",
            "form",
            "cookie-jar",
            "dump-header",
            "output-dir",
            "create-dirs",
            "engine",
            "trace",
            "trace-ascii",
            "unix-socket",
            "libcurl",
            "stderr",
            "remote-header-name",
            "etag-save",
            "hsts",
            "alt-svc",
            "netrc-file",
            "proxy",
            "socks5",
            "preproxy",
        ),
        starts=("-d@", "--data@", "file:", "@"),
    ),
    "wget": Options(
        shorts="OoaePiB",
        longs=(
            "output-document",
            "output-file",
            "append-output",
            "execute",
            "directory-prefix",
            "input-file",
            "config",
            "use-askpass",
            "post-file",
            "body-file",
            "save-cookies",
            "warc-file",
            "hsts-file",
            "rejected-log",
        ),
    ),
    "man": Options(shorts="PHCML", longs=("pager", "html", "config-file", "browser", "manpath", "preprocessor")),
    "less": Options(shorts="oOkKt", longs=("log-file", "LOG-FILE", "lesskey-file", "lesskey-src"), starts=("+",)),
    "more": Options(starts=("+",)),
    "vim": Options(
        shorts="cSsuelEWw",
        longs=("cmd", "startuptime", "headless", "embed", "listen", "remote-send"),
        starts=("+",),
    ),
    "zip": Options(shorts="TO", longs=("unzip-command", "test")),
    "ssh": Options(shorts="oFSEIiLRDwJ"),
    "scp": Options(shorts="oFSiJ"),
    "sftp": Options(shorts="oFSibJDs"),
    "ssh-keygen": Options(shorts="DwKfsO"),
    "make": Options(
        shorts="fCIEj", longs=("file", "makefile", "directory", "include-dir", "eval", "environment-overrides")
    ),
    "go": Options(starts=("-exec", "--exec", "-toolexec", "--toolexec", "-overlay", "-vettool", "--vettool")),
    "cargo": Options(longs=("config", "manifest-path")),
    "gcc": Options(starts=("-wrapper", "-fplugin", "-B", "-specs", "@")),
    "tcpdump": Options(shorts="zwWG", longs=("postrotate-command",)),
    "split": Options(longs=("filter",)),
    "date": Options(shorts="sf", longs=("set", "file")),
    "tree": Options(shorts="o", longs=("output",)),
    "shuf": Options(shorts="o", longs=("output",)),
    "yq": Options(shorts="i", longs=("inplace", "in-place")),
    "file": Options(shorts="CmfM", longs=("compile", "magic-file", "files-from")),
    "hostname": Options(shorts="bF", longs=("boot", "file")),
    "printf": Options(shorts="v"),
    "test": Options(shorts="vR"),
    "jq": Options(shorts="fL", longs=("from-file", "slurpfile", "rawfile")),
    "psql": Options(shorts="cfovL", longs=("command", "file", "output", "set", "log-file")),
    "mysql": Options(shorts="e", longs=("execute", "pager", "tee")),
    "gh": Options(words=("alias", "extension")),
    "pytest": Options(
        shorts="pco", longs=("confcutdir", "rootdir", "override-ini", "config-file", "pdbcls", "basetemp")
    ),
    "openssl": Options(words=("engine", "-engine")),
    "kubectl": Options(longs=("kubeconfig",), words=("edit",)),
    "dd": Options(starts=("of=",)),
    "apt-get": Options(shorts="oct", longs=("option", "config-file", "target-release")),
    "npm": Options(shorts="C", longs=("script-shell", "prefix", "node-options", "userconfig", "globalconfig", "shell")),
    "nmap": Options(shorts="o", longs=("script", "datadir", "servicedb", "resume", "stylesheet")),
    "journalctl": Options(longs=("pager", "directory", "root", "vacuum-size", "vacuum-time", "rotate")),
    "systemctl": Options(shorts="HM", longs=("host", "machine", "root"), words=("edit", "link")),
    "rpm": Options(shorts="EiUFe", longs=("eval", "pipe", "define", "load", "rcfile", "macros", "install", "upgrade")),
    "pip": Options(longs=("index-url", "extra-index-url", "find-links", "editable", "target", "prefix", "root")),
    "git": Options(
        shorts="c",
        longs=(
            "exec-path",
            "config-env",
            "git-dir",
            "work-tree",
            "upload-pack",
            "receive-pack",
            "exec",
            "output",
            "ext-diff",
            "textconv",
            "open-files-in-pager",
            "config",
            "template",
            "separate-git-dir",
            "extcmd",
            "output-directory",
            "paginate",
            "super-prefix",
            "namespace",
            "no-index",
            "reference",
            "server-option",
        ),
        starts=("ext::", "-O", "-C"),
    ),
}

SAME_OPTIONS: Final = {
    "gawk": "awk",
    "mawk": "awk",
    "nawk": "awk",
    "gsed": "sed",
    "gtar": "tar",
    "gfind": "find",
    "gsort": "sort",
    "g++": "gcc",
    "cc": "gcc",
    "clang": "gcc",
    "egrep": "grep",
    "fgrep": "grep",
    "pip3": "pip",
    "[": "test",
    "py.test": "pytest",
    "batcat": "bat",
    "apt": "apt-get",
    "aptitude": "apt-get",
    "pnpm": "npm",
    "yarn": "npm",
    "rvim": "vim",
    "rview": "vim",
    "vimdiff": "vim",
    "gmake": "make",
    "nvim": "vim",
    "view": "vim",
    "vi": "vim",
}

GIT_RUNS: Final = {
    "bisect": "can run commands",
    "submodule": "can run commands",
    "filter-branch": "runs commands",
    "difftool": "runs a program",
    "mergetool": "runs a program",
    "config": "can make git run commands",
    "help": "opens a pager or a browser",
    "instaweb": "starts a server",
    "daemon": "starts a server",
    "credential": "gives out passwords",
    "send-email": "runs a program",
    "rebase": "can run commands",
    "archive": "can write anywhere",
    "format-patch": "can write anywhere",
    "bundle": "can write anywhere",
    "hook": "runs hooks",
    "maintenance": "changes what runs later",
    "remote-ext": "runs commands",
    "upload-pack": "serves a repository",
    "shell": "runs commands",
    "fast-import": "writes files",
    "svn": "runs perl",
}
"""Subcommands that a grant of git alone does not mean."""

_GIT_KNOWN_TEXT: Final = (
    "add am apply annotate blame branch bundle cat-file check-ignore checkout cherry cherry-pick clean "
    "clone commit commit-tree count-objects describe diff diff-files diff-index diff-tree fetch for-each- "
    "ref fsck gc grep init log ls-files ls-remote ls-tree merge merge-base mv name-rev notes pull push "
    "range-diff reflog remote repack reset restore rev-list rev-parse revert rm shortlog show show-branch "
    "show-ref sparse-checkout stash status switch symbolic-ref tag update-index update-ref var verify- "
    "commit version whatchanged worktree write-tree"
)
GIT_KNOWN: Final = frozenset(_GIT_KNOWN_TEXT.split())

VALUELESS: Final = {
    "git": frozenset(
        {
            "-p",
            "-P",
            "--paginate",
            "--no-pager",
            "--bare",
            "--no-replace-objects",
            "--literal-pathspecs",
            "--no-optional-locks",
            "--glob-pathspecs",
            "--icase-pathspecs",
            "--version",
            "--help",
        }
    ),
}
"""Options of which it is known that the next word is not their value."""

EQUAL_FLAGS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "rm": {"r": ("R", "--recursive"), "R": ("r", "--recursive"), "f": ("--force",)},
    "git": {"--force": ("-f",), "f": ("--force",), "--delete": ("-d", "-D"), "D": ("--delete",), "a": ("--all",)},
    "chmod": {"R": ("--recursive",)},
    "chown": {"R": ("--recursive",)},
    "cp": {"r": ("R", "--recursive", "a"), "f": ("--force",)},
}
"""Other spellings of a flag that a deny rule names."""

_SWITCHES_TEXT: Final = (
    "-i --in-place -delete -fls --ext-diff --textconv -O --remote-name --remote-name-all --no-index "
    "--paginate --test --inplace --absolute-names --create-dirs --headless --embed "
    "--environment-overrides --search-zip --remote-header-name --compile -z --boot --no-clobber alias "
    "extension engine edit"
)
SWITCHES: Final = frozenset(_SWITCHES_TEXT.split())
"""Flagged words of which the next word is no part."""
