"""Rules in TOML at their levels: what is read, what an error says, and that an untrusted project only tightens."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.policy import CallFacts, decide
from tests.policy.support import facts_of, make_workspace
from tui.settings import Settings, load_settings
from tui.settings.build import policy_rules

FULL = """\
model = "demo/pilot"

[[rules]]
effect = "allow"
tool = "shell"
prefix = "git status"
note = "harmless"
expires = 2030-01-31
examples = [
  { command = "git status -s" },
  { command = "git status; ls", expect = "ask" },
]

[[rules]]
effect = "deny"
tool = "*_file"
below = "src"
expires = 2030-01-31T12:00:00Z

[[rules]]
effect = "ask"
tool = "web_*"
host = "*.example.com"

[[rules]]
effect = "allow"
tool = "shell"
prefix = ["find", ".", "-name", "*.py"]

[[rules]]
effect = "allow"
tool = "shell"
arguments = { command = "ls | sort" }
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return make_workspace(tmp_path)


def load(here: Path, *, user: str = "", project: str = "", session: str | None = None) -> Settings:
    config = here.parent / "config.toml"
    config.write_text(user, encoding="utf-8")
    environ = {"QUARTERDECK_CONFIG": str(config), "QUARTERDECK_DATA": str(here.parent / "data")}
    if project:
        (here / ".quarterdeck").mkdir(exist_ok=True)
        (here / ".quarterdeck" / "config.toml").write_text(project, encoding="utf-8")
    if session is not None:
        (here.parent / "session.toml").write_text(session, encoding="utf-8")
        environ["QUARTERDECK_RULES"] = str(here.parent / "session.toml")
    return load_settings(here, environ)


def test_every_field_of_a_rule(here: Path) -> None:
    settings = load(here, user=FULL)
    config = here.parent / "config.toml"
    rules = policy_rules(settings.rules, here)
    assert [rule.source for rule in rules] == [f"{config}:{line}" for line in (3, 14, 20, 25, 30)]
    status, closed, web, find, exact = rules
    assert (status.effect, status.tool, status.prefix, status.note) == ("allow", "shell", ("git", "status"), "harmless")
    assert status.expires == datetime.combine(date(2030, 1, 31), time.max).astimezone()
    assert (closed.below, closed.expires) == (str(here.resolve() / "src"), datetime(2030, 1, 31, 12, tzinfo=UTC))
    assert web.host == "*.example.com"
    assert find.prefix == ("find", ".", "-name", "*.py")
    assert exact.arguments == {"command": "ls | sort"}
    examples = settings.rules[0].examples
    assert [(example.arguments, example.expect) for example in examples] == [
        ({"command": "git status -s"}, "allow"),
        ({"command": "git status; ls"}, "ask"),
    ]
    assert settings.run_config().approval_policy == rules


