"""Faults put into the stream of any model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from runner.models.base import Chunk, Model, ModelInfo, ModelRequest
from runner.testing.requests import RequestCheck
from runner.usage import Price, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong after that many chunks of a response.

    what: an exception to raise; "cut", the stream ends there without a word; "hang", nothing comes any more.
    """

    what: BaseException | Literal["cut", "hang"]
    after: int = 0


class FaultyModel:
    """Passes another model's stream on, with faults.

    faults: for each request in order (None lets it pass; requests beyond the list pass), or by number of the request
    from 1. requests counts those made so far.
    """

    def __init__(self, model: Model, faults: Sequence[Fault | None] | Mapping[int, Fault]) -> None:
        self._model = model
        if isinstance(faults, Mapping):
            self._faults: dict[int, Fault] = dict(faults)
        else:
            self._faults = {number: fault for number, fault in enumerate(faults, 1) if fault is not None}
        self._check = RequestCheck()
        self.requests = 0

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    def cost(self, usage: Usage) -> Decimal | None:
        return self._model.cost(usage)

    def price(self, usage: Usage) -> Price | None:
        return self._model.price(usage)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        self.requests += 1
        self._check.assert_valid(request)
        fault = self._faults.get(self.requests)
        sent = 0
        async with aclosing(self._model.stream(request)) as chunks:
            if fault is not None and fault.after == 0:
                await _strike(fault)
                return
            async for chunk in chunks:
                yield chunk
                sent += 1
                if fault is not None and sent >= fault.after:
                    await _strike(fault)
                    return


async def _strike(fault: Fault) -> None:
    if isinstance(fault.what, BaseException):
        raise fault.what
    if fault.what == "hang":
        await asyncio.Event().wait()
