"""What the demo model understands: phrasings and the wishes that they stand for."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.models.demo.intents import (
    AllOfThem,
    Change,
    Describe,
    Intent,
    ListFiles,
    ReadFile,
    Resume,
    RunCommand,
    Say,
    Search,
    Tour,
    Unknown,
    WriteFile,
)
from runner.models.demo.marking import Marked
from runner.models.demo.request import MOST_CHARACTERS, MOST_INTENTS, parse

LOOKS: dict[str, Intent] = {
    "what is here": ListFiles("."),
    "What's here?": ListFiles("."),
    "what is in this folder?": ListFiles("."),
    "what files are there": ListFiles("."),
    "which files are in runner?": ListFiles("runner"),
    "how many files are here?": ListFiles("."),
    "list files": ListFiles("."),
    "please list the files in the tests folder": ListFiles("tests"),
    'list files in "my folder"': ListFiles("my folder"),
    "ls": ListFiles("."),
    "ls src/": ListFiles("src/"),
    "could you show me the files": ListFiles("."),
    "look around": ListFiles("."),
    "what's in src": ListFiles("src"),
    "what is in README.md": ReadFile("README.md"),
    "read README.md": ReadFile("README.md"),
    "Open the file setup.py, please": ReadFile("setup.py"),
    'open "my file.txt"': ReadFile("my file.txt"),
    "cat x": ReadFile("x"),
    "show README": ReadFile("README"),
    "what does setup.cfg say?": ReadFile("setup.cfg"),
    "show me README.md lines 3-9": ReadFile("README.md", 3, 9),
    "read a.py line 7": ReadFile("a.py", 7, 7),
    "read a.py:7-12": ReadFile("a.py", 7, 12),
    "read file pyproject.toml from line 2 to 8": ReadFile("pyproject.toml", 2, 8),
    "show the first 5 lines of a.py": ReadFile("a.py", 1, 5),
    "show lines 3 to 7 of a.py": ReadFile("a.py", 3, 7),
    "summarise README.md": Describe("README.md"),
    "Can you summarize the file notes.txt for me?": Describe("notes.txt"),
    "search TODO": Search("TODO"),
    'search for "def main" in src': Search("def main", "src"),
    "grep foo in this folder": Search("foo"),
    "find all TODOs in runner/": Search("TODOs", "runner/"),
    "where is Usage defined?": Search("Usage"),
    "which files mention litellm?": Search("litellm"),
    "search runner for class Hub": Search("class Hub", "runner"),
    "search the code for /def \\w+/": Search("def \\w+", ".", is_regex=True),
    "search for the regex `a.c` in x": Search("a.c", "x", is_regex=True),
}

ACTS: dict[str, Intent] = {
    'create hello.txt with "hello world"': WriteFile("hello.txt", "hello world\n"),
    "create hello.txt with hello world": WriteFile("hello.txt", "hello world\n"),
    "Create a new file called notes.md containing buy milk": WriteFile("notes.md", "buy milk\n"),
    "please create a file named 'a b.txt' that says 'it's me'": WriteFile("a b.txt", "it's me\n"),
    'write "x = 1\\ny = 2" to a.py': WriteFile("a.py", "x = 1\ny = 2\n"),
    "save “hi” as b.txt": WriteFile("b.txt", "hi\n"),
    "write a file b.txt with the content: hi there": WriteFile("b.txt", "hi there\n"),
    "create an empty file e.txt": WriteFile("e.txt", ""),
    "make a new file named x/y.txt": WriteFile("x/y.txt", ""),
    "create a.py with:\n```python\nprint('hi')\nrun ls\n```": WriteFile("a.py", "print('hi')\nrun ls\n"),
    "create a.py\n```\nx\n```": WriteFile("a.py", "x\n"),
    'change "a b" to "c" in x.py': Change("x.py", "a b", "c"),
    "change foo to bar in x.py": Change("x.py", "foo", "bar"),
    "replace foo with bar in the file x.py": Change("x.py", "foo", "bar"),
    "replace all foo with bar in x.py": Change("x.py", "foo", "bar", every=True),
    "change every occurrence of `foo` to `bar` in x.py": Change("x.py", "foo", "bar", every=True),
    "in x.py, replace foo by bar": Change("x.py", "foo", "bar"),
    "in x.py change foo to bar everywhere": Change("x.py", "foo", "bar", every=True),
    "edit x.py: foo -> bar": Change("x.py", "foo", "bar"),
    "fix the typo teh -> the in README.md": Change("README.md", "teh", "the"),
    'replace "foo" with "" in x.py': Change("x.py", "foo", ""),
    "run ls -la": RunCommand("ls -la"),
    "run: ls -la | wc -l": RunCommand("ls -la | wc -l"),
    "run `ls -la`": RunCommand("ls -la"),
    'run the command "git status"': RunCommand("git status"),
    "`git status`": RunCommand("git status"),
    "$ echo hi; echo ho": RunCommand("echo hi; echo ho"),
    "run ls; find . -name x": RunCommand("ls; find . -name x"),
    'run echo "a and then b"': RunCommand('echo "a and then b"'),
    "please run pytest -q, thanks": RunCommand("pytest -q"),
    "run git add .": RunCommand("git add ."),
    "run cat notes.txt.": RunCommand("cat notes.txt"),
    "run hello.py": RunCommand("python3 hello.py"),
    "git status": RunCommand("git status"),
    "how many lines does a.txt have?": RunCommand("wc -l a.txt"),
    "count the lines of 'a b.txt'": RunCommand("wc -l 'a b.txt'"),
    "find files named *.py": RunCommand("find . -name '*.py' -not -path './.git/*'"),
}

TALK: dict[str, Intent] = {
    "tour": Tour(),
    "Can you give me a short tour of Quarterdeck?": Tour(),
    "help me get started": Tour(),
    "hi": Say("greeting"),
    "Hello!": Say("greeting"),
    "help": Say("identity"),
    "?": Say("identity"),
    "Who are you?": Say("identity"),
    "are you a real model?": Say("identity"),
    "how do I connect a real model?": Say("connect"),
    "use claude": Say("connect"),
    "thanks!": Say("thanks"),
    "continue": Resume(),
    "all of them": AllOfThem(),
}

NOT_UNDERSTOOD = (
    "write me a poem",
    "make me a sandwich",
    "what is the meaning of life?",
    "delete everything",
    "don't run ls",
    "do not create a.txt",
    "show me a joke",
    "what is 2 + 2",
    "rename a.txt to b.txt",
    "add a line foo to bar.txt",
    "write README.md",
    "...",
    "",
)


@pytest.mark.parametrize(("message", "intent"), [*LOOKS.items(), *ACTS.items(), *TALK.items()])
def test_one_wish(message: str, intent: Intent) -> None:
    assert parse(message) == (intent,)


@pytest.mark.parametrize("message", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_guessed(message: str) -> None:
    assert parse(message) == (Unknown(message),)


@pytest.mark.parametrize(
    ("message", "intents"),
    [
        (
            "create hello.txt with hello world and then run cat hello.txt",
            (WriteFile("hello.txt", "hello world\n"), RunCommand("cat hello.txt")),
        ),
        ('create a.txt with "hi" and run cat a.txt', (WriteFile("a.txt", "hi\n"), RunCommand("cat a.txt"))),
        ("create a.txt with hello. Then read it.", (WriteFile("a.txt", "hello\n"), ReadFile("a.txt"))),
        ("Create X.txt with Y and show it", (WriteFile("X.txt", "Y\n"), ReadFile("X.txt"))),
        (
            "create notes.md containing buy milk and read a book",
            (WriteFile("notes.md", "buy milk and read a book\n"),),
        ),
        ("read a.txt and b.txt", (ReadFile("a.txt"), ReadFile("b.txt"))),
        ("show a.txt, b.txt and 'c d.txt'", (ReadFile("a.txt"), ReadFile("b.txt"), ReadFile("c d.txt"))),
        (
            "list files, then read README.md, then run `wc -l README.md`",
            (ListFiles("."), ReadFile("README.md"), RunCommand("wc -l README.md")),
        ),
        ("1. list files\n2. read a.txt\n3. run ls", (ListFiles("."), ReadFile("a.txt"), RunCommand("ls"))),
        (
            "replace foo by bar in x.py and then run it",
            (Change("x.py", "foo", "bar"), RunCommand("python3 x.py")),
        ),
        ("execute sleep 5 and then list files", (RunCommand("sleep 5"), ListFiles("."))),
        ("run ls and show me the output", (RunCommand("ls"),)),
        ("hello, what is here?", (ListFiles("."),)),
        ("read a.txt and then dance", (ReadFile("a.txt"), Unknown("dance"))),
        (
            "create a.sh with:\n```\necho 1; echo 2\n```\nand then run it",
            (WriteFile("a.sh", "echo 1; echo 2\n"), RunCommand("sh a.sh")),
        ),
        ('change "x and then run y" to "z" in a.txt', (Change("a.txt", "x and then run y", "z"),)),
    ],
)
def test_several_wishes_in_order(message: str, intents: tuple[Intent, ...]) -> None:
    assert parse(message) == intents


def test_it_is_the_file_spoken_of_before() -> None:
    assert parse("read it", "notes.txt") == (ReadFile("notes.txt"),)
    assert parse("change a to b in it", "notes.txt") == (Change("notes.txt", "a", "b"),)
    assert parse("change a to b in it") == (Unknown("change a to b in it"),)


def test_too_many_wishes_are_named_not_dropped_in_silence() -> None:
    intents = parse("; ".join(f"read {name}.txt" for name in "abcdefghij"))
    assert intents[:MOST_INTENTS] == tuple(ReadFile(f"{name}.txt") for name in "abcdefghij"[:MOST_INTENTS])
    assert isinstance(intents[-1], Unknown)
    assert intents[-1].text.startswith(f"{10 - MOST_INTENTS} more wishes")


def test_nothing_in_quotes_is_read_as_a_wish() -> None:
    marked = Marked("say \"run ls; then 'x'\" and `a \"b\"` or 'it's' ok")
    assert [quote.inner for quote in marked.quotes] == ["run ls; then 'x'", 'a "b"', "it's"]
    assert marked.raw(marked.text) == "say \"run ls; then 'x'\" and `a \"b\"` or 'it's' ok"


@given(st.text(max_size=300))
def test_any_text_gives_at_least_one_intent_and_the_same_one_twice(text: str) -> None:
    intents = parse(text)
    assert intents
    assert intents == parse(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_marking_loses_nothing(before: str, after: str) -> None:
    text = f'{before} "a" {after}'
    assert Marked(text).raw(Marked(text).text) == text.strip()


@given(
    st.from_regex(r"[a-z]{1,8}\.(txt|py|md)", fullmatch=True),
    st.text(st.characters(exclude_categories=("C",), exclude_characters='"\\'), min_size=1, max_size=80),
)
def test_quoted_content_arrives_as_it_is(path: str, content: str) -> None:
    assert parse(f'create {path} with "{content}"') == (WriteFile(path, content + "\n"),)


@pytest.mark.parametrize(
    "text",
    [
        "change a to b to c in " * 90,
        "create x.txt with " + "read and then run " * 100,
        "read " * 390,
        "search for in in in " * 95,
        "a, and then " * 160,
        "write to as in " * 130,
        " " * 1900 + "x",
        "`" * 1500 + '"' * 400,
    ],
)
def test_no_text_takes_long_to_be_read(text: str) -> None:
    started = time.process_time()
    parse(text[:MOST_CHARACTERS])
    assert time.process_time() - started < 2.0


def test_a_very_long_text_is_declined_but_a_long_block_is_not() -> None:
    long = "create x.txt with " + "word " * 1000
    assert parse(long) == (Unknown(long.strip()),)
    lines = "line\n" * 5000
    assert parse(f"create x.txt with\n```\n{lines}```") == (WriteFile("x.txt", lines),)
