"""Lines made of allowed and denied parts by every connector and wrapper, and lines that the real bash runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.policy import ApprovalMode, CallFacts, Rule, decide
from runner.policy.shell import take_apart
from tests.conftest import need, soak_factor
from tests.policy.support import rules

GOOD = [
    "aa",
    "aa x",
    "bb cc",
    "bb  cc -n",
    "aa 'q r'",
    'aa "s t"',
    "aa a\\ b",
    "aa $'x'",
    "aa </dev/null",
    "aa 2>&1",
    "! aa",
]
OPEN = ["ee", "bb", "bb dd", "aa $X", "X=1 aa", "eval aa", "/aa", "sudo aa", "aa *", "$X"]
BAD = ["zz", "zz -r x", "/bin/zz", "z'z'", "\\zz", '"zz" x', "$'\\x7az'", "ZZ", "> /dev/null zz", "zz $X"]

CONNECT = ["{} && {}", "{} || {}", "{}; {}", "{}\n{}", "{} | {}", "{} & {}", "{} |& {}", "{};\n{}", "{} &\n{}"]
AROUND = [
    "( {} )",
    "{{ {}; }}",
    "if {}; then aa; fi",
    "if aa; then {}; fi",
    "if aa; then aa; else {}; fi",
    "while {}; do aa; done",
    "for x in a b; do {}; done",
    "case x in x) {};; esac",
    "echo $( {} )",
    'echo "$( {} )"',
    "echo a$( {} )b",
    "aa <({})",
    'echo "$(cat <<EOF\n$( {} )\nEOF\n)"',
    "echo ${{x:-$( {} )}}",
    "[[ -n $( {} ) ]]",
]
HIDES_OPEN = ["timeout 5 {}", "nice {}", "nohup {}", "time {}", "command {}", "nice -n 5 timeout -k 1 5 {}"]
# The grammar does not read every compound behind a "!", so that such a line asks.
ASKS = [
    "! {}",
    "sudo {}",
    "env {}",
    "env X=1 {}",
    "xargs {}",
    "find . -exec {} \\;",
    "exec {}",
    "f() {{ {}; }}",
    "X=1 {}",
]

ALLOWED = rules("allow", ["aa", "bb cc", "echo", "cat", "timeout", "nice", "nohup", "time", "command"])
DENIED = rules("deny", ["zz"])
WHOLE = Rule(effect="allow", tool="shell")


def facts(line: str) -> CallFacts:
    """Without a workspace: a redirection to a file is a call of write_file, as call_facts makes it."""
    found = take_apart(line)
    files = tuple(
        CallFacts(
            tool="write_file" if file.writes else "read_file",
            kind="edit" if file.writes else "read",
            read_only=not file.writes,
            arguments={"path": file.path or file.raw},
            concern=None if file.path is not None else "unknown",
        )
        for file in found.files
    )
    return CallFacts(tool="shell", kind="shell", read_only=False, arguments={"command": line}, line=found, files=files)


def effect(line: str, rules: tuple[Rule, ...], mode: ApprovalMode = "default") -> str:
    return decide(facts(line), mode=mode, rules=rules, grants=()).effect


def joined(form: str, one: str, other: str) -> str:
    return form.format(one, other)


def wrapped(form: str, one: str) -> str:
    return form.format(one)


def between(before: str, form: str, part: str, after: str) -> str:
    return f"{before}\n{form.format(part)}\n{after}"


def compositions(parts: list[str], around: list[str]) -> st.SearchStrategy[str]:
    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds(joined, st.sampled_from(CONNECT), inner, inner) | st.builds(
            wrapped, st.sampled_from(around), inner
        )

    return st.recursive(st.sampled_from(parts), larger, max_leaves=6)


FORMS = st.sampled_from([*AROUND, *HIDES_OPEN, *ASKS, "{}"])
GOOD_LINES = compositions(GOOD, AROUND)
ANY_LINES = compositions([*GOOD, *OPEN, *BAD], [*AROUND, *HIDES_OPEN, *ASKS])
EXAMPLES = settings(
    deadline=None,
    max_examples=250 * soak_factor(),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


@EXAMPLES
@given(GOOD_LINES)
def test_what_is_allowed_in_every_part_is_allowed(line: str) -> None:
    assert effect(line, (*ALLOWED, *DENIED)) == "allow"


@EXAMPLES
@given(st.builds(between, GOOD_LINES, FORMS, st.sampled_from([*OPEN, *BAD]), GOOD_LINES))
def test_one_part_that_nothing_allows_is_enough_to_ask(line: str) -> None:
    assert effect(line, (*ALLOWED, *DENIED)) != "allow"
    assert effect(line, ALLOWED) != "allow"


@EXAMPLES
@given(st.builds(between, ANY_LINES, FORMS, st.sampled_from(BAD), ANY_LINES))
def test_a_denied_part_denies_whatever_stands_around_it(line: str) -> None:
    # Where the grammar says that it does not understand all of a line, a person is asked about what may hide in it.
    expected = {"deny", "ask"} if take_apart(line).hides else {"deny"}
    assert effect(line, (*ALLOWED, *DENIED)) in expected
    assert effect(line, (WHOLE, *DENIED)) in expected
    assert effect(line, DENIED, "bypass") in expected


TOKENS = [
    *(" ", " ", " ", "\n", "\\\n", "\\", ";", "&", "|", "||", "&&", "(", ")", "{ ", "}", "$(", "`", "'", '"', "$", "#"),
    *("<", ">", "<<EOF", "\nEOF\n", "<<'EOF'", "<<-EOF", "<<<", "$((", "))", "((", "[[ ", " ]]", "[ ", " ]", "if "),
    *("then ", "fi", "else ", "for x in ", "do ", "done", "while ", "case x in ", " esac", ";;", "x)", "!", "=", "x="),
    *("$x", "${x}", "${x:-", "*", "~", "$'", "\\x7a", "\\n", "time ", "function ", "()", "eval ", "command ", "exec "),
    *(
        "coproc ",
        "<(",
        ">(",
        "-n",
        "1",
        "\t",
        "&>",
        "2>&1",
        "{fd}>",
        "select x in ",
        "builtin ",
        "trap ",
        "EXIT",
        '"$(',
    ),
    *(
        ')"',
        "'zz'",
        "${x/",
        "$[",
        "]",
        "|&",
        '$"',
        "@P}",
        "env ",
        "-- ",
        "+(aa)",
        "a[1]=",
        "{aa,zz}",
        "aa=",
        "\r",
        "...",
    ),
    *("`zz`", "select x in ", "aa=", "in ", "x#", '""', "''", "\\ ", "\\;", "aa", "zz", "bb", "cc", "zz"),
]
SEEDS = GOOD_LINES | ANY_LINES


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A line with pieces of syntax put in, taken out or doubled anywhere."""
    line = draw(SEEDS)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 3)):
            case 0:
                line = line[:at] + line[at + 1 :]
            case 1:
                end = draw(st.integers(at, min(len(line), at + 12)))
                line = line[:end] + line[at:end] + line[end:]
            case _:
                line = line[:at] + draw(st.sampled_from(TOKENS)) + line[at:]
    return line[:400]


