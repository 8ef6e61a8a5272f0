"""Data that is always ready must not hold up everything else in the event loop."""

from __future__ import annotations

import pytest

from runner.models.base import TextChunk
from tests.provider.helpers import BOTH, DIRECT, ask, collect_with_lag, model_at
from tests.provider.replies import Reply
from tests.provider.server import FakeProvider

WORDS = 10_000


@pytest.mark.parametrize("name", BOTH)
async def test_ten_thousand_tokens_at_once(name: str, provider_thread: FakeProvider) -> None:
    provider_thread.script(Reply(text=[f"w{number} " for number in range(WORDS)]))
    answer = await collect_with_lag(model_at(provider_thread, name), ask())
    assert answer.text == "".join(f"w{number} " for number in range(WORDS))
    pieces = len([chunk for chunk in answer.chunks if isinstance(chunk, TextChunk)])
    # Our own client gives at once what came at once, and still in many steps, so that a reader sees it grow.
    assert 5 < pieces < WORDS / 10 if name == DIRECT else pieces == WORDS
    over = [lag for lag in answer.lags if lag > 0.1]
    print(
        f"{name}: longest lag {answer.longest_lag * 1000:.0f} ms in {len(answer.lags)} turns, {len(over)} over 100 ms"
    )
    # Without a breath the ticker would get a handful of turns in the whole answer, however fast the machine is; our own
    # client reads so fast that it needs few.
    assert len(answer.lags) > (5 if name == DIRECT else 30)
