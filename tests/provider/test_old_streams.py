"""The few providers whose stream cannot be awaited are read through litellm's wrapper, which invents and estimates."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from runner.errors import StreamBrokenError
from runner.models import litellm_loader
from runner.models.litellm_model import LitellmModel
from runner.usage import Usage
from tests.provider.helpers import OPENAI, ask, collect, registry_of

COUNTED = {"prompt_tokens": 7, "completion_tokens": 3}


def item(text: str = "", finish: str | None = None, usage: Any = None) -> Any:
    delta = SimpleNamespace(content=text)
    return SimpleNamespace(choices=[SimpleNamespace(delta=delta, finish_reason=finish)], usage=usage)


class Wrapper:
    """Shaped like litellm's wrapper over a blocking iterator: its last chunks are its own work."""

    def __init__(self, *, reported: bool, finished: bool) -> None:
        self.completion_stream = iter(())
        self.received_finish_reason = "stop" if finished else None
        self.intermittent_finish_reason = None
        self.chunks = [item("hi", usage=COUNTED if reported else None)]
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        yield item("hi")
        yield item(finish="stop")
        yield item(usage=COUNTED)

    async def aclose(self) -> None:
        self.closed = True


class Legacy:
    """Over an async iterator of items that only litellm can translate."""

    def __init__(self) -> None:
        self.received_finish_reason: str | None = None
        self.completion_stream = self._items()

    async def _items(self) -> AsyncGenerator[bytes]:
        for data in (b"one ", b"two", b""):
            yield data

    def chunk_creator(self, chunk: bytes) -> Any:
        if not chunk:
            self.received_finish_reason = "length"
            return None
        return item(chunk.decode())

    async def aclose(self) -> None:
        await self.completion_stream.aclose()


def model_over(response: Any, monkeypatch: pytest.MonkeyPatch) -> LitellmModel:
    async def acompletion(**_: Any) -> Any:
        return response

    async def load() -> litellm_loader.Litellm:
        return litellm_loader.Litellm(acompletion=acompletion, unsupported=KeyError, version="0")

    monkeypatch.setattr(litellm_loader, "load", load)
    model = registry_of({"OPENAI_API_KEY": "k"}, "http://127.0.0.1:9").resolve(OPENAI)
    assert isinstance(model, LitellmModel)
    return model


async def test_a_wrapper_over_a_blocking_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = Wrapper(reported=True, finished=True)
    answer = await collect(model_over(wrapper, monkeypatch), ask())
    assert (answer.text, answer.assembly.finish, answer.assembly.usage) == ("hi", "stop", Usage(input=7, output=3))
    assert wrapper.closed


async def test_its_estimate_is_not_taken_for_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await collect(model_over(Wrapper(reported=False, finished=True), monkeypatch), ask())
    assert answer.assembly.usage is None


async def test_its_invented_stop_is_not_taken_for_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = Wrapper(reported=True, finished=False)
    with pytest.raises(StreamBrokenError):
        await collect(model_over(wrapper, monkeypatch), ask())
    assert wrapper.closed


async def test_items_that_only_litellm_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await collect(model_over(Legacy(), monkeypatch), ask())
    assert (answer.text, answer.assembly.finish) == ("one two", "length")


async def test_an_answer_that_is_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Whole:
        async def aclose(self) -> None:
            return

    with pytest.raises(StreamBrokenError, match="not a stream"):
        await collect(model_over(Whole(), monkeypatch), ask())
