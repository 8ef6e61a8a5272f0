"""Rules that the program adds to a configuration file: the rest stays, and the rule means what was asked for."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.policy import decide
from runner.policy.facts import facts_without_run
from runner.tools.builtin import builtin_tools
from tui.settings import ExampleSettings, RuleSettings, load_settings, trust_file
from tui.settings.build import policy_rules
from tui.settings.rule_file import Place, appended, rule_path, save_rules

OLDEST = datetime.fromisoformat("2000-01-01")
NOW = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
STATUS = RuleSettings(effect="allow", tool="shell", prefix=("git", "status"))
NO_PUSH = RuleSettings(effect="deny", tool="shell", prefix=("git", "push"))
TOOLS = {tool.name: tool for tool in builtin_tools()}


def environ_of(folder: Path) -> dict[str, str]:
    return {
        "QUARTERDECK_CONFIG": str(folder / "conf" / "config.toml"),
        "QUARTERDECK_DATA": str(folder / "data"),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
    }


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return environ_of(tmp_path)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def verdict(folder: Path, environ: dict[str, str], command: str) -> str:
    rules = policy_rules(load_settings(folder, environ).rules, folder)
    tool = TOOLS["shell"]
    facts = facts_without_run(tool, tool.validate({"command": command}), folder)
    return decide(facts, mode="default", rules=rules, grants=(), now=NOW).effect


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FOLDERS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), min_size=1, max_size=12)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(), st.floats(allow_nan=False))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
ARGUMENTS = st.dictionaries(TEXTS, VALUES, max_size=4)
WORDS = st.sampled_from(["status", "-s", "a b", 'qu"ote', "ünïcode", "back\\slash", "--x=1", "'", "\U0001f600"])


@st.composite
def rules(draw: st.DrawFn) -> RuleSettings:
    which: dict[str, Any] = draw(
        st.one_of(
            st.just(dict[str, Any]()),
            st.fixed_dictionaries({"prefix": st.lists(WORDS, max_size=3).map(lambda more: ("git", "log", *more))}),
            st.fixed_dictionaries({"below": FOLDERS}),
            st.fixed_dictionaries({"host": st.sampled_from(["example.com", "*.example.com", "localhost:8080"])}),
            st.fixed_dictionaries({"arguments": ARGUMENTS}),
        )
    )
    examples = draw(
        st.lists(
            st.builds(
                ExampleSettings,
                arguments=ARGUMENTS.filter(bool),
                expect=st.sampled_from(["allow", "deny", "ask"]),
                tool=st.sampled_from([None, "shell"]),
            ),
            max_size=2,
        )
    )
    return RuleSettings(
        effect=draw(st.sampled_from(["allow", "deny", "ask"])),
        tool=draw(st.sampled_from(["shell", "write_*", "mcp__git__*", "*"])),
        note=draw(TEXTS),
        expires=draw(st.none() | st.datetimes(min_value=OLDEST, timezones=st.just(UTC))),
        examples=tuple(examples),
        **which,
    )


FILES = st.sampled_from(
    [
        b"",
        b"\n\n",
        b"# only a comment, and no end of the line",
        b'theme = "fjord"',
        b'theme = "fjord"\r\n\r\n[limits]\r\nmax_turns = 3\r\n',
        b"\xef\xbb\xbf[limits]\nmax_turns = 3 # turns\n",
        b'[[rules]]\neffect = "deny"\ntool = "shell"\nprefix = "git push"\nnote = """two\nlines"""\n\n\n',
        b'[agents.a]\ninstructions = """\n[[rules]]\neffect = "allow"\n"""\n[[rules]]\neffect="ask"\ntool="*"',
    ]
)


@settings(max_examples=80, deadline=None)
@given(before=FILES, added=st.lists(rules(), min_size=1, max_size=3))
def test_a_rule_is_added_and_all_else_stays(
    before: bytes, added: list[RuleSettings], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rules")
    environ = environ_of(folder)
    path = rule_path("user", folder, environ)
    path.parent.mkdir()
    path.write_bytes(before)
    earlier = load_settings(folder, environ)
    saved = save_rules("user", added, cwd=folder, environ=environ, now=NOW)
    after = path.read_bytes()
    assert after.startswith(before)
    later = load_settings(folder, environ)
    assert later.rules[: len(earlier.rules)] == earlier.rules
    assert later.rules[len(earlier.rules) :] == saved.rules
    assert (later.limits, later.theme, dict(later.agents)) == (earlier.limits, earlier.theme, dict(earlier.agents))
    for wanted, rule in zip(added, saved.rules, strict=True):
        assert (rule.effect, rule.tool, rule.prefix, rule.below) == (
            wanted.effect,
            wanted.tool,
            wanted.prefix,
            wanted.below,
        )
        assert (rule.host, rule.note, rule.expires) == (wanted.host, wanted.note, wanted.expires)
        assert (rule.arguments or {}) == (wanted.arguments or {})
        assert [dict(one.arguments) for one in rule.examples] == [dict(one.arguments) for one in wanted.examples]
        line = int(rule.source.rpartition(":")[2])
        assert after.decode("utf-8-sig").split("\n")[line - 1].strip() == "[[rules]]"
    # What a person reads in the file hides nothing.
    assert all(character.isprintable() or character in "\r\n" for character in after[len(before) :].decode())


def test_a_saved_rule_decides(here: Path, environ: dict[str, str]) -> None:
    assert verdict(here, environ, "git status -s") == "ask"
    saved = save_rules("user", [STATUS], cwd=here, environ=environ, now=NOW)
    assert verdict(here, environ, "git status -s") == "allow"
    assert verdict(here, environ, "git status; rm x") == "ask"
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600
    save_rules(
        "project",
        [RuleSettings(effect="deny", tool="shell", prefix=("git", "status"))],
        cwd=here,
        environ=environ,
        now=NOW,
    )
    assert verdict(here, environ, "git status -s") == "deny"


def test_the_mode_and_a_link_to_the_file_stay(here: Path, environ: dict[str, str], tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text('theme = "fjord"\n', encoding="utf-8")
    real.chmod(0o640)
    path = rule_path("user", here, environ)
    path.parent.mkdir()
    path.symlink_to(real)
    save_rules("user", [STATUS], cwd=here, environ=environ, now=NOW)
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert tomllib.loads(real.read_text(encoding="utf-8"))["rules"][0]["prefix"] == ["git", "status"]
    assert sorted(item.name for item in real.parent.iterdir() if "dotfiles" in item.name) == ["dotfiles.toml"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('rules = [{ effect = "deny", tool = "shell" }]\n', "one list"),
        ("theme = \n", "not valid TOML"),
        ('colour = "red"\n', "not a setting"),
        ('[[rules]]\neffect = "no"\ntool = "x"\n', "no"),
    ],
)
def test_a_file_that_cannot_take_a_rule_stays_as_it_is(
    content: str, message: str, here: Path, environ: dict[str, str]
) -> None:
    path = rule_path("user", here, environ)
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        save_rules("user", [STATUS], cwd=here, environ=environ, now=NOW)
    assert path.read_text(encoding="utf-8") == content
    assert [item.name for item in path.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize(
    "rule",
    [
        RuleSettings(effect="allow", tool="shell", prefix=("sudo",)),
        RuleSettings(effect="allow", tool="shell", prefix=("git", "log\x1b")),
        RuleSettings(effect="allow", tool="web_fetch", host="exa mple"),
        RuleSettings(effect="allow", tool="x", arguments={"a": [None]}),
        RuleSettings(effect="allow", tool="x", arguments={"a": "\ud800"}),
    ],
)
def test_a_rule_that_no_file_could_hold_is_refused(rule: RuleSettings, here: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        save_rules("user", [rule], cwd=here, environ=environ, now=NOW)
    assert not rule_path("user", here, environ).exists()


class TestTheProjectsFile:
    PLACE: Place = "project"

    def test_a_rule_that_a_person_adds_counts_at_once(self, here: Path, environ: dict[str, str]) -> None:
        saved = save_rules(self.PLACE, [STATUS], cwd=here, environ=environ, now=NOW)
        assert saved.path == here / ".quarterdeck" / "config.toml"
        assert verdict(here, environ, "git status -s") == "allow"
        assert not load_settings(here, environ).withheld
        save_rules(self.PLACE, [NO_PUSH], cwd=here, environ=environ, now=NOW)
        assert (verdict(here, environ, "git status -s"), verdict(here, environ, "git push")) == ("allow", "deny")

    def test_it_is_no_way_around_trust(self, here: Path, environ: dict[str, str]) -> None:
        path = here / ".quarterdeck" / "config.toml"
        path.parent.mkdir()
        path.write_text('approve = "bypass"\n', encoding="utf-8")
        with pytest.raises(ConfigError, match="nobody has trusted"):
            save_rules(self.PLACE, [STATUS], cwd=here, environ=environ, now=NOW)
        assert path.read_text(encoding="utf-8") == 'approve = "bypass"\n'
        # A denial tightens, so it is added; it makes nobody trust the rest.
        save_rules(self.PLACE, [NO_PUSH], cwd=here, environ=environ, now=NOW)
        loaded = load_settings(here, environ)
        assert (loaded.approve, len(loaded.withheld), verdict(here, environ, "git push")) == ("default", 1, "deny")

    def test_a_trusted_file_stays_trusted(self, here: Path, environ: dict[str, str]) -> None:
        path = here / ".quarterdeck" / "config.toml"
        path.parent.mkdir()
        path.write_text('approve = "accept_edits"\n', encoding="utf-8")
        sha256 = next(file.sha256 for file in load_settings(here, environ).files if file.kind == "project")
        trust_file(environ).trust(here.resolve(), sha256, NOW)
        save_rules(self.PLACE, [STATUS], cwd=here, environ=environ, now=NOW)
        loaded = load_settings(here, environ)
        assert (loaded.approve, loaded.withheld) == ("accept_edits", ())
        with path.open("a", encoding="utf-8") as file:
            file.write("# another hand\n")
        assert load_settings(here, environ).approve == "default"

    def test_a_link_is_not_followed_out_of_the_project(self, here: Path, environ: dict[str, str]) -> None:
        own = rule_path("user", here, environ)
        own.parent.mkdir()
        own.write_text('theme = "fjord"\n', encoding="utf-8")
        (here / ".quarterdeck").mkdir()
        (here / ".quarterdeck" / "config.toml").symlink_to(own)
        with pytest.raises(ConfigError, match="link"):
            save_rules(self.PLACE, [STATUS], cwd=here, environ=environ, now=NOW)
        assert own.read_text(encoding="utf-8") == 'theme = "fjord"\n'


def test_many_writers_lose_nothing(here: Path, environ: dict[str, str]) -> None:
    problems: list[Exception] = []

    def add(number: int) -> None:
        rule = RuleSettings(effect="deny", tool="shell", prefix=("git", f"word{number}"))
        try:
            save_rules("user", [rule], cwd=here, environ=environ, now=NOW)
        except ConfigError as error:
            problems.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems
    words = {(rule.prefix or ("", ""))[1] for rule in load_settings(here, environ).rules}
    assert words == {f"word{number}" for number in range(12)}


def test_line_ends_are_those_of_the_file() -> None:
    assert b"\n" not in appended(b'theme = "x"\r\n', [STATUS]).replace(b"\r\n", b"")
    assert b"\r" not in appended(b'theme = "x"\n', [STATUS])
