"""One key of a file is changed: the rest keeps every byte, nothing unchecked is written, trust is what it was."""

from __future__ import annotations

import os
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ConfigError
from tui.changing.book import read_book
from tui.changing.edit_text import edited
from tui.changing.every import every, names_of, schema, value_of
from tui.changing.setting_file import Change, Written, flags_of, problem_of, save_setting
from tui.changing.setting_words import GROUPS, HELP, help_of, pattern_of
from tui.cli import main_with
from tui.settings import load_settings, trust_file
from tui.settings.load import user_file
from tui.settings.rule_file import Place
from tui.settings.schema import ConfigTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)

FILE = """\
# mine
model = "demo/pilot"   # the calm one

[limits]
max_turns = 40    # turns

# about the keys

[keys]
pause = "f7"

[mcp.git]
command = "true"
args = ["--token", "sk-abcdefghijklmnop1234"]
env = { TOKEN = "hunter2" }

[[rules]]
effect = "deny"
tool = "shell"
"""


def save(path: tuple[str, ...], literal: str | None, cwd: Path, place: Place = "user", **overrides: object) -> Written:
    change = Change(place=place, path=path, literal=literal)
    return save_setting(change, cwd=cwd, environ=os.environ, now=NOW, overrides=overrides)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("path", "literal", "old", "new"),
    [
        (("limits", "max_turns"), "41", "max_turns = 40    # turns", "max_turns = 41    # turns"),
        (("limits", "max_time"), "5", "# turns\n", "# turns\nmax_time = 5\n"),
        (("limits", "max_turns"), None, "max_turns = 40    # turns\n", ""),
        (("theme",), '"paper"', "one\n", 'one\ntheme = "paper"\n'),
        (("web", "private_hosts"), '["a"]', 'tool = "shell"\n', 'tool = "shell"\n\n[web]\nprivate_hosts = ["a"]\n'),
        (("keys", "stop"), '"f3"', 'pause = "f7"\n', 'pause = "f7"\nstop = "f3"\n'),
    ],
)
def test_a_change_is_one_place_of_the_file(path: tuple[str, ...], literal: str | None, old: str, new: str) -> None:
    assert edited(FILE.encode(), path, literal).decode() == FILE.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "path", "literal", "wanted"),
    [
        ("", ("theme",), '"paper"', 'theme = "paper"\n'),
        ('theme = "a"', ("model",), '"b"', 'theme = "a"\nmodel = "b"\n'),
        ("# who\n\n[limits]\n", ("theme",), '"a"', '# who\n\ntheme = "a"\n\n[limits]\n'),
        ("[limits]\r\nmax_turns=3\r\n\r\n[web]\r\n", ("limits", "max_time"), "5", None),
        ("limits = {max_turns = 3}", ("limits", "max_time"), "5", None),
        ("limits.max_turns = 3\n[web]\n", ("limits", "max_time"), "5", None),
        ("limits = {max_turns = 3, max_time = 4} # x\n", ("limits", "max_turns"), None, None),
        ("\ufeff[sandbox]\nwrite = [\n 'a', # one\n]\nnetwork = true\n", ("sandbox", "write"), '["b"]', None),
        ('[agents.a]\ninstructions = """\n[limits]\n# no comment\n"""\n', ("agents", "a", "model"), '"m"', None),
    ],
)
def test_every_way_to_write_a_table_is_kept(
    text: str, path: tuple[str, ...], literal: str | None, wanted: str | None
) -> None:
    new = edited(text.encode(), path, literal).decode()
    assert wanted is None or new == wanted
    assert ("\r\n" in text) == ("\r\n" in new)
    assert new.count("\n") - new.count("\r\n") in (0, new.count("\n"))
    raw = tomllib.loads(new.removeprefix("\ufeff"))
    for part in path[:-1]:
        raw = raw[part]
    assert raw.get(path[-1]) == (None if literal is None else tomllib.loads(f"v = {literal}")["v"])


@pytest.mark.parametrize("text", ['compaction = "off"\n', 'sandbox = "auto"\n'])
def test_what_cannot_be_done_in_one_place_is_refused(text: str) -> None:
    path = ("compaction", "at") if "compaction" in text else ("sandbox", "network")
    with pytest.raises(ConfigError, match="is one value in this file"):
        edited(text.encode(), path, "1")


_BLANKS = st.sampled_from(["", "\n", "# note\n", "\n# a = 1\n\n", '#"""\n'])
_VALUES = st.sampled_from(['"x"', "1", "1.50", "true", '[\n  "a", # b\n]', '"""\n[t]\n# y\n"""', "{ a = 1 }", "'#'"])
_TABLES = ("t", "t.u", '"a b"')


