"""Models by name: configured ones, the demo models, and every model of the providers that can be reached."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches

from runner.errors import ConfigError
from runner.models import catalogue
from runner.models.base import Model, ModelInfo
from runner.models.catalogue import Pricing
from runner.models.client_choice import Client, client_for, speaks_openai
from runner.models.providers import (
    PROVIDERS,
    SELF_HOSTED,
    Provider,
    is_loopback,
    prefix_of,
    provider,
    self_hosted_base,
)
from runner.usage import Price

FREE = Price(input=Decimal(0), output=Decimal(0))
DEMO_PREFIX = "demo/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A model that a configuration names. Prices are in US dollars for one million tokens, the window in tokens.

    model: `provider/model`; without a provider but with an api_base it is taken for an OpenAI-compatible server's.
    api_key_env: the variable with the key. With an api_base and no such variable, no key is sent at all.
    client: which client asks it; None chooses by the rule in `client_choice`.
    """

    name: str
    model: str
    api_base: str | None = None
    api_key_env: str | None = None
    context_window: int | None = None
    input_cost_per_million: Decimal | None = None
    output_cost_per_million: Decimal | None = None
    cached_input_cost_per_million: Decimal | None = None
    client: Client | None = None

    def __post_init__(self) -> None:
        where = f"models.{self.name}"
        if not self.name.strip() or not self.model.strip():
            raise ConfigError("a named model needs a name and a model", where=where)
        prices = (self.input_cost_per_million, self.output_cost_per_million, self.cached_input_cost_per_million)
        if any(price is not None and not (price.is_finite() and price >= 0) for price in prices):
            raise ConfigError("a price is not a number of 0 or more", where=where)
        if (prices[0] is None) != (prices[1] is None) or (prices[0] is None and prices[2] is not None):
            raise ConfigError(
                "a price needs both input_cost_per_million and output_cost_per_million, or a cost cannot be known",
                where=where,
            )
        if self.context_window is not None and self.context_window < 1:
            raise ConfigError("context_window is not positive", where=where, expected="tokens, 1 or more")
        if self.client not in (None, "direct", "litellm"):
            raise ConfigError(f"client is {self.client!r}", where=where, expected='"direct" or "litellm"')

    @property
    def full_name(self) -> str:
        """`provider/model`, or a bare name that only the table knows."""
        if self.api_base and not _routed(prefix_of(self.model)):
            return f"openai/{self.model}"
        return self.model

    @property
    def pricing(self) -> Pricing | None:
        """As configured; the table's price of a name says nothing about a server of one's own."""
        if self.input_cost_per_million is not None and self.output_cost_per_million is not None:
            return Pricing(
                base=Price(
                    input=self.input_cost_per_million,
                    output=self.output_cost_per_million,
                    cached_input=self.cached_input_cost_per_million,
                )
            )
        known = None if self.api_base else catalogue.lookup(self.full_name)
        return known.pricing if known else None


