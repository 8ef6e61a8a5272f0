"""What every model of a provider has in common, whichever client asks it: its price, its address, and its key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal

from runner.models.base import ModelInfo
from runner.models.catalogue import Pricing
from runner.models.endpoint import NO_KEY, Endpoint, resolve_endpoint
from runner.models.project import ProviderOf
from runner.models.provider_errors import Where
from runner.models.providers import prefix_of
from runner.usage import Price, Usage


class ProviderModel:
    """A model at a provider. Holds no state of a request; safe to use from several runs at once.

    full_name: `provider/model`, in litellm's spelling of the provider. api_base, api_key_env: for a named model with
    an address or a key variable of its own. pricing: with the rules a flat Price cannot say; else info.price counts.
    provider_of: tells the provider of a model name found in a history.
    """

    def __init__(
        self,
        info: ModelInfo,
        full_name: str,
        api_base: str | None = None,
        api_key_env: str | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        pricing: Pricing | None = None,
        provider_of: ProviderOf = prefix_of,
    ) -> None:
        self._info = info
        self._name = full_name
        self._api_base = api_base
        self._api_key_env = api_key_env
        self._environ = os.environ if environ is None else environ
        self._pricing = pricing or (Pricing(base=info.price) if info.price is not None else None)
        self._provider_of = provider_of

    @property
    def info(self) -> ModelInfo:
        return self._info

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars of one request, exact; None where the price is not known."""
        return None if self._pricing is None else self._pricing.cost(usage)

    def price(self, usage: Usage) -> Price | None:
        return None if self._pricing is None else self._pricing.price_for(usage)

    def prepare(self) -> None:
        """Begin in the background what the first request would wait for; returns at once, however often called."""

    def endpoint(self) -> Endpoint:
        """Where a request would go now. Raises AuthenticationError where the key is missing."""
        return resolve_endpoint(
            self._name, api_base=self._api_base, api_key_env=self._api_key_env, environ=self._environ
        )

    def _where(self, endpoint: Endpoint) -> Where:
        secrets = (endpoint.key,) if endpoint.key and endpoint.key != NO_KEY else ()
        fix = f"check the key in {endpoint.key_variable}" if endpoint.key_variable else ""
        return Where(
            model=self._info.name,
            provider=endpoint.provider,
            key_fix=fix or f"check the credentials for {endpoint.provider}",
            endpoint=endpoint.place,
            secrets=secrets,
        )