@st.composite
def _files(draw: st.DrawFn) -> str:
    text = draw(_BLANKS)
    for table in sorted(draw(st.lists(st.sampled_from(_TABLES), unique=True))):
        keys = draw(st.lists(st.sampled_from("klm"), unique=True))
        text += f"[{table}]{draw(st.sampled_from(['', ' # head']))}\n{draw(_BLANKS)}"
        text += "".join(
            f"{key} = {draw(_VALUES)}{draw(st.sampled_from(['', '  # c']))}\n{draw(_BLANKS)}" for key in keys
        )
    top = draw(st.lists(st.sampled_from("klm"), unique=True))
    text = "".join(f"{key}={draw(_VALUES)}\n" for key in top) + text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(deadline=None, max_examples=40)
@given(
    text=_files(),
    table=st.sampled_from([(), ("t",), ("t", "u"), ("a b",), ("new",)]),
    key=st.sampled_from("klmz"),
    literal=st.one_of(st.none(), st.sampled_from(['"new"', "2.250", '["p", "q"]'])),
)
def test_any_file_means_the_same_but_for_the_key(
    text: str, table: tuple[str, ...], key: str, literal: str | None
) -> None:
    old = _parse(text)
    try:
        new = edited(text.encode(), (*table, key), literal).decode()
    except ConfigError:
        # Only where the key holds a table, which is not written over.
        assert isinstance(_at(old, (*table, key)), dict)
        return
    wanted = None if literal is None else _parse(f"v = {literal}")["v"]
    assert _at(_parse(new), (*table, key)) == wanted
    assert _without(_parse(new), table, key) == _without(old, table, key)
    for comment in ("# note", "# a = 1", '#"""'):
        assert new.count(comment) == text.count(comment)


def _parse(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)


