"""Names of models, what is known of them and what they cost, without importing litellm."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from runner.errors import AuthenticationError, ConfigError
from runner.models import catalogue
from runner.models.base import Model
from runner.models.endpoint import NO_KEY, resolve_endpoint
from runner.models.litellm_model import LitellmModel
from runner.models.providers import PROVIDERS, Provider, dialect_of
from runner.models.registry import ModelRegistry, NamedModel, default_model
from runner.usage import Price, Usage
from tests.contract.sources import ROOT

LAB = NamedModel(
    name="lab/qwen",
    model="openai/qwen",
    api_base="http://127.0.0.1:8080/v1",
    api_key_env="LAB_KEY",
    context_window=32768,
    input_cost_per_million=Decimal("0.1"),
    output_cost_per_million=Decimal("0.3"),
    cached_input_cost_per_million=Decimal("0.01"),
)
TOKENS = Usage(input=1000, cached_input=100, output=10)


def registry(*named: NamedModel, **environ: str) -> ModelRegistry:
    return ModelRegistry({one.name: one for one in named}, environ=environ)


@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o"])
def test_a_model_is_found_with_and_without_its_provider(name: str) -> None:
    info = registry().info(name)
    assert (info.name, info.provider, info.context_window, info.tools) == ("openai/gpt-4o", "openai", 128_000, True)
    assert info.price == Price(input=Decimal("2.5"), output=Decimal(10), cached_input=Decimal("1.25"))


def test_an_unlisted_model_of_a_known_provider_can_be_used_at_an_unknown_price() -> None:
    model = registry().resolve("openai/not-out-yet")
    assert (model.info.price, model.info.context_window, model.cost(TOKENS)) == (None, None, None)


def test_a_bare_gemini_is_the_one_that_takes_an_api_key() -> None:
    assert registry().info("gemini-2.5-flash").name == "gemini/gemini-2.5-flash"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("claude-sonet-4-5", "claude-sonnet-4-5"), ("opanai/gpt-4o", "openai/gpt-4o"), ("lab/quen", "lab/qwen")],
)
def test_a_mistyped_name_is_answered_with_close_ones(name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        registry(LAB).resolve(name)


def test_an_unknown_provider_is_an_error_that_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"no provider is called 'nowhere'.*expected provider/model"):
        registry().info("nowhere/model")


def test_a_named_model_has_its_own_price_and_window() -> None:
    model = registry(LAB).resolve("lab/qwen")
    assert (model.info.name, model.info.context_window) == ("lab/qwen", 32768)
    assert model.cost(TOKENS) == Decimal("0.000094")


def test_the_tables_price_is_not_taken_for_a_server_of_ones_own() -> None:
    here = NamedModel(name="mine", model="openai/gpt-4o", api_base="https://models.example/v1")
    model = registry(here).resolve("mine")
    assert (model.info.context_window, model.cost(TOKENS)) == (128_000, None)
    alias = NamedModel(name="fast", model="gpt-4o")
    assert registry(alias).resolve("fast").cost(TOKENS) == registry().resolve("gpt-4o").cost(TOKENS)


@pytest.mark.parametrize(
    "fields",
    [
        {"input_cost_per_million": Decimal(1)},
        {"cached_input_cost_per_million": Decimal(1)},
        {"input_cost_per_million": Decimal(-1), "output_cost_per_million": Decimal(1)},
        {"input_cost_per_million": Decimal("NaN"), "output_cost_per_million": Decimal(1)},
        {"context_window": 0},
        {"model": " "},
    ],
)
def test_a_named_model_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    values: dict[str, Any] = {"name": "x", "model": "openai/x", **fields}
    with pytest.raises(ConfigError, match=r"models\.x"):
        NamedModel(**values)


@pytest.mark.parametrize(
    ("name", "environ", "cost"),
    [
        ("ollama/llama3.1", {}, Decimal(0)),
        ("ollama/pulled-yesterday", {"OLLAMA_HOST": "0.0.0.0:11434"}, Decimal(0)),
        ("ollama/llama3.1", {"OLLAMA_API_BASE": "https://gpu.example"}, None),
        ("ollama/gpt-oss:120b-cloud", {}, None),
        ("github_copilot/gpt-4o", {}, None),
        ("zai/glm-4.7-flash", {}, None),
    ],
)
def test_a_zero_in_the_table_is_free_only_on_this_machine(
    name: str, environ: dict[str, str], cost: Decimal | None
) -> None:
    model = registry(**environ).resolve(name)
    assert model.cost(TOKENS) == cost
    assert (model.info.price is None) == (cost is None)


def test_a_long_prompt_pays_the_dearer_tier_for_all_of_it() -> None:
    model = registry().resolve("gemini/gemini-2.5-pro")
    assert model.cost(Usage(input=200_000, output=1_000_000)) == Decimal("0.25") + 10
    assert model.cost(Usage(input=200_001, output=1_000_000)) == Decimal("0.5000025") + 15


def test_the_price_of_a_request_is_the_one_of_its_tier() -> None:
    model = registry().resolve("gemini/gemini-2.5-pro")
    short, long = (model.price(Usage(input=tokens)) for tokens in (200_000, 200_001))
    assert short == model.info.price
    assert long is not None
    assert (long.input, long.output) == (Decimal("2.5"), Decimal(15))
    assert registry().resolve("openai/not-out-yet").price(TOKENS) is None
    assert registry(LAB).resolve("lab/qwen").price(TOKENS) == registry(LAB).info("lab/qwen").price


def test_prices_of_the_table_are_exact() -> None:
    for name in ("deepseek/deepseek-chat", "anthropic/claude-haiku-4-5", "gpt-4o-mini"):
        found = catalogue.find(name)
        known = catalogue.lookup(name)
        assert found is not None
        assert known is not None
        assert known.pricing is not None
        assert known.pricing.cost(Usage(input=1)) == Decimal(str(found[1]["input_cost_per_token"]))


def test_the_catalogue_has_configured_demo_and_table_models_once() -> None:
    listed = registry(LAB).catalogue()
    names = [info.name for info in listed]
    assert names[0] == "lab/qwen"
    assert "demo/pilot" in names
    assert "anthropic/claude-sonnet-4-5" in names
    assert len(names) == len(set(names))
    assert len(names) > 1000
    assert not [name for name in names if "*" in name or "commitment" in name]


def test_an_extra_model_wins_over_every_other_of_its_name() -> None:
    mine: Model = registry().resolve("demo/pilot")
    assert ModelRegistry(extra={"gpt-4o": mine}).resolve("gpt-4o") is mine


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_key_chooses_a_default_model_that_can_be_resolved(provider: Provider) -> None:
    for variable in provider.keys:
        name, why = default_model({variable: "some-key"})
        assert name.startswith(f"{provider.name}/")
        assert variable in why
        assert "some-key" not in why
        assert registry(**{variable: "k"}).resolve(name).info.provider == provider.name


def test_most_defaults_are_in_the_table_with_tools() -> None:
    known = [catalogue.lookup(default_model({provider.keys[0]: "k"})[0]) for provider in PROVIDERS]
    assert len([one for one in known if one is not None and one.info.tools]) >= len(PROVIDERS) - 1


def test_without_a_key_the_demo_is_the_default() -> None:
    assert default_model({"OPENAI_API_KEY": "  "})[0] == "demo/pilot"


def test_a_missing_key_is_no_error_until_a_request() -> None:
    model = registry().resolve("anthropic/claude-sonnet-4-5")
    assert isinstance(model, LitellmModel)
    with pytest.raises(AuthenticationError) as caught:
        model.endpoint()
    assert "ANTHROPIC_API_KEY" in caught.value.fix
    assert caught.value.action == "abort"


def test_a_persons_key_never_goes_to_a_configured_address() -> None:
    environ = {"OPENAI_API_KEY": "mine", "LAB_KEY": "lab"}
    base = "http://10.0.0.1/v1/"
    at_base = resolve_endpoint("openai/x", api_base=base, api_key_env=None, environ=environ)
    assert (at_base.key, at_base.base) == (NO_KEY, "http://10.0.0.1/v1")
    assert resolve_endpoint("openai/x", api_base=base, api_key_env="LAB_KEY", environ=environ).key == "lab"
    with pytest.raises(AuthenticationError, match="OTHER"):
        resolve_endpoint("openai/x", api_base=base, api_key_env="OTHER", environ=environ)


@pytest.mark.parametrize(
    ("model", "environ", "base"),
    [
        ("openai/x", {"OPENAI_BASE_URL": "http://a/v1", "OPENAI_API_BASE": "http://b/v1"}, "http://a/v1"),
        ("openai/x", {"OPENAI_API_BASE": "http://b/v1/"}, "http://b/v1"),
        ("openai/x", {}, None),
        ("anthropic/x", {"ANTHROPIC_BASE_URL": "http://a/v1/"}, "http://a"),
        ("anthropic/x", {"ANTHROPIC_API_BASE": "http://a/v1/messages"}, "http://a"),
        ("ollama/x", {"OLLAMA_HOST": "0.0.0.0:1234"}, "http://127.0.0.1:1234/v1"),
        ("lm_studio/x", {}, "http://127.0.0.1:1234/v1"),
    ],
)
def test_the_usual_addresses_are_honoured(model: str, environ: dict[str, str], base: str | None) -> None:
    keys = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
    assert resolve_endpoint(model, api_base=None, api_key_env=None, environ={**keys, **environ}).base == base


def test_a_cloud_account_is_left_to_litellm() -> None:
    endpoint = resolve_endpoint("bedrock/x", api_base=None, api_key_env=None, environ={})
    assert (endpoint.key, endpoint.base) == (None, None)


def test_the_provider_of_a_name_in_a_history() -> None:
    models = registry(LAB)
    names = ["lab/qwen", "gpt-4o", "claude-sonnet-4-5", "ollama_chat/x", "no-idea"]
    assert [models.provider_of(name) for name in names] == ["openai", "openai", "anthropic", "ollama", ""]


@pytest.mark.parametrize(
    ("provider", "model", "dialect"),
    [
        ("openai", "openai/gpt-4o", "openai"),
        ("openai", "openai/Devstral-Small", "mistral"),
        ("openrouter", "openrouter/google/gemini-2.5-pro", "gemini"),
        ("bedrock", "bedrock/anthropic.claude-v2", "anthropic"),
        ("gemini", "gemini/gemma-3", "gemini"),
    ],
)
def test_the_dialect_goes_by_who_is_really_asked(provider: str, model: str, dialect: str) -> None:
    assert dialect_of(provider, model) == dialect


def test_the_whole_catalogue_costs_no_heavy_import() -> None:
    program = (
        "import sys; from runner.models.registry import ModelRegistry as R; assert len(R().catalogue()) > 1000;"
        "R().resolve('gpt-4o'); R().default_model();"
        "print(sorted({'litellm', 'httpx', 'pydantic', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
