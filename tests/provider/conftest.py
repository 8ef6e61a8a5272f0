"""litellm is imported once for all of these tests, as the program does it: by the loader, in its thread."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from runner.models import litellm_loader
from tests.provider.server import FakeProvider, run_in_thread


@pytest.fixture(scope="session", autouse=True)
def loaded_litellm() -> litellm_loader.Litellm:
    loaded = litellm_loader.start_loading().result(timeout=90)
    wanted = os.environ.get("QUARTERDECK_TEST_LITELLM")
    if wanted is not None:
        # Set by test_litellm_range.py, whose tests would prove nothing about another version.
        assert loaded.version == wanted
        assert f"litellm-{wanted}" in str(sys.modules["litellm"].__file__)
    return loaded


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as fake:
        yield fake


@pytest.fixture
def provider_thread() -> Iterator[FakeProvider]:
    """The provider in a thread of its own, for tests that measure or own the event loop."""
    with run_in_thread() as fake:
        yield fake
