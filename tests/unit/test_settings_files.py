"""Configuration files: what is read, and that every error names file, line, key and what was expected."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config import Compaction, RunConfig
from runner.errors import ConfigError
from runner.policy.base import ApprovalMode
from runner.tool_names import BUILT_IN_TOOLS
from tui.settings import CompactionSettings, NamedModelSettings, Settings, load_settings
from tui.settings.check import MODES, entries
from tui.settings.layers import LIMITS, Layer, file_layer
from tui.settings.locate import key_lines, line_of
from tui.settings.schema import CompactionTable, ConfigTable, Limits

Load = Callable[[str], Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes a user file and loads the settings of an empty folder with it."""
    folder = tmp_path / "here"
    folder.mkdir()
    file = tmp_path / "config.toml"

    def write_and_load(text: str) -> Settings:
        file.write_text(text, encoding="utf-8")
        return load_settings(folder, {"QUARTERDECK_CONFIG": str(file)})

    return write_and_load


FULL = """\
model = "openai/gpt"
theme = "terminal"
agent = "reader"
approve = "plan"

[limits]
max_turns = 5
max_cost_usd = 0.10
max_time = "off"
stop_on_tool_error = true
on_limit = "end"
first_token_timeout = 12.5

[compaction]
at = 0.6

[keys]
stop = "f7"
quit = ["ctrl+q", "f10"]

[agents.reader]
instructions = "Only look."
tools = ["read_file", "search"]
temperature = 0.2

[models."lab/qwen"]
model = "openai/qwen"
api_base = "http://127.0.0.1:8080/v1"
api_key_env = "LAB_KEY"
context_window = 32768
input_cost_per_million = 0.15
output_cost_per_million = 1

[[rules]]
effect = "deny"
tool = "shell"
arguments = { command = "rm -rf /" }
note = "never"
"""


def test_a_full_file(load: Load) -> None:
    settings = load(FULL)
    assert (settings.default_model, settings.theme, settings.default_agent) == ("openai/gpt", "terminal", "reader")
    assert settings.approve == "plan"
    assert dict(settings.limits) == {
        "max_turns": 5,
        "max_cost_usd": Decimal("0.10"),
        "max_time": None,
        "stop_on_tool_error": True,
        "on_limit": "end",
        "first_token_timeout": 12.5,
    }
    assert settings.compaction == CompactionSettings(at=0.6, keep_turns=4)
    assert dict(settings.keys) == {"stop": "f7", "quit": "ctrl+q,f10"}
    reader = settings.agents["reader"]
    assert (reader.instructions, reader.tools, reader.temperature) == ("Only look.", ("read_file", "search"), 0.2)
    assert settings.models["lab/qwen"] == NamedModelSettings(
        model="openai/qwen",
        api_base="http://127.0.0.1:8080/v1",
        api_key_env="LAB_KEY",
        context_window=32768,
        input_cost_per_million=Decimal("0.15"),
        output_cost_per_million=Decimal(1),
    )
    rule = settings.rules[0]
    assert (rule.effect, rule.tool, rule.arguments, rule.note) == ("deny", "shell", {"command": "rm -rf /"}, "never")
    assert rule.source.endswith("config.toml:34")


def test_each_value_says_where_it_came_from(load: Load) -> None:
    settings = load(FULL)
    assert settings.source("limits.max_turns").kind == "user"
    assert settings.source("limits.max_turns").where.endswith("config.toml:7")
    assert settings.source("agents.reader.tools").where.endswith("config.toml:23")
    assert settings.source('models."lab/qwen"').where.endswith("config.toml:26")
    assert settings.source("limits.max_retries").kind == "default"
    assert settings.source("limits.on_limit").where.endswith("config.toml:11")
    assert settings.source("compaction").where.endswith("config.toml:14")
    assert settings.source("compaction.at").where.endswith("config.toml:15")
    assert settings.source("compaction.keep_turns").kind == "default"


