"""A rule on one line: what is written is what is read, and what no configuration would take is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.events import Pattern, ToolPattern
from tui.rule_line import Draft, Effect, RuleLineError, as_rules, read, write
from tui.settings.check import entries
from tui.settings.layers import layer_of
from tui.settings.rule_text import rule_lines

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]), min_size=1, max_size=8)
PREFIX = st.lists(WORDS, max_size=3).map(lambda more: Pattern(prefix=("git", "log", *more)))
FOLDER = WORDS.map(lambda folder: Pattern(below=folder))
HOST = st.sampled_from(["example.com", "*.example.com", "localhost:8080"]).map(lambda host: Pattern(host=host))
EXACT = st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.booleans(), st.none())).map(
    lambda arguments: Pattern(arguments=arguments)
)
TOOLS = st.sampled_from(["shell", "write_*", "mcp__git__log", "*"])
ONE = st.builds(ToolPattern, tool=TOOLS, pattern=st.one_of(PREFIX, FOLDER, HOST, EXACT, st.just(Pattern())))
EFFECTS = st.sampled_from(["allow", "deny", "ask"])


@given(effect=EFFECTS, patterns=st.lists(ONE, min_size=1, max_size=3))
def test_what_is_written_is_what_is_read(effect: Effect, patterns: list[ToolPattern]) -> None:
    try:
        line = write(effect, patterns)
        found = read(line)
    except RuleLineError:
        # A word that is an operator, several exact rules, a character nobody sees: said, never changed in silence.
        return
    assert found == (effect, tuple(patterns))


@given(st.text(max_size=40))
def test_any_text_is_a_rule_that_a_file_takes_or_is_refused(text: str) -> None:
    try:
        effect, patterns = read(text)
    except RuleLineError:
        return
    # What can be read can be written to a file.
    for rule in as_rules(Draft(effect=effect, patterns=patterns)):
        content = "\n".join(rule_lines(rule)).encode()
        (loaded,) = entries(layer_of("user", Path("x.toml"), content))[("rules",)]
        assert (loaded.effect, loaded.tool, loaded.prefix, loaded.below) == (effect, rule.tool, rule.prefix, rule.below)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "write a rule"),
        ("maybe shell", "begins with allow"),
        ("allow", "name a tool"),
        ("allow shell ; ", "name a tool"),
        ("allow a/b", "not the name of a tool"),
        ("allow shell prefix git && rm", "operator"),
        ("allow shell prefix bash", "names too little"),
        ("allow shell prefix X=1 git", "begins with a variable"),
        ("allow web_fetch host http://a", "the host"),
        ("allow write_file below a b", "takes one word"),
        ("allow write_file under a", "after the tool comes"),
        ('allow read_file arguments {"a": }', "not JSON"),
        ("allow shell prefix 'git", "quote is not closed"),
    ],
)
def test_what_is_wrong_is_said(line: str, words: str) -> None:
    with pytest.raises(RuleLineError, match=words):
        read(line)


@pytest.mark.parametrize(
    "pattern",
    [Pattern(prefix=("git", "log\u202e")), Pattern(below="a\nb"), Pattern(prefix=("echo", "\x1b"))],
)
def test_what_cannot_be_seen_makes_no_line(pattern: Pattern) -> None:
    with pytest.raises(RuleLineError, match="cannot be seen"):
        write("allow", [ToolPattern(tool="shell", pattern=pattern)])


def test_the_example_stands_beside_the_rule_of_its_tool() -> None:
    _, patterns = read("allow write_* below src ; shell prefix git add")
    first, second = as_rules(Draft(effect="allow", patterns=patterns, tool="shell", arguments={"command": "git add ."}))
    assert (first.examples, [one.arguments for one in second.examples]) == ((), [{"command": "git add ."}])
    (only,) = as_rules(Draft(effect="deny", patterns=patterns[:1], tool="write_file", arguments={"path": "src/a"}))
    assert [(one.tool, one.expect) for one in only.examples] == [("write_file", "deny")]
