"""Which value wins: defaults, user, project, environment, options; and what the settings come to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import themes
from runner.config import Compaction, RunConfig
from runner.errors import ConfigError
from runner.tool_names import BUILT_IN_TOOLS
from tui.settings import Settings, load_settings


class Place:
    """A home with a user file, and a project in a git repository."""

    def __init__(self, root: Path) -> None:
        self.user = root / "config" / "config.toml"
        self.repository = root / "repository"
        self.inner = self.repository / "a" / "b"
        self.project = self.repository / ".quarterdeck" / "config.toml"
        for folder in (self.user.parent, self.inner, self.project.parent, self.repository / ".git"):
            folder.mkdir(parents=True)
        self.environ = {"QUARTERDECK_CONFIG": str(self.user), "QUARTERDECK_DATA": str(root / "data")}

    def load(self, overrides: dict[str, object] | None = None, **environ: str) -> Settings:
        return load_settings(self.inner, {**self.environ, **environ}, overrides)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_without_anything_the_defaults_hold(place: Place) -> None:
    settings = place.load()
    assert settings.theme == themes.DEFAULT
    assert settings.default_agent == "deck"
    assert settings.approve == "default"
    sandbox = settings.run_config().sandbox
    assert (sandbox.mode, sandbox.network, sandbox.write) == ("auto", False, ())
    assert settings.run_config() == RunConfig(workspace=place.inner, sandbox=sandbox)
    assert settings.source("theme").kind == "default"
    assert [file.found for file in settings.files] == [False]


def test_each_layer_wins_over_the_ones_before(place: Place) -> None:
    def turns(overrides: dict[str, object] | None = None, **environ: str) -> tuple[object, str]:
        settings = place.load(overrides, **environ)
        return settings.run_config().max_turns, settings.source("limits.max_turns").kind

    assert turns() == (10, "default")
    place.user.write_text("[limits]\nmax_turns = 8")
    assert turns() == (8, "user")
    place.project.write_text("[limits]\nmax_turns = 6")
    assert turns() == (6, "project")
    assert turns(QUARTERDECK_MAX_TURNS="12") == (12, "environment")
    assert turns({"limits.max_turns": "20"}, QUARTERDECK_MAX_TURNS="12") == (20, "flag")
    assert turns({"limits.max_turns": "off"}) == (None, "flag")
    assert turns({"limits.max_turns": None}, QUARTERDECK_MAX_TURNS="12") == (12, "environment")


def test_the_environment_sets_what_a_file_can(place: Place) -> None:
    settings = place.load(
        QUARTERDECK_MODEL="demo/slow",
        QUARTERDECK_THEME="terminal",
        QUARTERDECK_APPROVE="plan",
        QUARTERDECK_MAX_COST_USD="0.30",
        QUARTERDECK_STOP_ON_TOOL_ERROR="true",
        QUARTERDECK_TOOL_TIMEOUT="2.5",
        QUARTERDECK_MAX_TIME="off",
        QUARTERDECK_AGENT="  ",
    )
    assert (settings.default_model, settings.theme, settings.approve) == ("demo/slow", "terminal", "plan")
    assert settings.default_agent == "deck"
    config = settings.run_config()
    assert (config.max_cost_usd, config.stop_on_tool_error) == (Decimal("0.30"), True)
    assert (config.tool_timeout, config.max_time) == (2.5, None)
    assert settings.source("approve").where == "QUARTERDECK_APPROVE"


@pytest.mark.parametrize(
    ("variable", "value", "where", "message"),
    [
        ("QUARTERDECK_MAX_TURNS", "many", "QUARTERDECK_MAX_TURNS", 'is "many"'),
        ("QUARTERDECK_MAX_COST_USD", "-1", "QUARTERDECK_MAX_COST_USD", "0 or more"),
        ("QUARTERDECK_APPROVE", "always", "QUARTERDECK_APPROVE", "bypass"),
        ("QUARTERDECK_AGENT", "nobody", "QUARTERDECK_AGENT", "no agent"),
        ("QUARTERDECK_MAX_COST", "5", "QUARTERDECK_MAX_COST", "QUARTERDECK_MAX_COST_USD"),
        ("QUARTERDECK_MAX_TURN", "5", "QUARTERDECK_MAX_TURN", "QUARTERDECK_MAX_TURNS"),
        ("QUARTERDECK_ON_LIMIT", "raise", "QUARTERDECK_ON_LIMIT", '"ask"'),
        ("QUARTERDECK_COMPACTION", "0.5", "QUARTERDECK_COMPACTION", '"off"'),
        ("QUARTERDECK_COMPACTION_AT", "0.5", "QUARTERDECK_COMPACTION_AT", "QUARTERDECK_COMPACTION"),
    ],
)
def test_a_wrong_variable_is_named(place: Place, variable: str, value: str, where: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        place.load(None, **{variable: value})
    assert caught.value.where == where


def test_other_variables_with_our_prefix_are_left_alone(place: Place) -> None:
    assert place.load(QUARTERDECK_NO_SKIP="1", QUARTERDECK_SOMETHING_ELSE="x").limits == {}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"limits.max_turns": "x"}, '--max-turns: is "x"; expected a whole number'),
        ({"limits.max_cost_usd": "-1"}, "--max-cost: is -1; expected US dollars"),
        ({"limits.max_time": "0"}, "--max-time: is 0; expected seconds"),
        ({"agent": "nobody"}, "--agent: there is no agent"),
        ({"theme": "nothing"}, "--theme: "),
        ({"model": ""}, "--model: "),
        ({"limits.on_limit": "stop"}, '--on-limit: is "stop"; expected "ask"'),
    ],
)
def test_a_wrong_option_is_named(place: Place, overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        place.load(overrides)
    assert str(caught.value).startswith(message)


def test_the_project_file_is_looked_for_up_to_the_root_of_the_repository(place: Place) -> None:
    outside = place.repository.parent / ".quarterdeck"
    outside.mkdir()
    (outside / "config.toml").write_text('theme = "high-contrast"')
    assert place.load().theme == themes.DEFAULT
    place.project.write_text('theme = "terminal"')
    assert place.load().theme == "terminal"
    nearer = place.inner / ".quarterdeck"
    nearer.mkdir()
    (nearer / "config.toml").write_text('theme = "quarterdeck-light"')
    assert place.load().theme == "quarterdeck-light"


def test_without_a_repository_only_the_folder_itself_counts(place: Place) -> None:
    (place.repository / ".git").rmdir()
    place.project.write_text('theme = "terminal"')
    assert place.load().theme == themes.DEFAULT
    assert load_settings(place.repository, place.environ).theme == "terminal"


def test_the_user_file_is_not_a_project_file_too(tmp_path: Path) -> None:
    folder = tmp_path / ".quarterdeck"
    folder.mkdir()
    (folder / "config.toml").write_text('approve = "bypass"')
    settings = load_settings(tmp_path, {"QUARTERDECK_CONFIG": str(folder)})
    assert (settings.approve, settings.withheld) == ("bypass", ())


def test_the_user_file_has_its_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    settings = load_settings(tmp_path, {})
    assert settings.user_file.name == "config.toml"
    assert settings.user_file.parent.name == "quarterdeck"


def test_themes_of_the_person_are_known(place: Place) -> None:
    folder = place.user.parent / "themes"
    folder.mkdir()
    (folder / "mine.toml").write_text('name = "mine"\ntitle = "Mine"\nextends = "quarterdeck-dark"\n')
    assert place.load({"theme": "mine"}).theme == "mine"


# Agents, models and runs.


def test_the_default_agent_has_every_built_in_tool_and_knows_its_folder(place: Place) -> None:
    agent = place.load().agent()
    assert agent.name == "deck"
    assert {tool.name for tool in agent.tools} == set(BUILT_IN_TOOLS)
    assert str(place.inner) in str(agent.instructions)


def test_a_configured_agent_is_what_its_table_says(place: Place) -> None:
    place.user.write_text(
        '[agents.reader]\ninstructions = "Only look."\nmodel = "demo/slow"\nfallback_models = ["demo/pilot"]\n'
        'tools = ["read_file", "search"]\ntemperature = 0.5\nmax_tokens = 100\n'
        '[agents.deck]\nreasoning_effort = "low"\n'
    )
    settings = place.load()
    reader = settings.agent("reader")
    assert (reader.instructions, reader.model, reader.fallback_models) == ("Only look.", "demo/slow", ("demo/pilot",))
    assert sorted(tool.name for tool in reader.tools) == ["read_file", "search"]
    assert (reader.model_settings.temperature, reader.model_settings.max_tokens) == (0.5, 100)
    deck = settings.agent("deck")
    assert deck.model_settings.reasoning_effort == "low"
    assert len(deck.tools) == len(BUILT_IN_TOOLS)
    assert settings.agent_names() == ("deck", "reader")
    with pytest.raises(ConfigError, match="reader \\(did you mean that\\?\\)"):
        settings.agent("readers")


def test_which_model_starts_and_why(place: Place) -> None:
    assert place.load().chosen_model()[0] == "demo/pilot"
    name, why = place.load(OPENAI_API_KEY="test").chosen_model()
    assert name.startswith("openai/")
    assert "OPENAI_API_KEY" in why
    place.user.write_text('model = "anthropic/a"\n[agents.reader]\nmodel = "openai/b"')
    settings = place.load()
    assert settings.chosen_model() == ("anthropic/a", f"set in {place.user}:1")
    assert settings.chosen_model("reader") == ("openai/b", "the model of the agent reader")
    settings = place.load({"agent": "reader", "model": "demo/slow"})
    assert settings.chosen_model() == ("demo/slow", "set by --model")
    assert settings.agent().model == "demo/slow"
    assert place.load(QUARTERDECK_MODEL="demo/flaky").chosen_model() == ("demo/flaky", "set by QUARTERDECK_MODEL")


def test_a_named_model_is_in_the_registry(place: Place) -> None:
    place.user.write_text(
        '[models."lab/qwen"]\nmodel = "openai/qwen"\napi_base = "http://127.0.0.1:8080/v1"\n'
        "context_window = 32768\ninput_cost_per_million = 0.5\noutput_cost_per_million = 2\n"
    )
    info = place.load().registry().info("lab/qwen")
    assert info.context_window == 32768
    assert info.price is not None
    assert (info.price.input, info.price.output) == (Decimal("0.5"), Decimal(2))


def test_a_run_gets_limits_rules_mode_and_folder(place: Place) -> None:
    place.user.write_text(
        'approve = "accept_edits"\n[limits]\nmax_cost_usd = 1\n[[rules]]\neffect = "deny"\ntool = "*"'
    )
    config = place.load().run_config(approver=True)
    assert (config.approval_mode, config.max_cost_usd, config.workspace) == ("accept_edits", Decimal(1), place.inner)
    assert [(rule.effect, rule.tool, rule.source) for rule in config.approval_policy] == [
        ("deny", "*", f"{place.user}:4")
    ]
    assert config.approver is True


def test_rules_of_the_layers_add_up(place: Place) -> None:
    place.user.write_text('[[rules]]\neffect = "allow"\ntool = "shell"')
    place.project.write_text('[[rules]]\neffect = "deny"\ntool = "write_file"')
    settings = place.load()
    assert [(rule.effect, rule.tool) for rule in settings.rules] == [("allow", "shell"), ("deny", "write_file")]


def test_limits_are_wider_where_a_person_watches_unless_they_were_set(place: Place) -> None:
    settings = place.load()
    assert settings.run_config(attended=True).max_turns == 50
    assert settings.run_config().max_turns == 10
    set_by_person = place.load(overrides={"limits.max_turns": "3"})
    assert set_by_person.run_config(attended=True).max_turns == 3


def test_a_limit_asks_where_a_person_watches_and_ends_elsewhere(place: Place) -> None:
    settings = place.load()
    assert (settings.run_config(attended=True).on_limit, settings.run_config().on_limit) == ("ask", "end")
    place.user.write_text('[limits]\non_limit = "end"')
    assert place.load().run_config(attended=True).on_limit == "end"
    assert place.load(QUARTERDECK_ON_LIMIT="ask").run_config().on_limit == "ask"


def test_every_timeout_reaches_the_run(place: Place) -> None:
    place.user.write_text(
        '[limits]\nmax_wall_time = 900\nfirst_token_timeout = 5\nstream_idle_timeout = "off"\ntool_timeout = 1.5'
    )
    config = place.load().run_config()
    assert (config.max_wall_time, config.first_token_timeout) == (900.0, 5.0)
    assert (config.stream_idle_timeout, config.tool_timeout) == (None, 1.5)


def test_compaction_is_set_by_each_layer_and_switched_off_by_any(place: Place) -> None:
    def found(overrides: dict[str, object] | None = None, **environ: str) -> Compaction | None:
        return place.load(overrides, **environ).run_config().compaction

    assert found() == Compaction()
    place.user.write_text("[compaction]\nat = 0.5\nkeep_turns = 2")
    assert found() == Compaction(at=0.5, keep_turns=2)
    assert found(QUARTERDECK_COMPACTION="off") is None
    assert found({"compaction": "off"}) is None
    place.user.write_text('compaction = "off"')
    assert found() is None
    assert found(QUARTERDECK_COMPACTION="on") == Compaction()
    assert place.load({"compaction": "off"}).source("compaction").where == "--no-compaction"
