"""What the screen remembers: written whole or not at all, and never a reason not to start."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from tui.remembered import Remembered


def test_what_is_written_is_read_at_once_and_by_the_next_program(tmp_path: Path) -> None:
    one = Remembered(tmp_path / "not there yet")
    assert one.read("layout") == {}
    one.write("layout", {"side": 44, "hidden": ["meters"], "name": "é\ud800"})
    assert one.read("layout")["side"] == 44
    assert one.flush()
    file = one.path("layout")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert Remembered(tmp_path / "not there yet").read("layout") == {
        "side": 44,
        "hidden": ["meters"],
        "name": "é\ud800",
    }
    assert [each.name for each in file.parent.iterdir()] == ["layout.json"]


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1]", b"null", b"\xff\x00", b"[" * 100_000, b'{"a": 1} trailing'])
def test_a_damaged_file_is_an_empty_one_and_is_replaced(tmp_path: Path, damaged: bytes) -> None:
    kept = Remembered(tmp_path)
    kept.path("layout").parent.mkdir()
    kept.path("layout").write_bytes(damaged)
    assert kept.read("layout") == {}
    kept.write("layout", {"side": 1})
    assert kept.flush()
    assert Remembered(tmp_path).read("layout") == {"side": 1}


def test_the_last_of_many_writes_from_several_threads_is_kept_whole(tmp_path: Path) -> None:
    kept = Remembered(tmp_path)

    def write(name: str) -> None:
        for number in range(200):
            kept.write(name, {"number": number, "padding": "x" * 500})

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.read("one")["number"] == 199
    assert kept.flush()
    assert [Remembered(tmp_path).read(name)["number"] for name in ("one", "two")] == [199, 199]
    assert kept.failed == 0


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "ui").write_text("a file in the way")
    kept = Remembered(tmp_path)
    kept.write("layout", {"side": 1})
    assert kept.flush()
    assert kept.failed == 1
    assert kept.read("layout") == {}


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "Layout", "a.json", "x" * 65])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        Remembered(tmp_path).write(name, {})


def test_a_value_that_json_cannot_hold_is_refused_where_it_is_given(tmp_path: Path) -> None:
    kept = Remembered(tmp_path)
    with pytest.raises(TypeError):
        kept.write("layout", {"side": object()})
    assert kept.read("layout") == {}