def test_money_stays_exact(load: Load) -> None:
    assert load("[limits]\nmax_cost_usd = 0.1").limits["max_cost_usd"] == Decimal("0.1")


WRONG = [
    ("[limits]\nmax_turns = -3", 2, "limits.max_turns is -3", 'a whole number, 0 or more, or "off"'),
    ("[limits]\n\nmax_turns = true", 3, "limits.max_turns is true", "a whole number"),
    ("[limits]\nmax_turns = 2.5", 2, "limits.max_turns is 2.5", "a whole number"),
    ('[limits]\nmax_cost_usd = "1"', 2, 'limits.max_cost_usd is "1"', "US dollars"),
    ("[limits]\nmax_cost_usd = -0.01", 2, "limits.max_cost_usd is -0.01", "0 or more"),
    ("[limits]\nmax_cost_usd = inf", 2, "limits.max_cost_usd is Infinity", "US dollars"),
    ("[limits]\nmax_time = 0", 2, "limits.max_time is 0", "seconds, more than 0"),
    ("[limits]\nmax_time = nan", 2, "limits.max_time is nan", "seconds, more than 0"),
    ('[limits]\nmax_retries = "off"', 2, 'limits.max_retries is "off"', "a whole number, 0 or more"),
    (
        '[limits]\non_limit = "stop"',
        2,
        'limits.on_limit is "stop"',
        '"ask" (pause there until somebody decides) or "end"',
    ),
    ("[limits]\nstream_idle_timeout = 0", 2, "limits.stream_idle_timeout is 0", "seconds, more than 0"),
    ('compaction = "of"', 1, 'compaction is "of"', 'a table [compaction] with at and keep_turns, "on", or "off"'),
    ("compaction = false", 1, "compaction is false", "a table [compaction]"),
    ("\n[compaction]\nat = 80", 3, "compaction.at is 80", "a number above 0, at most 1"),
    ("[compaction]\nkeep_turns = 0", 2, "compaction.keep_turns is 0", "turns, 1 or more"),
    ("[compaction]\nkeep_turn = 2", 2, "compaction.keep_turn is not a setting", "keep_turns (did you mean that?)"),
    ("[limits]\nmax_turn = 3", 2, "limits.max_turn is not a setting", "max_turns (did you mean that?)"),
    ("[limits]\nxyzzy = 3", 2, "limits.xyzzy is not a setting", "one of switch_after"),
    ('# a comment\nmodle = "x"', 2, "modle is not a setting", "model (did you mean that?)"),
    ('approve = "yolo"', 1, 'approve is "yolo"', '"accept_edits"'),
    ("theme = 3", 1, "theme is 3", "a text"),
    ('model = ""', 1, 'model is ""', "not empty"),
    ("limits = 3", 1, "limits is 3", "a table [limits]"),
    ("models = []", 1, "models is []", 'tables [models."NAME"]'),
    ('[models."a/b"]\napi_base = "http://x/v1"', 1, 'models."a/b" has no model', "a text"),
    ('[models.x]\nmodel = "m"\napi_base = "ftp://x"', 3, 'models.x.api_base is "ftp://x"', "a URL"),
    ('[models.x]\nmodel = "m"\ncontext_window = 0', 3, "models.x.context_window is 0", "tokens, 1 or more"),
    ('[agents.x]\ntools = ["read_file", "read_fil"]', 2, 'agents.x.tools is "read_fil"', "list_files, read_file"),
    ("[agents.x]\ntemperature = 3", 2, "agents.x.temperature is 3", "a number from 0 to 2"),
    ("[keys]\nstop = 3", 2, "keys.stop is 3", 'keys such as "ctrl+s"'),
    ("[keys]\nstop = []", 2, "keys.stop is []", 'keys such as "ctrl+s"'),
    ('[[rules]]\neffect="deny"\ntool="a"\n\n[[rules]]\neffect="dany"\ntool="b"', 6, "rules[2].effect", '"deny"'),
    ('[[rules]]\neffect="deny"', 1, "rules[1] has no tool", "the name of a tool"),
    ("model = ", 1, "is not valid TOML", ""),
    ('a = 1\nb = "unclosed\nc = 2', 2, "is not valid TOML", ""),
    ("a = 1\n[limits]\n[limits]", 3, "is not valid TOML", ""),
    ('agent = "nobody"', 1, "there is no agent 'nobody'", "one of deck"),
    ('theme = "nothing"', 1, "nothing", ""),
]


