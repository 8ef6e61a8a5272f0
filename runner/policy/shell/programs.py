"""What is known about programs: which run other commands, which of their options run code or write files. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """A program whose last words are a command of their own.

    values: short options that take a value, and `longs` the long ones; flags: short options without one. skip: words
    of its own before the command. assigns: NAME=VALUE words may come before it. named: a grant must name the command
    too, because the wrapper changes what the command may do or gets words that nobody sees.
    hidden_words: more words come from somewhere else (standard input). risky: options that name a file to write.
    """

    values: str = ""
    longs: tuple[str, ...] = ()
    flags: str = ""
    skip: int = 0
    assigns: bool = False
    named: bool = True
    hidden_words: bool = False
    risky: str = ""


PLAIN: Final = Wrapper(named=False)

WRAPPERS: Final[dict[tuple[str, ...], Wrapper]] = {
    ("timeout",): Wrapper(values="ks", longs=("kill-after", "signal"), flags="vfp", skip=1, named=False),
    ("gtimeout",): Wrapper(values="ks", longs=("kill-after", "signal"), flags="vfp", skip=1, named=False),
    ("nice",): Wrapper(values="n", longs=("adjustment",), flags="0123456789", named=False),
    ("ionice",): Wrapper(values="cnpPu", longs=("class", "classdata", "pid", "pgid", "uid"), flags="t", named=False),
    ("nohup",): PLAIN,
    ("time",): Wrapper(values="of", longs=("output", "format"), flags="pvaq", risky="o", named=False),
    ("stdbuf",): Wrapper(values="ioe", longs=("input", "output", "error"), named=False),
    ("setsid",): Wrapper(flags="cfw", named=False),
    ("command",): Wrapper(flags="pvV", named=False),
    ("builtin",): PLAIN,
    ("chrt",): Wrapper(values="TPD", flags="abdfiormpv", skip=1, named=False),
    ("taskset",): Wrapper(flags="acp", skip=1, named=False),
    ("caffeinate",): Wrapper(values="tw", flags="dimsu", named=False),
    ("exec",): Wrapper(values="a", flags="cl"),
    ("coproc",): Wrapper(),
    ("env",): Wrapper(values="uCPS", longs=("unset", "chdir", "split-string"), flags="i0v", assigns=True),
    ("sudo",): Wrapper(
        values="ugpCchrtTRDU",
        longs=("user", "group", "prompt", "close-from", "host", "role", "type", "chdir", "chroot", "command-timeout"),
        flags="AbEeHiKklnPSsVv",
        assigns=True,
    ),
    ("doas",): Wrapper(values="uCa", flags="Lns", assigns=True),
    ("su",): Wrapper(values="csgGw", longs=("command", "shell", "group", "supp-group"), flags="lmpfP", skip=1),
    ("runuser",): Wrapper(values="csgGuw", longs=("command", "shell", "group", "user"), flags="lmpfP"),
    ("pkexec",): Wrapper(longs=("user",)),
    ("gosu",): Wrapper(skip=1),
    ("su-exec",): Wrapper(skip=1),
    ("chroot",): Wrapper(longs=("groups", "userspec"), skip=1),
    ("unshare",): Wrapper(values="SGRw", flags="mpnuUiCTfcr"),
    ("nsenter",): Wrapper(values="tSGrw", flags="mpnuUiCTaF"),
    ("setpriv",): Wrapper(longs=("reuid", "regid", "groups", "selinux-label", "apparmor-profile")),
    ("systemd-run",): Wrapper(values="uMHpEtd", flags="GPqrS"),
    ("xargs",): Wrapper(
        values="adEILnPs",
        longs=("arg-file", "delimiter", "max-args", "max-procs", "max-chars", "max-lines", "process-slot-var"),
        flags="0eiloprtx",
        hidden_words=True,
    ),
    ("parallel",): Wrapper(values="aCDEIJjLnNPSsUXd", flags="0kmquvtX", hidden_words=True),
    ("watch",): Wrapper(values="nqs", longs=("interval",), flags="bcdegptxwC"),
    ("entr",): Wrapper(values="s", flags="acdnprxz", hidden_words=True),
    ("strace",): Wrapper(values="aAbeEIoOpPsSuUX", flags="cCdDfFhiknqrtTvVwxyYzZ", risky="oE"),
    ("ltrace",): Wrapper(values="aAeloDnpsuwFX", flags="bcCfhiLrStTVx", risky="oF"),
    ("valgrind",): Wrapper(longs=("tool", "log-file", "suppressions")),
    ("perf", "stat"): Wrapper(values="eopCIrx", flags="aBcdginv"),
    ("perf", "record"): Wrapper(values="eopCcFm", flags="agnqv"),
    ("flock",): Wrapper(
        values="cEw", longs=("timeout", "wait", "conflict-exit-code", "command"), flags="enosuxF", skip=1
    ),
    ("script",): Wrapper(values="cEIoOBTmt", longs=("command",), flags="aefqr", skip=1),
    ("busybox",): PLAIN,
    ("toybox",): PLAIN,
    ("sshpass",): Wrapper(values="pfdP", flags="ev"),
    ("fakeroot",): Wrapper(values="lisb"),
    ("firejail",): Wrapper(),
    ("proot",): Wrapper(values="rbqwvk"),
    ("bwrap",): Wrapper(longs=("bind", "ro-bind", "chdir", "setenv")),
    ("numactl",): Wrapper(values="iNmCpP", flags="aslhH", named=False),
    ("torsocks",): Wrapper(),
    ("proxychains",): Wrapper(values="f", flags="q"),
    ("proxychains4",): Wrapper(values="f", flags="q"),
    ("xvfb-run",): Wrapper(values="efnpsw", flags="al"),
    ("dbus-run-session",): Wrapper(longs=("config-file", "dbus-daemon")),
    ("direnv", "exec"): Wrapper(skip=1),
    ("uv", "run"): Wrapper(values="mpP", longs=("with", "python", "project", "package", "group", "extra", "env-file")),
    ("uvx",): Wrapper(values="pP", longs=("from", "with", "python")),
    ("pipx", "run"): Wrapper(longs=("spec", "python", "pip-args")),
    ("poetry", "run"): Wrapper(),
    ("pipenv", "run"): Wrapper(),
    ("pdm", "run"): Wrapper(values="ps", flags="g"),
    ("hatch", "run"): Wrapper(),
    ("rye", "run"): Wrapper(),
    ("conda", "run"): Wrapper(values="np", longs=("name", "prefix", "cwd"), flags="v"),
    ("bundle", "exec"): Wrapper(),
    ("npx",): Wrapper(values="pc", longs=("package", "call"), flags="yq"),
    ("bunx",): Wrapper(),
    ("npm", "exec"): Wrapper(values="cw", longs=("package", "call", "workspace"), flags="y"),
    ("pnpm", "exec"): Wrapper(flags="rc"),
    ("pnpm", "dlx"): Wrapper(longs=("package",), flags="c"),
    ("yarn", "exec"): Wrapper(),
    ("yarn", "dlx"): Wrapper(values="p", flags="q"),
    ("mise", "exec"): Wrapper(values="cj"),
    ("nix", "run"): Wrapper(skip=1),
    ("docker", "exec"): Wrapper(values="euw", longs=("env", "user", "workdir", "env-file"), flags="dit", skip=1),
    ("podman", "exec"): Wrapper(values="euw", longs=("env", "user", "workdir", "env-file"), flags="dit", skip=1),
    ("kubectl", "exec"): Wrapper(values="cnf", longs=("container", "namespace", "filename"), flags="itq", skip=1),
    ("ip", "netns", "exec"): Wrapper(skip=1),
}

SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "rbash", "csh", "tcsh", "yash"})

TEXT_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    **{"su": ("-c", "--command"), "runuser": ("-c", "--command"), "script": ("-c", "--command"), "flock": ("-c",)},
    **{"npx": ("-c", "--call"), "npm": ("-c", "--call"), "mise": ("-c", "--command")},
    **{"parallel": (), "watch": (), "env": ("-S", "--split-string")},
}
"""Options whose value is a shell line of its own."""

INTERPRETERS: Final[dict[str, str]] = {
    **{"python": "c", "pypy": "c", "perl": "eE", "ruby": "e", "node": "ep", "nodejs": "ep", "bun": "e", "deno": ""},
    **{
        "php": "rBE",
        "lua": "e",
        "luajit": "e",
        "tclsh": "",
        "rscript": "e",
        "julia": "eE",
        "tsx": "ep",
        "ts-node": "ep",
    },
    **{"pwsh": "c", "powershell": "c", "nu": "c", "xonsh": "c", "groovy": "e", "elixir": "e", "guile": "c"},
}
"""By name without a version: the letters of the options whose value is code."""

INTERPRETER_FLAGS: Final = frozenset({"-u", "-B", "-E", "-I", "-s", "-S", "-O", "-OO", "-q", "-w", "-T", "-n"})
"""Options of interpreters that take no value."""

MODULE_OPTION: Final = {"python": "-m", "pypy": "-m"}

CODE_READERS: Final = frozenset(
    {"ed", "ex", "emacs", "bc", "dc", "m4", "sqlite3", "gnuplot", "octave", "expect", "wish", "osascript", "scala"}
    | {"socat", "tmux", "screen", "run-parts", "ftp", "telnet", "openvpn", "start-stop-daemon", "ansible", "puppet"}
    | {"jshell", "java", "ghc", "runghc", "sbcl", "racket", "erl", "swift", "ipython", "r", "gdb", "lldb", "maxima"}
)
"""Programs that run what they read, in ways that no list of options describes."""

ALWAYS_ASK: Final[dict[str, str]] = {
    **dict.fromkeys(("eval", "source", "."), "runs text or a file as commands of this shell"),
    **dict.fromkeys(
        ("alias", "unalias", "hash", "enable", "trap", "bind", "complete", "compgen", "fc", "history"),
        "can change what later commands mean",
    ),
    **dict.fromkeys(
        (
            "export",
            "declare",
            "typeset",
            "local",
            "readonly",
            "unset",
            "read",
            "mapfile",
            "readarray",
            "getopts",
            "let",
            "shopt",
        ),
        "sets variables or options that later commands obey",
    ),
    **dict.fromkeys(("at", "batch", "crontab"), "runs commands later"),
    **dict.fromkeys(("pushd", "popd"), "changes the folder of what follows"),
}
"""Programs that no prefix covers: what they do is in their effect on the rest of the line, or cannot be seen."""

CODE_ALWAYS: Final = frozenset({"eval", "source", ".", "trap"})

SETS_VARIABLES: Final = frozenset(
    {"export", "declare", "typeset", "local", "readonly", "unset", "read", "mapfile", "readarray", "getopts", "let"}
)

HARMLESS: Final = frozenset({"true", "false", ":", "exit", "break", "continue", "return"})
ANY_WORDS: Final = frozenset({"echo", "true", "false", ":"})
"""Programs of which no word, whatever it is, does more than print."""

CHANGES_FOLDER: Final = frozenset({"cd", "chdir", "pushd", "popd"})

RESERVED: Final = frozenset(
    {"if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do", "done", "in"}
    | {"function", "{", "}", "!", "[[", "]]", "((", "))"}
)