class Shell:
    """The real bash without a single program: each command that it would start is written down instead."""

    def __init__(self, bash: str, folder: Path) -> None:
        self.bash = bash
        self.folder = folder
        self.number = 0

    def run(self, line: str) -> tuple[list[list[str]], list[str]]:
        """The commands that the line starts, and the files that it makes."""
        self.number += 1
        place = self.folder / str(self.number)
        place.mkdir()
        log = self.folder / f"{self.number}.log"
        # One printf without a newline, so that what commands of a pipeline write at once is not mixed.
        report = f"printf '%q\\x01' \"$@\" END.END >> {log}"
        environment = {
            "PATH": "/nonexistent",
            "FUNCNEST": "3",
            "BASH_FUNC_command_not_found_handle%%": f"() {{ {report}; return 127; }}",
        }
        command = [self.bash, "--norc", "--noprofile", "-c", line]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(
            command, cwd=place, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        ) as process:
            # A loop that never ends has shown what it runs; the rest of its pipeline ends with it.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        started = [record.split("\x01")[:-1] for record in text.split("END.END\x01") if record]
        return started, os.listdir(place)


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(need("bash"), tmp_path_factory.mktemp("bash"))


def is_allowed(argv: list[str]) -> bool:
    return argv[0] == "aa" or argv[:2] == ["bb", "cc"] or argv[0] in {"cat", "timeout", "nice", "nohup", "time"}


@EXAMPLES
@given(line=mutated())
def test_the_real_bash_starts_nothing_that_was_not_allowed(bash: Shell, line: str) -> None:
    may_run = effect(line, ALLOWED) == "allow"
    not_denied = effect(line, DENIED, "bypass") == "allow"
    # What may not run anyway need not be tried, and loops may never end.
    if (
        "while" in line
        or "until" in line
        or not line.strip()
        or "\0" in line
        or not (may_run or (not_denied and "z" in line))
    ):
        return
    started, made = bash.run(line)
    if may_run:
        assert [argv for argv in started if not is_allowed(argv)] == []
        assert made == []
    if not_denied:
        assert [argv for argv in started if argv[0] == "zz"] == []


@pytest.mark.parametrize(
    "line",
    [
        "aa\n\\zz",
        "aa x\n\\z\\z y",
        "aa \\\n\nzz",
        "aa \\\n  \nzz",
        "z`z`z",
        "z`:`z",
        "echo ${x:-`zz`$(aa)}",
        '(!""zz)',
        "{aa zz\naa",
        'echo "$\\\n(zz)"',
        'echo "$(! aa \\ b\n\\zz)"',
        "echo `aa <<'EOF'\n`zz\nEOF\n`",
        "aa $x`zz`",
        "aa <<EOF\n`zz`\nEOF",
        "aa <<EOF; zz\nEOF",
        "aa | (zz)",
        "aa $(< /dev/null; zz)",
        "aa <<'EOF'echo $(zz)b\nEOF\n",
        "aa <<EOF $(zz)\nEOF\n",
        "aa # c \\\n -n2>&1",
        "aa # c\n\\zz",
        "aa # c\n\\ zz",
    ],
)
def test_lines_on_which_the_grammar_and_bash_differ_are_not_allowed(bash: Shell, line: str) -> None:
    """Each was found by comparing the two: bash does start something else than aa here."""
    assert effect(line, ALLOWED) != "allow"
    assert effect(line, DENIED, "bypass") != "allow"
    started, _ = bash.run(line)
    assert [argv for argv in started if not is_allowed(argv)]