@pytest.mark.parametrize(("text", "line", "message", "expected"), WRONG, ids=[case[2] for case in WRONG])
def test_an_error_names_file_line_key_and_what_was_expected(
    load: Load, tmp_path: Path, text: str, line: int, message: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.where == f"{tmp_path / 'config.toml'}:{line}"
    assert message in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_first_problem_in_the_file_is_named_and_the_others_counted(load: Load) -> None:
    with pytest.raises(ConfigError, match=r":2: .*and 2 more") as caught:
        load("[limits]\nmax_turns = -1\n[keys]\nstop = 3\n[agents.x]\ntop_p = 7")
    assert "limits.max_turns" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '[models.x]\nmodel = "m"\napi_key = "sk-very-secret-1234"',
        '[models.x]\nmodel = "m"\napi_key_env = "sk-very-secret-1234"',
    ],
)
def test_a_key_pasted_into_the_file_is_refused_and_never_repeated(load: Load, text: str) -> None:
    with pytest.raises(ConfigError, match="environment variable") as caught:
        load(text)
    assert "very-secret" not in str(caught.value)


def test_text_from_the_file_cannot_command_the_terminal(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load('"\\u001b]0;owned\\u0007" = 1')
    assert str(caught.value).isprintable()


NO_CONFIGURATION: list[tuple[str, Callable[[Path], object], str]] = [
    ("folder", Path.mkdir, "cannot be read|is not a plain file"),
    ("pipe", os.mkfifo, "is not a plain file"),
    ("encoding", lambda path: path.write_bytes(b'theme = "\xff"'), "is not UTF-8"),
    ("size", lambda path: path.write_text("#" * (1 << 20) + "##"), "is too large"),
    ("depth", lambda path: path.write_text(f"a = {'[' * 5000}{']' * 5000}"), "nested too deeply|not valid TOML"),
]


@pytest.mark.parametrize(
    ("prepare", "message"), [case[1:] for case in NO_CONFIGURATION], ids=[case[0] for case in NO_CONFIGURATION]
)
def test_a_file_that_is_no_configuration(tmp_path: Path, prepare: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "config.toml"
    prepare(path)
    with pytest.raises(ConfigError, match=message):
        load_settings(tmp_path, {"QUARTERDECK_CONFIG": str(path)})


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbftheme = "terminal"\r\n[limits]\r\nmax_turns = 3\r\n')
    settings = load_settings(tmp_path, {"QUARTERDECK_CONFIG": str(path)})
    assert settings.theme == "terminal"
    assert settings.source("limits.max_turns").where == f"{path}:3"


def test_every_limit_of_a_run_can_be_set_and_nothing_else() -> None:
    not_limits = {"approver", "include_context"}
    assert "on_limit" in LIMITS
    numbers = {
        name
        for name in RunConfig.__dataclass_fields__
        if isinstance(getattr(RunConfig(), name), int | float | Decimal) and name not in not_limits
    }
    assert set(LIMITS) == set(Limits.model_fields)
    assert numbers <= set(LIMITS)
    assert set(LIMITS) <= set(RunConfig.__dataclass_fields__)


def test_names_known_twice_agree() -> None:
    from runner.tools.builtin import builtin_tools

    assert set(BUILT_IN_TOOLS) == {tool.name for tool in builtin_tools()}
    assert get_args(ApprovalMode) == MODES
    assert asdict(CompactionSettings()) == asdict(Compaction())
    assert set(CompactionTable.model_fields) == set(CompactionSettings.__dataclass_fields__)


simple_values = st.one_of(st.sampled_from(["plan", "bypass", "x", "", "model"]), st.integers(), st.booleans())


@given(st.dictionaries(st.sampled_from(["model", "theme", "agent", "approve", "limits", "other"]), simple_values))
def test_the_quick_way_for_simple_settings_agrees_with_the_full_check(raw: dict[str, object]) -> None:
    layer = Layer(kind="user", raw=raw)
    try:
        quick = entries(layer)
    except ConfigError:
        quick = None
    try:
        full = {
            (name,): value for name, value in ConfigTable.model_validate(raw).model_dump(exclude_unset=True).items()
        }
    except ValueError:
        full = None
    assert quick == full


def test_simple_settings_load_without_pydantic(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "config.toml"
    path.write_text('theme = "terminal"\nmodel = "demo/slow"')
    program = (
        "import sys, pathlib; from tui.settings import load_settings; "
        f"s = load_settings(pathlib.Path({str(tmp_path)!r}), {{'QUARTERDECK_CONFIG': {str(path)!r}}}); "
        "assert s.theme == 'terminal', s; print([n for n in ('pydantic', 'textual', 'sqlite3') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


# Where a key stands: generated files, whose lines are known because they are written one statement a line.


def quoted(key: str) -> str:
    return '"' + "".join(char if char.isalnum() else f"\\U{ord(char):08x}" for char in key) + '"'


names = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
values = st.sampled_from(
    [
        "1",
        '"a # b"',
        "'[x]'",
        "[1, 2]",
        "[\n 1, # [\n 'a]',\n]",
        '"""\n[not] = "a table"\n"""',
        "'''\nx = 1\n'''",
        "{ a = 1, b = { c = '}' } }",
        "1979-05-27T07:32:00Z",
        '"\\"" # comment = 1',
    ]
)
statements = st.lists(st.tuples(names, values), max_size=6, unique_by=lambda pair: pair[0])
tables = st.lists(st.tuples(names, statements), max_size=4, unique_by=lambda pair: pair[0])


@given(statements, tables, st.booleans())
def test_every_key_is_found_on_its_line(
    top: list[tuple[str, str]], rest: list[tuple[str, list[tuple[str, str]]]], spaced: bool
) -> None:
    text = ""
    wanted: dict[tuple[str, ...], int] = {}

    def add(path: tuple[str, ...], line: str) -> None:
        nonlocal text
        wanted[path] = text.count("\n") + 1
        text += line + ("\n\n# comment\n" if spaced else "\n")

    for key, value in top:
        add((key,), f"{quoted(key)} = {value}")
    own = [(name, pairs) for name, pairs in rest if name not in dict(top)]
    for name, pairs in own:
        add((name,), f"[{quoted(name)}]")
        for key, value in pairs:
            add((name, key), f" {quoted(key)}={value}")
    tomllib.loads(text)
    lines = key_lines(text)
    assert {path: line_of(lines, path) for path in wanted} == wanted


def test_arrays_of_tables_have_their_index_in_the_path() -> None:
    lines = key_lines("[[rules]]\na = 1\n[rules.arguments]\nb = 2\n[[rules]]\na.c = 3\n")
    assert lines[("rules", 0, "a")] == 2
    assert lines[("rules", 0, "arguments", "b")] == 4
    assert lines[("rules", 1, "a", "c")] == 6
    assert line_of(lines, ("rules", 1, "missing")) == 5
    assert line_of(lines, ("nowhere",)) is None


def test_no_file_is_no_layer(tmp_path: Path) -> None:
    assert file_layer("user", tmp_path / "config.toml") is None
    (tmp_path / "file").write_text("")
    assert file_layer("user", tmp_path / "file" / "config.toml") is None