def _at(raw: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        table = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        raw = table.get(part)
    return raw


def _without(raw: dict[str, Any], table: tuple[str, ...], key: str) -> dict[str, Any]:
    """All but the key; an empty table is as good as none."""
    inner: Any = raw
    for part in table:
        inner = inner.get(part, {})
    inner.pop(key, None)
    for depth in range(len(table), 0, -1):
        above: Any = raw
        for part in table[: depth - 1]:
            above = above.get(part, {})
        if above.get(table[depth - 1]) == {}:
            del above[table[depth - 1]]
    return raw


def test_a_saved_value_is_checked_as_at_a_start_and_a_refused_one_changes_nothing(tmp_path: Path) -> None:
    file = write(user_file(os.environ), FILE)
    written = save(("limits", "max_cost_usd"), "2.50", tmp_path)
    assert written.source is not None
    assert written.source.where == f"{file}:6"
    assert written.settings.limits["max_cost_usd"] == Decimal("2.50")
    before = file.read_bytes()
    for path, literal, words in (
        (("limits", "max_turns"), '"many"', 'limits.max_turns is "many"; expected a whole number, 0 or more, or "off"'),
        (("theme",), '"nope"', "there is none of that name"),
        (("agent",), '"nobody"', "there is no agent 'nobody'"),
        (("keys", "stop"), '"x"', "is needed for writing"),
        (("mcp", "new", "cwd"), '"/"', "mcp.new has neither a command nor a url"),
    ):
        change = Change(place="user", path=path, literal=literal)
        assert words in problem_of(change, cwd=tmp_path, environ=os.environ, overrides={})
        with pytest.raises(ConfigError) as refused:
            save(path, literal, tmp_path)
        assert words in str(refused.value)
    assert file.read_bytes() == before
    assert not save(("limits", "max_cost_usd"), "2.50", tmp_path).changed


def test_a_project_keeps_its_trust_and_gets_none_by_the_way(tmp_path: Path) -> None:
    theme = save(("theme",), '"paper"', tmp_path, "project")
    assert theme.settings.theme == "paper"
    assert not theme.settings.withheld
    loose = save(("sandbox", "network"), "true", tmp_path, "project")
    assert loose.settings.sandbox.network
    assert not loose.settings.withheld
    # Somebody else adds what waits for trust: now only harmless changes are made here, and they trust nothing.
    file = loose.path
    file.write_text(file.read_text() + '[environment]\npass = ["GH_TOKEN"]\n')
    assert [item.key for item in load_settings(tmp_path, os.environ).withheld] == [
        "sandbox.network",
        "environment.pass",
    ]
    with pytest.raises(ConfigError, match=r"nobody has trusted yet, and web\.private_hosts needs trust"):
        save(("web", "private_hosts"), '["localhost"]', tmp_path, "project")
    still = save(("theme",), '"dusk"', tmp_path, "project")
    assert still.settings.theme == "dusk"
    assert still.settings.withheld
    assert not trust_file(os.environ).is_trusted(tmp_path, still.settings.files[-1].sha256)
    book = {entry.setting.key: entry for entry in read_book(tmp_path, os.environ, {}).entries}
    assert any("waits for your trust" in text for text in book["sandbox.network"].remarks("user"))


def test_the_book_says_what_decides_and_never_shows_what_may_be_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(user_file(os.environ), FILE)
    monkeypatch.setenv("QUARTERDECK_MAX_TURNS", "7")
    options = {"theme": "dusk", "model": "demo/slow"}
    found = load_settings(tmp_path, os.environ, options)
    assert flags_of(found) == options
    book = {entry.setting.key: entry for entry in read_book(tmp_path, os.environ, flags_of(found)).entries}
    turns = book["limits.max_turns"]
    assert (turns.value, turns.source.where, turns.given) == ("7", "QUARTERDECK_MAX_TURNS", ("user",))
    assert turns.remarks("user") == ["QUARTERDECK_MAX_TURNS decides: what is saved will not show until it is gone"]
    assert book["theme"].source.where == "--theme"
    assert "paper" in book["theme"].choices
    assert book["keys.pause"].value == "f7"
    assert book["keys.pause"].source.where == f"{file}:10"
    assert book["mcp.git.env"].value == "set: TOKEN"
    assert not book["mcp.git.env"].field
    assert "hunter2" not in repr(list(book.values()))
    assert book["mcp.git.args"].value == "--token, [masked: API key]"
    assert "sk-abcdef" not in repr(list(book.values()))
    assert book["limits.max_time"].value == "3600"
    assert not book["limits.max_time"].is_set


def test_every_key_of_the_schema_has_a_row_a_value_a_group_and_help(tmp_path: Path) -> None:
    file = '[agents.x]\n[models.x]\nmodel = "demo/pilot"\n[mcp.x]\ncommand = "true"\n'
    write(user_file(os.environ), file)
    loaded = load_settings(tmp_path, os.environ)
    rows = {pattern_of(setting.path): setting for setting in every(names_of(loaded))}
    definitions: dict[str, Any] = schema()["$defs"]
    wanted = {"keys.*", "rules", "compaction", *_plain(definitions)}
    for name, key in (("Agent", "agents"), ("Model", "models"), ("Mcp", "mcp")):
        wanted |= {f"{key}.*.{field}" for field in definitions[f"{name}Table"]["properties"]}
    assert set(rows) == wanted
    for pattern, setting in rows.items():
        value_of(loaded, setting.path)
        assert setting.allowed, pattern
        assert setting.group in GROUPS, pattern
        assert help_of(setting), pattern
        assert pattern in HELP, f"{pattern} needs a line in tui/changing/setting_words.py"
    assert set(HELP) == set(rows)


def _plain(definitions: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for name in ConfigTable.model_fields:
        part = ConfigTable.model_json_schema()["properties"][name]
        table = next((arm["$ref"] for arm in (part, *part.get("anyOf", ())) if "$ref" in arm), "").rpartition("/")[2]
        if table:
            found |= {f"{name}.{field}" for field in definitions[table]["properties"]}
        elif name not in ("keys", "agents", "models", "mcp"):
            found.add(name)
    return found


def test_the_command_sets_and_unsets_through_the_same_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(user_file(os.environ), FILE)
    where = ("--cwd", str(tmp_path))
    assert main_with(["config", *where, "set", "limits.max_turns", "41"]) == 0
    assert f"limits.max_turns is set in {file}:5" in capsys.readouterr().out
    assert file.read_text() == FILE.replace("= 40", "= 41")
    assert main_with(["config", *where, "set", 'models."lab/qwen".model', "openai/qwen"]) == 0
    assert main_with(["config", *where, "unset", "limits.max_turns"]) == 0
    assert "limits.max_turns is not set" in capsys.readouterr().out
    assert main_with(["config", *where, "set", "limits.max_trns", "4"]) == 2
    assert "did you mean that?" in capsys.readouterr().err
    assert main_with(["config", *where, "set", "theme", "dusk", "--project"]) == 0
    assert (tmp_path / ".quarterdeck" / "config.toml").read_text() == 'theme = "dusk"\n'
    assert main_with(["config", *where, "set", "theme", "paper"]) == 0
    assert "it does not show yet" in capsys.readouterr().out
