"""Words of a command that a grant must name, because they do more than the command's name says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.policy.shell import programs
from runner.policy.shell.model import Risk, Word
from runner.policy.shell.options import GIT_KNOWN, GIT_RUNS, OPTIONS, SAME_OPTIONS, SWITCHES, Options
from runner.policy.shell.peel import base_name

_SED_SAFE = re.compile(
    r"\s*(?:(?:\d+|\$|/(?:[^/\\\n]|\\[^\n])*/)(?:\s*,\s*(?:\d+|\$|/(?:[^/\\\n]|\\[^\n])*/))?\s*!?\s*)?"
    r"(?:[pdq=]|s([/|#,:@])(?:(?!\1)[^\\\n]|\\[^\n])*\1(?:(?!\1)[^\\\n]|\\[^\n])*\1[gpiI\d]*"
    r"|y/(?:[^/\\\n]|\\[^\n])*/(?:[^/\\\n]|\\[^\n])*/)\s*;?\s*"
)
_AWK_UNSAFE = re.compile(r"system|getline|[|>@`]")
_GIT_SAFE_GLOBAL = frozenset({"--no-pager", "-P", "--no-optional-locks", "--version", "--literal-pathspecs"})
_COMMAND_OPTIONS = {
    "tar": (
        "--to-command",
        "--use-compress-program",
        "--info-script",
        "--new-volume-script",
        "--rsh-command",
        "--checkpoint-action",
        "-I",
        "-F",
    ),
    "rsync": ("-e", "--rsh", "--rsync-path"),
    "sort": ("--compress-program",),
    "split": ("--filter",),
    "rg": ("--pre",),
    "man": ("-P", "--pager"),
    "git": ("--upload-pack", "--receive-pack", "-x", "--exec", "--extcmd", "-O", "--open-files-in-pager", "-u"),
    "ssh": ("-o",),
    "scp": ("-o", "-S"),
    "sftp": ("-o", "-S"),
    "go": ("-exec", "-toolexec", "-vettool"),
    "tcpdump": ("-z", "--postrotate-command"),
    "zip": ("--unzip-command", "-TT"),
}
"""Options whose value is a command line."""


def risks_of(words: tuple[Word, ...]) -> Iterator[Risk]:
    """Each word that must be named, with why."""
    name = base_name(words[0].text or "")
    name = SAME_OPTIONS.get(name, name)
    yield from _unknown_words(name, words)
    options = OPTIONS.get(name)
    if options is not None:
        yield from _flagged(name, words, options)
    match name:
        case "git":
            yield from _git(words)
        case "sed":
            yield from _sed(words)
        case "awk":
            yield from _awk(words)
        case "make":
            made = [index for index, word in enumerate(words) if index and "=" in (word.text or "")]
            yield from (Risk(index, "make runs what a variable says") for index in made)
        case "uniq":
            operands = [index for index, word in enumerate(words) if index and not (word.text or "").startswith("-")]
            yield from (Risk(index, "uniq writes its second file") for index in operands[1:])
        case "set":
            safe = re.compile(r"[-+][eux]+|[-+]e?u?x?o|pipefail|errexit|nounset")
            yield from (
                Risk(i, "changes how the shell works")
                for i, word in enumerate(words)
                if i and not safe.fullmatch(word.text or "")
            )
        case _:
            pass


def _unknown_words(name: str, words: tuple[Word, ...]) -> Iterator[Risk]:
    free = len(words) if name not in programs.ANY_WORDS else 1
    if name == "printf" and len(words) > 1 and not (words[1].text or "-").startswith("-"):
        free = 2
    for index, word in enumerate(words):
        if word.text is None and (index == 0 or index < free):
            yield Risk(index, f"what {word.raw} comes to is not known before it runs")


def _flagged(name: str, words: tuple[Word, ...], options: Options) -> Iterator[Risk]:
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if text is None or not _is_flagged(text, options):
            continue
        yield Risk(index, f"{text} makes {name} do more than its name says")
        if "=" not in text and text not in SWITCHES:
            yield Risk(index + 1, f"what belongs to {text} must be named")


def _is_flagged(text: str, options: Options) -> bool:
    if text in options.words or (options.starts and text.startswith(options.starts)):
        return True
    if text.startswith("--"):
        name = text[2:].partition("=")[0]
        return bool(name) and name not in options.plain and any(option.startswith(name) for option in options.longs)
    return text.startswith("-") and bool(set(text[1:]) & set(options.shorts))


def _git(words: tuple[Word, ...]) -> Iterator[Risk]:
    at = 1
    while at < len(words) and (words[at].text or "").startswith("-"):
        if words[at].text not in _GIT_SAFE_GLOBAL:
            yield Risk(at, f"{words[at].text} changes what git does")
            yield Risk(at + 1, "what git does must be named")
        at += 1
    if at >= len(words) or words[at].text is None:
        return
    command = words[at].text or ""
    if command in GIT_RUNS:
        yield Risk(at, f"git {command} {GIT_RUNS[command]}")
    elif command not in GIT_KNOWN:
        yield Risk(at, f"git {command} may be an alias")
    for index, word in enumerate(words[at + 1 :], at + 1):
        text = word.text or ""
        if text == "--help":
            yield Risk(index, "opens a pager or a browser")
        elif text == "-u" and command == "clone":
            yield Risk(index, "names a program to run")
            yield Risk(index + 1, "names a program to run")
        elif re.match(r"[\w+.-]+::", text) or re.match(r"(ssh|git\+ssh|ssh\+git)://-|-\S*@", text):
            yield Risk(index, "an address that runs a command")
        elif command == "grep" and text.startswith("-O"):
            yield Risk(index, "opens a program")


def _sed(words: tuple[Word, ...]) -> Iterator[Risk]:
    scripts: list[int] = []
    operands: list[int] = []
    after = False
    for index, word in enumerate(words[1:], 1):
        text = word.text or ""
        if after:
            scripts.append(index)
            after = False
        elif text in ("-e", "--expression"):
            after = True
        elif text.startswith("--expression="):
            yield Risk(index, "a script that is not read here")
        elif text.startswith("-") and len(text) > 1 and not text.startswith("--"):
            if "e" in text[1:] or "l" in text[1:]:
                yield Risk(index, "options that are not read here")
        elif not text.startswith("-"):
            operands.append(index)
    for index in scripts or operands[:1]:
        if not _SED_SAFE.fullmatch(words[index].text or "\0"):
            yield Risk(index, "this sed script may run commands or write files")


def _awk(words: tuple[Word, ...]) -> Iterator[Risk]:
    at = 1
    while at < len(words) and (words[at].text or "").startswith("-") and words[at].text != "--":
        text = words[at].text or ""
        if not text.startswith(("-F", "-v")) or text.startswith("--"):
            yield Risk(len(words), f"awk {text} is not read here")
            return
        at += 2 if text in ("-F", "-v") else 1
    if at < len(words) and words[at].text == "--":
        at += 1
    if at < len(words) and _AWK_UNSAFE.search(words[at].text or "|"):
        yield Risk(len(words), "this awk program may run commands or write files")


def command_values(words: tuple[Word, ...]) -> Iterator[str | None]:
    """The values of options that are command lines themselves, for deny rules to see into."""
    name = SAME_OPTIONS.get(base_name(words[0].text or ""), base_name(words[0].text or ""))
    for index, word in enumerate(words[1:], 1):
        text = word.text
        for option in _COMMAND_OPTIONS.get(name, ()) if text is not None and text.startswith("-") else ():
            value = _value(words, index, option)
            if value is not False:
                yield _command_in(value)
    if name == "git":
        yield from _git_commands(words)


def _value(words: tuple[Word, ...], index: int, option: str) -> str | bool | None:
    """The option's value, None an unknown one; False where the word is another option."""
    text = words[index].text or ""
    if option.startswith("--") or len(option) > 2:
        name, has_value, value = text.partition("=")
        if len(name) < 4 or not option.startswith(name):
            return False
        if has_value:
            return value
    elif not text.startswith(option):
        return False
    elif text != option:
        return text[2:]
    return words[index + 1].text if index + 1 < len(words) else False


def _command_in(value: str | bool | None) -> str | None:
    if not isinstance(value, str):
        return None
    found = re.match(r"(?:exec=|(?:Proxy|Local|KnownHosts|Remote)Command[= ])(.*)", value, re.DOTALL | re.IGNORECASE)
    return found[1] if found else value


def _git_commands(words: tuple[Word, ...]) -> Iterator[str | None]:
    texts = [word.text for word in words]
    for index, text in enumerate(texts[:-1]):
        following = texts[index + 1]
        if text == "-c" and (following is None or re.search(r"=\s*!?\s*\S*[\s/]|alias\.|=!", following)):
            yield None if following is None else following.partition("=")[2].removeprefix("!")
        elif text == "--config-env" or (text or "").startswith("--config-env="):
            yield None
        elif (text == "run" and "bisect" in texts[:index]) or (text == "foreach" and "submodule" in texts[:index]):
            yield None if None in texts[index + 1 :] else " ".join(part for part in texts[index + 1 :] if part)
    for text in texts:
        if text is not None and text.startswith("ext::"):
            yield text.removeprefix("ext::")
