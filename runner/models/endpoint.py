"""Where a model is reached and with which key, from the environment that is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.errors import AuthenticationError
from runner.models.providers import SELF_HOSTED, is_loopback, prefix_of, provider, self_hosted_base

NO_KEY = "none"
"""Stands for no key: an empty one would make litellm look for the person's own and send that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a request is sent with.

    model: the name for litellm. key None: litellm finds the credentials itself (cloud accounts with several variables).
    compatible: any server that speaks OpenAI's dialect, so nothing may be assumed of the model behind it.
    """

    model: str
    provider: str
    base: str | None = None
    key: str | None = None
    key_variable: str = ""
    compatible: bool = False

    @property
    def place(self) -> str:
        return self.base or self.provider

    @property
    def url(self) -> str:
        """The address whose `/chat/completions` is asked; "" where the provider has none of OpenAI's kind."""
        known = provider(self.provider)
        return (self.base or (known.url if known else "")).removesuffix("/chat/completions")

    @property
    def on_this_machine(self) -> bool:
        return is_loopback(self.base)


def resolve_endpoint(
    model: str, *, api_base: str | None, api_key_env: str | None, environ: Mapping[str, str]
) -> Endpoint:
    """The endpoint of a model. Raises AuthenticationError, with the variable to set, where its key is missing.

    A named model with an address of its own gets only the key it names: the person's usual key never goes to an
    address that a configuration file has chosen.
    """
    name = prefix_of(model)
    if name in SELF_HOSTED:
        return _self_hosted(model, name, api_base, api_key_env, environ)
    known = provider(name)
    base = api_base.rstrip("/") if api_base else (known.base_url(environ) if known else None)
    if api_key_env:
        key, variable = environ.get(api_key_env, "").strip(), api_key_env
        if not key:
            raise missing_key(model, name, (api_key_env,))
    elif api_base:
        key, variable = NO_KEY, ""
    elif known is None:
        return Endpoint(model=model, provider=name, base=base)
    else:
        found = known.key(environ)
        if found is None:
            raise missing_key(model, known.title, known.keys)
        variable, key = found
    return Endpoint(
        model=model,
        provider=name,
        base=_trimmed(name, base),
        key=key,
        key_variable=variable,
        compatible=name == "openai" and base is not None,
    )


def _trimmed(name: str, base: str | None) -> str | None:
    """litellm adds "/v1/messages" to Anthropic's address and "/models/..." to Gemini's; people write them with and
    without the version."""
    match name:
        case "anthropic" if base is not None:
            return base.removesuffix("/messages").removesuffix("/v1")
        case "gemini" if base is not None and not base.rsplit("/", 1)[-1].startswith("v1"):
            return f"{base}/v1beta"
        case _:
            return base


def _self_hosted(
    model: str, name: str, api_base: str | None, api_key_env: str | None, environ: Mapping[str, str]
) -> Endpoint:
    """All of these are asked in OpenAI's dialect through the `openai/` route.

    litellm's own route for Ollama asks the server about the model first (a blocking call) and rewrites tools into a
    JSON mode. `hosted_vllm/` would be a little cheaper per chunk, but it skips a line it cannot read and takes the end
    marker for a finish reason, so a damaged answer would look whole.
    """
    if api_key_env and not environ.get(api_key_env, "").strip():
        raise missing_key(model, name, (api_key_env,))
    key = environ.get(api_key_env or "", "").strip() or environ.get(f"{name.upper()}_API_KEY", "").strip()
    return Endpoint(
        model="openai/" + model.partition("/")[2],
        provider=name,
        base=(api_base or self_hosted_base(name, environ)).rstrip("/"),
        key=key or NO_KEY,
        key_variable=api_key_env or "",
        compatible=True,
    )


def missing_key(model: str, title: str, variables: tuple[str, ...]) -> AuthenticationError:
    named = " or ".join(variables)
    return AuthenticationError(
        f"there is no key for {title or model}: {named} is not set",
        model=model,
        provider=title,
        fix=f"set {variables[0]}, for example: export {variables[0]}=...",
    )
