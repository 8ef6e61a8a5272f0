"""A store of its own for each test, closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.store import Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "quarterdeck.db"


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    opened = Store.open(database)
    yield opened
    opened.close()
