"""Commands that run other commands: which, and where these begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.policy.shell import programs
from runner.policy.shell.model import Problem, Risk, Word
from runner.policy.shell.programs import WRAPPERS, Wrapper

ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)
_VERSION = re.compile(r"(python|pypy|perl|ruby|lua|node|php|guile|julia)[\d.]*(?:\.exe)?", re.ASCII)
_PLAIN_WORD = re.compile(r"[\w@%+=:,./-]*", re.ASCII)
_COMMAND_VARIABLES = re.compile(
    r"(PS[0-4]|PROMPT_COMMAND|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|PATH|SHELL|IFS|LD_.*|DYLD_.*|GIT_.*|LESS.*|.*PAGER"
    r"|.*EDITOR|VISUAL|.*BROWSER|.*OPTIONS|.*OPTS?|PYTHON.*|PERL.*|RUBY.*|NODE.*|.*PATH|MAKEFLAGS|RUSTC.*|TAR_.*"
    r"|RSYNC_.*|SUDO_.*|.*_COMMAND|.*WRAPPER)",
    re.ASCII,
)


@dataclass(slots=True)
class Peeled:
    """What a command runs: inner commands by the place of their first word, texts that are shell lines of their own
    (None: unknown ones), and why the command itself must be named.
    """

    inner: list[tuple[int, tuple[Word, ...]]] = field(default_factory=list[tuple[int, tuple[Word, ...]]])
    texts: list[str | None] = field(default_factory=list[str | None])
    risks: list[Risk] = field(default_factory=list[Risk])
    problems: list[Problem] = field(default_factory=list[Problem])

    def hide(self, why: str, raw: str) -> None:
        self.problems.append(Problem(why, raw))


def base_name(name: str) -> str:
    """The program that a name or a path means, without folder, version and case: what a deny rule goes by."""
    last = name.rstrip("/").rpartition("/")[2].casefold()
    found = _VERSION.fullmatch(last)
    return found[1] if found else last.removesuffix(".exe")


def assignment_problem(text: str) -> Problem:
    name = text.partition("=")[0].removesuffix("+")
    changes = _COMMAND_VARIABLES.fullmatch(name) is not None
    why = f"{name} is set, which can change what programs run" if changes else f"the variable {name} is set"
    return Problem(why, text, hides=changes)


def peel(words: tuple[Word, ...], stdin: str | None, *, has_stdin: bool) -> Peeled:
    """Take one layer off. stdin: the text of a here-document, where there is one that is known."""
    found = Peeled()
    name = base_name(words[0].text or "")
    if name in programs.RESERVED:
        found.hide(f"{name} stands where a command is expected", words[0].raw)
        _inner(found, words, 1)
    elif name in programs.SHELLS:
        _shell(found, words, stdin, has_stdin=has_stdin)
    elif name in programs.INTERPRETERS:
        _interpreter(found, words, name)
    elif name in programs.CODE_READERS:
        _only_exactly(found, words, f"{name} runs what it reads")
    elif name in programs.ALWAYS_ASK:
        _always_ask(found, words, name)
    elif name == "find":
        _find(found, words)
    elif name in ("fd", "fdfind"):
        _after_option(found, words, ("-x", "-X", "--exec", "--exec-batch"))
    elif name == "ssh":
        _ssh(found, words)
    elif (wrapper := _wrapper(name, words)) is not None:
        _wrapped(found, words, *wrapper)
    return found


def _only_exactly(found: Peeled, words: Sequence[Word], why: str) -> None:
    found.risks.append(Risk(len(words), why))


def _inner(found: Peeled, words: tuple[Word, ...], start: int) -> None:
    if start < len(words):
        found.inner.append((start, words[start:]))


def _shell(found: Peeled, words: tuple[Word, ...], stdin: str | None, *, has_stdin: bool) -> None:
    name = words[0].raw
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if text is None:
            found.hide(f"what {name} is told to run is not known", word.raw)
            return
        if text in ("--version", "--help"):
            return
        if text.startswith("-") and not text.startswith("--") and "c" in text:
            _only_exactly(found, words, f"{name} {text} runs its argument as commands")
            # Options may stand between -c and its text, so every word that is none could be the text.
            texts = [other for other in words[index + 1 :] if not (other.text or "").startswith(("-", "+"))]
            found.texts.extend([texts[0].text] if texts else [None])
            # For deny rules: what surrounds the hole is known.
            found.texts.extend(other.holed for other in texts[:1] if other.holed is not None)
            return
        if text == "-s":
            break
        if text in ("-e", "-u", "-x", "-eu", "-ex", "-eux", "-l", "--", "--login", "--norc", "--noprofile", "--posix"):
            found.risks.append(Risk(index, f"an option of {name}"))
        elif text.startswith(("-", "+")):
            _only_exactly(found, words, f"{name} {text} changes what runs")
            found.hide(f"what {name} {text} runs is not known", words[0].raw)
            return
        else:
            found.risks.append(Risk(index, f"{name} runs the file {text}"))
            if text.startswith("/dev/") or text == "-":
                found.texts.append(None)
            return
    _only_exactly(found, words, f"{name} runs what it reads")
    found.texts.append(stdin if has_stdin else None)


def _interpreter(found: Peeled, words: tuple[Word, ...], name: str) -> None:
    letters = programs.INTERPRETERS[name]
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if text is None:
            return _only_exactly(found, words, f"what {name} runs is not known")
        if text in ("--version", "-V", "--help", "-h") and len(words) == 2:
            return None
        if text == programs.MODULE_OPTION.get(name):
            found.risks += [Risk(index, f"{name} -m runs a module"), Risk(index + 1, "the module must be named")]
            return None
        if text in programs.INTERPRETER_FLAGS and text[1:] not in letters:
            found.risks.append(Risk(index, f"an option of {name}"))
        elif text.startswith(("-", "+", "@")) or text in ("eval", "/dev/stdin", "repl"):
            return _only_exactly(found, words, f"{name} {text} runs code that stands in the line, or changes what runs")
        else:
            found.risks.append(Risk(index, f"{name} runs {text}"))
            return None
    return _only_exactly(found, words, f"{name} runs what it reads")


def _always_ask(found: Peeled, words: tuple[Word, ...], name: str) -> None:
    _only_exactly(found, words, f"{name} {programs.ALWAYS_ASK[name]}")
    rest = words[1:]
    if name == "eval":
        known = [word.text for word in rest]
        found.texts.append(" ".join(text for text in known if text is not None) if None not in known else None)
    elif name == "trap":
        found.texts.extend(word.text for word in rest[:1] if word.text not in ("-", "", "-p", "-l"))
    elif name in ("source", "."):
        if not rest or rest[0].text is None or rest[0].text.startswith("/dev/"):
            found.texts.append(None)
    elif name in ("alias", "hash", "enable", "fc", "at", "batch", "bind"):
        found.hide(f"{name} {programs.ALWAYS_ASK[name]}", words[0].raw)
    for word in rest if name in programs.SETS_VARIABLES else ():
        if word.text is None or ASSIGNMENT.match(word.text) or "[" in word.text:
            text = word.text or word.raw
            found.problems.append(
                assignment_problem(text) if ASSIGNMENT.match(text) else Problem("it sets variables", text)
            )


def _find(found: Peeled, words: tuple[Word, ...]) -> None:
    for index, word in enumerate(words):
        if word.text not in ("-exec", "-execdir", "-ok", "-okdir"):
            continue
        end = index + 1
        while end < len(words) and words[end].text not in (";", "+"):
            end += 1
        made = tuple(_filled(part, "{}") for part in words[index + 1 : end])
        if made:
            found.inner.append((index + 1, made))


def _filled(word: Word, place: str) -> Word:
    """A word into which something unknown is put."""
    if word.text is None or place not in word.text:
        return word
    return Word(None, word.raw, holed=word.text.replace(place, "$HOLE"))


def _after_option(found: Peeled, words: tuple[Word, ...], options: tuple[str, ...]) -> None:
    for index, word in enumerate(words):
        if word.text in options:
            made = tuple(Word(None, part.raw) if "{" in part.raw else part for part in words[index + 1 :])
            if made:
                found.inner.append((index + 1, (*made, Word(None, "(a path)"))))


def _ssh(found: Peeled, words: tuple[Word, ...]) -> None:
    start, doubt = options_end(words, Wrapper(values="BbcDEeFIiJLlmOopQRSWw", flags="46AaCfGgKkMNnqsTtVvXxYy"), 1)
    if doubt or start >= len(words) or words[start].text is None:
        found.hide("which host ssh goes to is not known", words[0].raw)
        return
    found.risks.append(Risk(start, f"ssh opens {words[start].raw}"))
    rest = words[start + 1 :]
    if not rest:
        _only_exactly(found, words, "ssh without a command opens a shell")
        return
    found.risks.append(Risk(start + 1, "the remote command must be named"))
    for index, word in enumerate(rest, start + 1):
        if word.text is None or not _PLAIN_WORD.fullmatch(word.text):
            found.risks.append(Risk(index, "the remote shell reads this word as shell text"))
    known = [word.text for word in rest if word.text is not None]
    if len(known) == len(rest) and all(_PLAIN_WORD.fullmatch(text) for text in known):
        found.inner.append((start + 1, rest))
    else:
        found.texts.append(" ".join(known) if len(known) == len(rest) else None)


def _wrapper(name: str, words: tuple[Word, ...]) -> tuple[Wrapper, int] | None:
    """The wrapper and the place after its own name (uv run: 2)."""
    if (name,) in WRAPPERS:
        return WRAPPERS[(name,)], 1
    for names, wrapper in WRAPPERS.items():
        if len(names) > 1 and names[0] == name:
            place = next((i for i, word in enumerate(words[1:], 1) if word.text == names[1]), None)
            if place is not None and (len(names) == 2 or names[2] in [word.text for word in words[place:]]):
                last = place if len(names) == 2 else [word.text for word in words].index(names[2])
                return wrapper, last + 1
    return None


def options_end(words: tuple[Word, ...], wrapper: Wrapper, start: int) -> tuple[int, bool]:
    """The place of the first word that is no option, and whether that is in doubt."""
    at, doubt = start, False
    while at < len(words):
        text = words[at].text
        if text is None:
            return at, True
        if text == "--":
            return at + 1, doubt
        if text.startswith("--"):
            name, has_value, _ = text[2:].partition("=")
            known = any(option.startswith(name) for option in wrapper.longs)
            doubt = doubt or not (known or has_value)
            at += 2 if known and not has_value else 1
        elif text.startswith("-") and len(text) > 1:
            steps, odd = _cluster(text[1:], wrapper)
            doubt = doubt or odd
            at += steps
        else:
            break
    return at, doubt


def _cluster(letters: str, wrapper: Wrapper) -> tuple[int, bool]:
    for place, letter in enumerate(letters):
        if letter in wrapper.values:
            return (1 if letters[place + 1 :] else 2), False
        if letter not in wrapper.flags and not letter.isdigit():
            return 1, True
    return 1, False


def _wrapped(found: Peeled, words: tuple[Word, ...], wrapper: Wrapper, start: int) -> None:
    name = base_name(words[0].text or "")
    if name == "command" and any(word.text in ("-v", "-V") for word in words[1:2]):
        return
    texts = _text_options(words, start, programs.TEXT_OPTIONS.get(name, ()))
    at, doubt = options_end(words, wrapper, start)
    own = words[start:at]
    while wrapper.assigns and at < len(words) and ASSIGNMENT.match(words[at].text or ""):
        found.problems.append(assignment_problem(words[at].text or ""))
        at += 1
    at += wrapper.skip
    at += wrapper.skip > 0 and words[at : at + 1] != () and words[at].text == "--"
    if doubt:
        found.hide(f"where the command of {name} begins is not certain", words[0].raw)
    _own_options(found, name, own, wrapper, start)
    if wrapper.named:
        found.risks += [Risk(index, f"{name} runs a command, which must be named") for index in range(start, at + 1)]
    if texts:
        _only_exactly(found, words, f"{name} runs its argument as commands")
        found.texts.extend(texts)
    else:
        _run_by(found, name, words, at, _replaced(own) if wrapper.hidden_words else None)


def _own_options(found: Peeled, name: str, own: Sequence[Word], wrapper: Wrapper, start: int) -> None:
    for index, word in enumerate(own, start):
        text = word.text or ""
        if wrapper.risky and text.startswith("-") and set(text[1:]) & set(wrapper.risky):
            found.risks += [Risk(index, f"{name} {text} writes a file"), Risk(index + 1, "the file must be named")]
        if name in ("env", "sudo", "uv") and text.startswith(("-C", "-D", "--chdir")):
            found.hide("the folder of the command changes", word.raw)


def _run_by(found: Peeled, name: str, words: tuple[Word, ...], at: int, place: str | None) -> None:
    """What the wrapper runs: its words from at on. place: the text in them that standard input replaces."""
    rest = words[at:]
    if not rest:
        if (
            name in ("su", "sudo", "doas", "runuser", "chroot", "unshare", "nsenter", "script", "exec")
            and len(words) > 1
        ):
            found.hide(f"{name} may open a shell", words[0].raw)
    elif name in ("su", "watch", "parallel"):
        known = [word.text for word in rest]
        found.texts.append(" ".join(text for text in known if text is not None) if None not in known else None)
        _only_exactly(found, words, f"{name} gives its words to a shell")
    elif place is not None:
        made = tuple(_filled(word, place) for word in rest)
        found.inner.append((at, (*made, Word(None, "(words from standard input)"))))
    else:
        found.inner.append((at, rest))


def _replaced(own: Sequence[Word]) -> str:
    """The text that xargs replaces."""
    for index, word in enumerate(own):
        text = word.text or ""
        if text.startswith("-I"):
            return text[2:] or (own[index + 1].text or "{}" if index + 1 < len(own) else "{}")
        if text.startswith(("-i", "--replace")):
            return text.removeprefix("--replace").removeprefix("-i").lstrip("=") or "{}"
    return "{}"


def _text_options(words: tuple[Word, ...], start: int, options: tuple[str, ...]) -> list[str | None]:
    found: list[str | None] = []
    for index, word in enumerate(words[start:], start):
        text = word.text or ""
        if text == "--" and options[:1] != ("-c",):
            break
        for option in options:
            if text == option:
                found.append(words[index + 1].text if index + 1 < len(words) else None)
            elif option.startswith("--") and text.startswith(f"{option}="):
                found.append(text.partition("=")[2])
            elif not option.startswith("--") and text.startswith(option) and not text.startswith("--"):
                found.append(text[len(option) :])
    return found