RULE = '[[rules]]\neffect = "allow"\ntool = "shell"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f'{RULE}prefix = "git status && ls"', 4, r"rules\[1\]\.prefix has '&' in it"),
        (f'{RULE}prefix = "git status; ls"', 4, "has ';' in it"),
        (f'{RULE}prefix = "git $X"', 4, r"has '\$' in it"),
        (f'{RULE}prefix = "ls *.py"', 4, r"has '\*' in it"),
        (f'{RULE}prefix = "ls > x"', 4, "has '>' in it"),
        (f'{RULE}prefix = ["ls", "&&", "x"]', 4, "shell operator"),
        (f'{RULE}prefix = ["ls", "a\\nb"]', 4, "control character"),
        (f'{RULE}prefix = ["ls", 5]', 4, "not a text or a list of texts"),
        (f"{RULE}prefix = 5", 4, "not a text or a list of texts"),
        (f'{RULE}prefix = ""', 4, "names no command"),
        (f"{RULE}prefix = []", 4, "names no command"),
        (f'{RULE}prefix = "FOO=1 ls"', 4, "begins with a variable"),
        (f'{RULE}prefix = "python"', 4, "names too little: python runs what it reads"),
        (f'{RULE}prefix = "bash"', 4, "names too little"),
        (f'{RULE}prefix = "bash -c"', 4, "runs its argument as commands"),
        (f"{RULE}prefix = \"bash -c 'ls'\"", 4, "runs its argument as commands"),
        (f'{RULE}prefix = ["python", "-c", "1"]', 4, "names too little"),
        (f'{RULE}prefix = "sudo"', 4, "runs a command, which must be named"),
        (f'{RULE}prefix = "env"', 4, "runs a command, which must be named"),
        (f'{RULE}prefix = "xargs rm"', 4, "names too little"),
        (f'{RULE}prefix = "eval"', 4, "names too little"),
        (f'{RULE}prefix = "git -c"', 4, "names too little"),
        (f'{RULE}prefix = "uv run"', 4, "names too little"),
        (f'{RULE}prefix = "ls"\nbelow = "src"', 5, "stands beside prefix"),
        (f'{RULE}arguments = {{}}\nprefix = "ls"', 5, "stands beside arguments"),
        (f'{RULE}host = "https://x.com/"', 4, "not the name of a host"),
        (f'{RULE}host = "*.com"', 4, "too many hosts"),
        (f'{RULE}below = ""', 4, "a folder"),
        (f'{RULE}expires = "soon"', 4, "is not a date"),
        (f"{RULE}expires = 5", 4, "a date, such as 2030-01-31"),
        (f"{RULE}examples = [{{}}]", 4, "a command or arguments"),
        (f'{RULE}examples = [{{ command = "ls", arguments = {{}} }}]', 4, "not both"),
        (f'{RULE}examples = [{{ command = "ls", expect = "maybe" }}]', 4, "git status -s"),
        (f'{RULE}examples = "ls"', 4, "a list such as"),
        (f'{RULE}prefixes = "ls"', 4, r"prefix \(did you mean that\?\)"),
    ],
)
def test_an_error_names_the_line_and_what_is_expected(here: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load(here, user=f"{text}\n")
    assert f"config.toml:{line}" in str(raised.value)
    assert "expected" in str(raised.value)


def test_a_denial_may_name_an_interpreter(here: Path) -> None:
    text = '[[rules]]\neffect = "deny"\ntool = "shell"\nprefix = "python"\n'
    [rule] = policy_rules(load(here, user=text).rules, here)
    for line in ("python -c 1", "/usr/bin/python3.12 x.py", "sudo env python x", "ls | python3"):
        assert decide(shell(here, line), mode="bypass", rules=(rule,), grants=()).effect == "deny"


def shell(here: Path, line: str) -> CallFacts:
    return facts_of(here, "shell", {"command": line, "timeout": None})


LOOSE = '[[rules]]\neffect = "allow"\ntool = "shell"\nprefix = "ls"\n'
TIGHT = '[[rules]]\neffect = "deny"\ntool = "shell"\nprefix = "rm"\n'


def test_the_levels_add_up_and_a_project_only_tightens_until_it_is_trusted(here: Path) -> None:
    settings = load(here, user=LOOSE.replace("ls", "cat"), project=LOOSE + TIGHT, session=LOOSE.replace("ls", "wc"))
    assert [(rule.level, rule.effect, rule.prefix) for rule in settings.rules] == [
        ("user", "allow", ("cat",)),
        ("project", "deny", ("rm",)),
        ("session", "allow", ("wc",)),
    ]
    assert [item.text for item in settings.withheld] == ['adds the rule: allow "shell" prefix "ls"']
    rules = policy_rules(settings.rules, here)
    effects = {
        line: decide(shell(here, line), mode="default", rules=rules, grants=()).effect
        for line in ("cat x", "ls", "wc x", "cat x; rm y")
    }
    assert effects == {"cat x": "allow", "ls": "ask", "wc x": "allow", "cat x; rm y": "deny"}


def test_a_session_cannot_loosen_a_denial(here: Path) -> None:
    settings = load(here, user=TIGHT, session=LOOSE.replace("ls", "rm") + '[[rules]]\neffect = "allow"\ntool = "*"\n')
    rules = policy_rules(settings.rules, here)
    assert decide(shell(here, "rm x"), mode="bypass", rules=rules, grants=()).effect == "deny"


@pytest.mark.parametrize(
    ("text", "message"),
    [('model = "x"\n', "model is not a rule"), ("[[rules]]\n", "has no effect"), ("[", "not valid TOML")],
)
def test_the_file_of_a_session_holds_rules_and_nothing_else(here: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load(here, session=text)
    assert "session.toml:1" in str(raised.value)


def test_a_missing_file_of_a_session_is_an_error(here: Path) -> None:
    environ = {"QUARTERDECK_RULES": str(here / "none.toml"), "QUARTERDECK_CONFIG": str(here / "c.toml")}
    with pytest.raises(ConfigError, match="QUARTERDECK_RULES"):
        load_settings(here, environ)


@pytest.mark.parametrize("written", ["5", "5.0", "1.5", "1e3"])
def test_a_denial_of_arguments_compares_numbers_by_value(here: Path, written: str) -> None:
    text = f'[[rules]]\neffect = "deny"\ntool = "shell"\narguments = {{ command = "ls", timeout = {written} }}\n'
    [rule] = policy_rules(load(here, user=text).rules, here)
    number = float(written)
    same = [number, int(number)] if number == int(number) else [number]
    for timeout in same:
        call = facts_of(here, "shell", {"command": "ls", "timeout": timeout})
        assert decide(call, mode="bypass", rules=(rule,), grants=()).effect == "deny"
    other = facts_of(here, "shell", {"command": "ls", "timeout": number + 1})
    assert decide(other, mode="bypass", rules=(rule,), grants=()).effect == "allow"