class ModelRegistry:
    """Resolves names to models (a ModelResolver). extra: models made elsewhere, such as test doubles; they win.

    Neither resolving nor info nor catalogue imports litellm or needs a key.
    """

    def __init__(
        self,
        named: Mapping[str, NamedModel] | None = None,
        extra: Mapping[str, Model] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._named = dict(named or {})
        self._extra = dict(extra or {})
        self._environ = os.environ if environ is None else environ

    def resolve(self, name: str) -> Model:
        """The model of this name. Raises ConfigError; a missing key only shows when a request is made."""
        if name in self._extra:
            return self._extra[name]
        if name in self._named:
            return self._reached(name, self._named[name])
        if name.startswith(DEMO_PREFIX):
            from runner.models.demo import demo_model

            return demo_model(name)
        return self._reached(name, None)

    def info(self, name: str) -> ModelInfo:
        """What is known of a model. Raises ConfigError where the name cannot be used."""
        if name in self._named:
            return self._named_info(self._named[name])
        if name in self._extra or name.startswith(DEMO_PREFIX):
            return self.resolve(name).info
        return self._provider_info(name)[0]

    def infos(self, names: Iterable[str]) -> list[ModelInfo]:
        """What is known of those of the models whose names can be used."""
        found: list[ModelInfo] = []
        for name in names:
            with contextlib.suppress(ConfigError):
                found.append(self.info(name))
        return found

    def catalogue(self) -> list[ModelInfo]:
        """Configured models, the demo models, then every chat model of the table by name."""
        from runner.models.demo import DEMO_NAMES

        own = [self.info(name) for name in (*self._named, *self._extra)]
        taken = {info.name for info in own}
        return [
            *own,
            *(self.info(name) for name in DEMO_NAMES if name not in taken),
            *(
                self._with_local_price(self._with_client(info))[0]
                for info in catalogue.all_models()
                if info.name not in taken
            ),
        ]

    def default_model(self, environ: Mapping[str, str] | None = None) -> tuple[str, str]:
        return default_model(self._environ if environ is None else environ)

    def provider_of(self, name: str) -> str:
        """The provider behind a model name as it stands in a history; "" where it is not known."""
        if name in self._named:
            return prefix_of(self._named[name].full_name) or _bare_provider(self._named[name].full_name)
        if name in self._extra:
            return self._extra[name].info.provider
        return prefix_of(name) or _bare_provider(name)

    def _reached(self, name: str, named: NamedModel | None) -> Model:
        if named is None:
            info, pricing = self._provider_info(name)
            full_name = _spelling(name, info)
            named = NamedModel(name=name, model=full_name)
        else:
            info = self._named_info(named)
            full_name = named.full_name if prefix_of(named.full_name) else f"{info.provider}/{named.full_name}"
            pricing = named.pricing if named.pricing is not None else _flat(info)
        if info.client == "direct":
            from runner.models.direct_model import DirectModel as Asked
        else:
            from runner.models.litellm_model import LitellmModel as Asked
        return Asked(
            info,
            full_name,
            named.api_base,
            named.api_key_env,
            self._environ,
            pricing=pricing,
            provider_of=self.provider_of,
        )

    def _named_info(self, named: NamedModel) -> ModelInfo:
        target = named.full_name
        known = catalogue.lookup(target)
        if known is None and not _routed(prefix_of(target)):
            raise _unknown(target, [*self._named, *self._extra], where=f"models.{named.name}")
        info = known.info if known else ModelInfo(name=target, provider=prefix_of(target))
        pricing = named.pricing
        info = replace(
            info,
            name=named.name,
            context_window=named.context_window or info.context_window,
            price=pricing.base if pricing else None,
            note="; ".join(part for part in (named.model, named.api_base and f"at {named.api_base}") if part),
        )
        info = self._with_client(info, named)
        if pricing is None and info.provider in SELF_HOSTED:
            return self._with_local_price(info, named.api_base)[0]
        return info

    def _provider_info(self, name: str) -> tuple[ModelInfo, Pricing | None]:
        known = catalogue.lookup(name)
        if known is None:
            if not _routed(prefix_of(name)):
                raise _unknown(name, [*self._named, *self._extra])
            return self._with_local_price(self._with_client(ModelInfo(name=name, provider=prefix_of(name))))
        info = self._with_client(known.info)
        if info.provider in SELF_HOSTED:
            return self._with_local_price(info)
        return info, known.pricing

    def _with_client(self, info: ModelInfo, named: NamedModel | None = None) -> ModelInfo:
        """With the client that asks this model. Raises ConfigError where the one asked for cannot."""
        asked = named.client if named else None
        base = named.api_base if named else None
        if asked == "direct" and base is None and not speaks_openai(info.provider):
            raise ConfigError(
                f"the direct client speaks OpenAI's chat completions and {info.provider or 'this provider'} does not",
                where=f"models.{info.name}",
                expected='client = "litellm", or an api_base that does',
            )
        known = provider(info.provider)
        base = base or (known.base_url(self._environ) if known else None)
        target = named.full_name if named else info.name
        full_name = target if prefix_of(target) else f"{info.provider}/{target}"
        # Nothing may be assumed of the model behind a server of one's own.
        own = info.provider in SELF_HOSTED or (info.provider == "openai" and base is not None)
        efforts = None if own else info.efforts
        return replace(info, client=client_for(full_name, asked=asked, base=base), efforts=efforts)

    def _with_local_price(self, info: ModelInfo, api_base: str | None = None) -> tuple[ModelInfo, Pricing | None]:
        """A self-hosted model costs nothing only where it runs on this machine and is no name for a cloud model.

        Everything else without a price is unknown: the table writes 0 for much that is billed somewhere.
        """
        if info.provider not in SELF_HOSTED:
            return info, _flat(info)
        base = api_base or self_hosted_base(info.provider, self._environ)
        if not is_loopback(base) or info.name.endswith(("-cloud", ":cloud")):
            return info, _flat(info)
        return replace(info, price=FREE, note=info.note or "on this machine"), Pricing(base=FREE)


def _flat(info: ModelInfo) -> Pricing | None:
    return Pricing(base=info.price) if info.price is not None else None


def _routed(prefix: str) -> bool:
    """Whether litellm has a route for this provider."""
    return bool(prefix) and (
        provider(prefix) is not None or prefix in SELF_HOSTED or prefix in catalogue.provider_names()
    )


def _bare_provider(name: str) -> str:
    known = catalogue.lookup(name)
    return known.info.provider if known else ""


def _spelling(name: str, info: ModelInfo) -> str:
    """The name for litellm: with its provider, in litellm's spelling of it."""
    head, slash, rest = name.partition("/")
    if not slash:
        return info.name
    return f"{info.provider}/{rest}" if prefix_of(name) != head and info.provider == prefix_of(name) else name


def _unknown(name: str, own: list[str], where: str = "") -> ConfigError:
    """Says what is wrong with a name, and which names are close to it."""
    head, slash, rest = name.partition("/")
    known = [*own, *catalogue.table(), *(info.name for info in catalogue.all_models())]
    close = list(dict.fromkeys(get_close_matches(name, known, 3, 0.6)))
    if slash:
        close = close or [f"{match}/{rest}" for match in get_close_matches(head, sorted(catalogue.provider_names()), 2)]
        what = f"no provider is called {head!r}, in the model name {name!r}"
    else:
        what = f"no model is called {name!r}"
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    return ConfigError(f"{what}{meant}", where=where, expected="provider/model, as `quarterdeck models` lists them")


def default_model(environ: Mapping[str, str]) -> tuple[str, str]:
    """The model to use when none is configured, and why, as a sentence for the screen."""
    for candidate in PROVIDERS:
        found = candidate.key(environ)
        if found is not None:
            return _default_of(candidate), f"no model is configured, and {found[0]} is set"
    return "demo/pilot", "no model is configured and no provider's key is set"


def _default_of(candidate: Provider) -> str:
    for name in candidate.defaults:
        known = catalogue.lookup(name)
        if known is not None and known.info.tools:
            return name
    return candidate.defaults[0]
