"""Which client asks which model, where the choice shows, and how a configuration makes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.models.client_choice import Client, client_for
from runner.models.direct_model import DirectModel
from runner.models.litellm_model import LitellmModel
from runner.models.providers import PROVIDERS, SELF_HOSTED
from runner.models.registry import ModelRegistry, NamedModel
from tui import cli
from tui.settings import Settings, load_settings

BASE = "http://10.0.0.1/v1"


@pytest.mark.parametrize(
    ("model", "base", "client"),
    [
        ("openai/gpt-4o", None, "direct"),
        ("openai/gpt-5.1", None, "direct"),
        ("openai/not-out-yet", None, "direct"),
        ("openai/gpt-5-codex", None, "litellm"),
        ("openai/o1-pro", None, "litellm"),
        ("openai/gpt-5.4", None, "litellm"),
        ("openai/gpt-5.4-mini", "https://eu.api.openai.com/v1", "litellm"),
        ("openai/gpt-5.4", BASE, "direct"),
        ("openai/gpt-5-codex", BASE, "direct"),
        ("openai/gpt-7-new", None, "litellm"),
        ("openai/gpt-50", None, "litellm"),
        ("openai/gpt-4.1", None, "direct"),
        ("openai/gpt-oss-120b", None, "direct"),
        ("openrouter/anthropic/claude-sonnet-4.5", None, "direct"),
        ("deepseek/deepseek-chat", None, "direct"),
        ("together_ai/openai/gpt-oss-120b", None, "direct"),
        ("xai/grok-4.3", None, "direct"),
        ("ollama/qwen3:8b", None, "direct"),
        ("hosted_vllm/qwen", BASE, "direct"),
        ("groq/llama", BASE, "direct"),
        ("anthropic/claude-sonnet-4-5", None, "litellm"),
        ("anthropic/claude-sonnet-4-5", BASE, "litellm"),
        ("gemini/gemini-2.5-pro", None, "litellm"),
        ("mistral/mistral-large-latest", None, "litellm"),
        ("bedrock/anthropic.claude", None, "litellm"),
        ("azure/gpt-4o", BASE, "litellm"),
        ("nowhere/x", None, "litellm"),
    ],
)
def test_the_rule(model: str, base: str | None, client: Client) -> None:
    assert client_for(model, base=base) == client
    assert client_for(model, base=base, asked="litellm") == "litellm"
    assert client_for(model, base=base, asked="direct") == "direct"


def registry(*named: NamedModel, **environ: str) -> ModelRegistry:
    return ModelRegistry({one.name: one for one in named}, environ=environ)


@pytest.mark.parametrize("name", [*(one.defaults[0] for one in PROVIDERS), *(f"{name}/x" for name in SELF_HOSTED)])
def test_what_a_name_says_is_what_it_resolves_to(name: str) -> None:
    model = registry().resolve(name)
    assert isinstance(model, DirectModel if model.info.client == "direct" else LitellmModel)
    assert model.info.client in ("direct", "litellm")
    assert registry().info(name).client == model.info.client


def test_an_address_of_ones_own_without_a_providers_name_is_asked_directly() -> None:
    models = registry(
        NamedModel(name="bare", model="qwen", api_base=BASE),
        NamedModel(name="folder", model="org/qwen", api_base=BASE),
        NamedModel(name="claude", model="anthropic/claude-sonnet-4-5", api_base=BASE),
        NamedModel(name="alias", model="gpt-4o"),
        NamedModel(name="asked", model="gpt-4o", client="litellm"),
        NamedModel(name="gateway", model="gemini/gemini-2.5-pro", api_base=BASE, client="direct"),
    )
    names = ["bare", "folder", "claude", "alias", "asked", "gateway"]
    clients = ["direct", "direct", "litellm", "direct", "litellm", "direct"]
    assert [models.info(name).client for name in names] == clients
    assert [isinstance(models.resolve(name), DirectModel) for name in names] == [one == "direct" for one in clients]


def test_an_address_in_the_environment_counts_as_one() -> None:
    assert registry().info("openai/gpt-5.4").client == "litellm"
    assert registry(OPENAI_BASE_URL=BASE).info("openai/gpt-5.4").client == "direct"
    assert registry(OPENAI_BASE_URL="https://api.openai.com/v1").info("openai/gpt-5.4").client == "litellm"


def test_a_client_that_cannot_ask_a_model_is_refused_with_what_to_do() -> None:
    models = registry(NamedModel(name="mine", model="anthropic/claude-sonnet-4-5", client="direct"))
    with pytest.raises(ConfigError, match=r"models\.mine.*anthropic does not.*litellm"):
        models.resolve("mine")
    with pytest.raises(ConfigError, match=r"models\.x: client is 'curl'"):
        NamedModel(name="x", model="gpt-4o", client="curl")  # pyright: ignore[reportArgumentType]


def test_the_catalogue_says_who_asks_each_model() -> None:
    clients = {info.name: info.client for info in registry().catalogue()}
    assert clients["openai/gpt-4o"] == clients["deepseek/deepseek-chat"] == "direct"
    assert clients["anthropic/claude-sonnet-4-5"] == clients["openai/gpt-5-codex"] == "litellm"
    assert all(client for name, client in clients.items() if not name.startswith("demo/"))


CONFIG = '[models."lab/q"]\nmodel = "openai/q"\napi_base = "http://127.0.0.1:1/v1"\n'


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(tmp_path, {"QUARTERDECK_CONFIG": str(file)})


@pytest.mark.parametrize(("line", "client"), [("", "direct"), ('client = "litellm"\n', "litellm")])
def test_the_configuration_chooses_and_the_list_of_models_shows_it(
    line: str, client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings(tmp_path, CONFIG + line).registry().info("lab/q").client == client
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path / "config.toml"))
    assert cli.main_with(["models", "lab/q"]) == 0
    assert f" {client} " in capsys.readouterr().out
    assert cli.main_with(["models", "lab/q", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["client"] == client


def test_a_mistyped_client_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'client is "curl"; expected "direct" or "litellm"'):
        settings(tmp_path, CONFIG + 'client = "curl"\n')
